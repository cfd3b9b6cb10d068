package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"

	"github.com/mobid-io/mid-go"
)

// application is one identity to verify.
type application struct {
	Type    mid.DocumentType
	Country string // the country that issued the document, such as DE
	Front   mid.File
	Back    mid.File // the zero value if the document has no back
	Selfie  mid.File
}

// open takes the pictures from files. MID does not get the files' own names,
// because people name such files after the person in them.
func (a *application) open(front, back, selfie string) (err error) {
	for _, picture := range []struct {
		file *mid.File
		path string
	}{{&a.Front, front}, {&a.Back, back}, {&a.Selfie, selfie}} {
		if picture.path == "" {
			continue
		}
		if *picture.file, err = mid.FileFromPath(picture.path); err != nil {
			return err
		}
		picture.file.Name = "picture" + filepath.Ext(picture.path)
	}
	return nil
}

// verify uploads the pictures, starts the verification and waits for its end.
// The log gets ids, statuses and checks, and no personal data.
func verify(ctx context.Context, client *mid.Client, a application, poll mid.PollOptions) (*mid.Verification, error) {
	front, err := upload(ctx, client, a.Front, a.Type, mid.SideFront)
	if err != nil {
		return nil, fmt.Errorf("uploading the front: %w", err)
	}
	back := &mid.IdentityDocument{}
	if a.Back.Open != nil {
		if back, err = upload(ctx, client, a.Back, a.Type, mid.SideBack); err != nil {
			return nil, fmt.Errorf("uploading the back: %w", err)
		}
	}
	selfie, err := upload(ctx, client, a.Selfie, mid.DocumentSelfie, "")
	if err != nil {
		return nil, fmt.Errorf("uploading the selfie: %w", err)
	}
	v, err := client.Identity.StartVerification(ctx, mid.StartVerificationParams{
		DocumentType:    a.Type,
		Country:         a.Country,
		DocumentFrontID: front.ID,
		DocumentBackID:  back.ID,
		SelfieID:        selfie.ID,
	})
	if err != nil {
		return nil, fmt.Errorf("starting the verification: %w", err)
	}
	id := v.ID
	slog.InfoContext(ctx, "started", slog.Any("verification", v), slog.Duration("estimate", v.EstimatedTime))
	for v, err = range client.Identity.WatchVerification(ctx, id, poll) {
		if err != nil {
			return nil, fmt.Errorf("waiting for verification %s, which goes on: %w", id, err)
		}
		slog.InfoContext(ctx, "checked", slog.String("document", v.Checks.DocumentAuthenticity), slog.String("data", v.Checks.DataExtraction),
			slog.String("liveness", v.Checks.LivenessDetection), slog.String("face", v.Checks.FaceMatch))
	}
	return v, nil
}

func upload(ctx context.Context, client *mid.Client, file mid.File, kind mid.DocumentType, side mid.DocumentSide) (*mid.IdentityDocument, error) {
	document, err := client.Identity.UploadDocument(ctx, mid.UploadIdentityDocumentParams{File: file, Type: kind, Side: side})
	if err == nil {
		slog.InfoContext(ctx, "uploaded", slog.String("type", string(kind)), slog.Int64("bytes", document.Size))
	}
	return document, err
}

// failedChecks names the checks that the verification did not pass.
func failedChecks(c mid.VerificationChecks) (failed []string) {
	for _, check := range [][2]string{
		{"document authenticity", c.DocumentAuthenticity}, {"data extraction", c.DataExtraction},
		{"liveness", c.LivenessDetection}, {"face match", c.FaceMatch},
	} {
		if check[1] == mid.CheckFailed {
			failed = append(failed, check[0])
		}
	}
	return failed
}

// advice adds to an error what to do about it.
func advice(err error) string {
	if _, ok := errors.AsType[*mid.ValidationError](err); ok {
		return "\nCorrect the field and try again."
	}
	if e, ok := errors.AsType[*mid.RateLimitError](err); ok {
		return fmt.Sprintf("\nThe quota is used up. Try again in %v.", e.RetryAfter)
	}
	switch e, ok := errors.AsType[*mid.APIError](err); {
	case errors.Is(err, mid.ErrInvalidClient):
		return "\nMID does not know the credentials. Sandbox and production have their own."
	case errors.Is(err, mid.ErrPayloadTooLarge):
		return "\nTake a smaller picture."
	case ok:
		return "\nMID's support can look up the request " + e.RequestID + "."
	}
	return ""
}
