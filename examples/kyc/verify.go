package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/mobid-io/mid-go"
)

// image is one file to upload.
type image struct {
	label string // what messages call it: a file's own name may tell whose it is
	file  mid.File
	kind  mid.DocumentType
	side  mid.DocumentSide
}

// app is one run of the program.
type app struct {
	cfg    config
	screen *screen
	client *mid.Client
	close  func()
	poll   mid.PollOptions
	images []image // the document, the selfie and, if there is one, the back

	id string // of the verification; empty until it was started
}

// newApp checks everything that can be checked before anything is sent.
func newApp(cfg config, s *screen) (*app, error) {
	a := &app{cfg: cfg, screen: s, close: func() {}}
	if cfg.demo {
		return a, a.stageDemo()
	}
	if err := a.addFiles(); err != nil {
		return nil, err
	}
	var err error
	a.client, err = mid.NewClientFromEnv(mid.WithAppInfo("mid-go-kyc", ""))
	return a, err
}

func (a *app) addFiles() error {
	if err := a.add("document", a.cfg.front, a.cfg.documentType, mid.SideFront); err != nil {
		return err
	}
	if err := a.add("selfie", a.cfg.selfie, mid.DocumentSelfie, ""); err != nil {
		return err
	}
	if a.cfg.back == "" {
		return nil
	}
	return a.add("back", a.cfg.back, a.cfg.documentType, mid.SideBack)
}

func (a *app) add(label, path string, kind mid.DocumentType, side mid.DocumentSide) error {
	file, err := mid.FileFromPath(path)
	if cause := unreadable(err); cause != nil {
		return fmt.Errorf("the %s can't be read: %w", label, cause)
	}
	if err != nil {
		return fmt.Errorf("the %s is not a file", label)
	}
	// People name such files after those whom they show, and MID need not know.
	file.Name = string(kind) + filepath.Ext(path)
	a.images = append(a.images, image{label: label, file: file, kind: kind, side: side})
	return nil
}

// unreadable is why a file can't be read, without its name; nil if err is
// about something else.
func unreadable(err error) error {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return pathErr.Err
	}
	return nil
}

// verify does the whole work: upload, start, wait.
func (a *app) verify(ctx context.Context) (*mid.Verification, error) {
	ids := make([]string, 3) // as in a.images
	for i, img := range a.images {
		doc, err := a.upload(ctx, img)
		if cause := unreadable(err); cause != nil {
			return nil, fmt.Errorf("reading the %s: %w", img.label, cause)
		}
		if err != nil {
			return nil, fmt.Errorf("uploading the %s: %w", img.label, err)
		}
		ids[i] = doc.ID
	}
	v, err := a.client.Identity.StartVerification(ctx, mid.StartVerificationParams{
		DocumentType:    a.cfg.documentType,
		Country:         a.cfg.country,
		DocumentFrontID: ids[0],
		SelfieID:        ids[1],
		DocumentBackID:  ids[2],
	})
	if err != nil {
		return nil, fmt.Errorf("starting the verification: %w", err)
	}
	a.id = v.ID
	a.screen.started(v)
	return a.wait(ctx)
}

func (a *app) upload(ctx context.Context, img image) (*mid.IdentityDocument, error) {
	bar := a.screen.beginUpload(img.label, img.file.Size)
	doc, err := a.client.Identity.UploadDocument(ctx, mid.UploadIdentityDocumentParams{
		File:     img.file,
		Type:     img.kind,
		Side:     img.side,
		Country:  a.cfg.country,
		Progress: bar.progress,
	})
	bar.end()
	if err == nil {
		a.screen.uploaded(img.label, doc.Size)
	}
	return doc, err
}

// wait follows the verification to its end, whatever way that ends.
func (a *app) wait(ctx context.Context) (*mid.Verification, error) {
	var last *mid.Verification
	for v, err := range a.client.Identity.WatchVerification(ctx, a.id, a.poll) {
		if err != nil {
			return nil, fmt.Errorf("waiting for %s: %w", a.id, err)
		}
		a.screen.checks(v.Checks)
		last = v
	}
	return last, nil
}

// whatGoesOn is part of a message about a run that was cut short.
func (a *app) whatGoesOn() string {
	if a.id == "" {
		return "no verification is known to have started"
	}
	return "MID goes on with " + a.id
}
