package e2e_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

// taggedCall is an operation whose resource, if it creates one, carries a tag.
// The id that it returns is that of the resource.
type taggedCall struct {
	name   string
	create bool
	call   func(ctx context.Context, c *mid.Client, tag string, opts ...mid.RequestOption) (id string, err error)
}

// errFalse is in an error of a call that claims success with a result that is
// not the call's.
var errFalse = errors.New("the result is not what was asked for")

// whole is the result of a call: a success without the right values is a lie.
func whole(id string, err error, right bool) (string, error) {
	switch {
	case err != nil:
		return "", err
	case id == "" || !right:
		return "", fmt.Errorf("%w: id %q", errFalse, id)
	}
	return id, nil
}

// with adds a tag to metadata.
func with(m map[string]string, tag string) map[string]string {
	m = maps.Clone(m)
	m["call"] = tag
	return m
}

// pages of the uploads, larger than what the sockets buffer.
var (
	chaosPage = bytes.Repeat([]byte("page"), 32<<10)
	chaosSum  = func() string {
		sum := sha256.Sum256(chaosPage)
		return hex.EncodeToString(sum[:])
	}()
)

// taggedCalls are all operations that have a typed method.
func (w *world) taggedCalls() []taggedCall {
	return []taggedCall{
		{"createAuthSession", true, func(ctx context.Context, c *mid.Client, tag string, opts ...mid.RequestOption) (string, error) {
			p := w.authParams()
			p.CallbackURL, p.Metadata = "", with(p.Metadata, tag)
			v, err := c.Authentication.CreateSession(ctx, p, opts...)
			if v == nil {
				return whole("", err, false)
			}
			return whole(v.ID, err, v.Status == mid.AuthPending && v.QRData != "" && maps.Equal(v.Metadata, p.Metadata))
		}},
		{"getAuthSession", false, func(ctx context.Context, c *mid.Client, _ string, opts ...mid.RequestOption) (string, error) {
			v, err := c.Authentication.GetSession(ctx, w.auth.ID, opts...)
			if v == nil {
				return whole("", err, false)
			}
			return whole(v.ID, err, v.ID == w.auth.ID && v.Status != "")
		}},
		{"verifyAuthentication", false, func(ctx context.Context, c *mid.Client, _ string, opts ...mid.RequestOption) (string, error) {
			v, err := c.Authentication.Verify(ctx, mid.VerifyAuthenticationParams{SessionID: w.auth.ID}, opts...)
			if v == nil {
				return whole("", err, false)
			}
			return whole(v.SessionID, err, v.SessionID == w.auth.ID && v.Status != "" && !v.Verified)
		}},
		{"uploadIdentityDocument", true, func(ctx context.Context, c *mid.Client, tag string, opts ...mid.RequestOption) (string, error) {
			file := mid.FileFromBytes(tag+".png", chaosPage)
			file.ContentType = "image/png"
			v, err := c.Identity.UploadDocument(ctx, mid.UploadIdentityDocumentParams{File: file, Type: mid.DocumentSelfie}, opts...)
			if v == nil {
				return whole("", err, false)
			}
			return whole(v.ID, err, v.FileName == file.Name && v.SHA256 == chaosSum)
		}},
		{"startVerification", true, func(ctx context.Context, c *mid.Client, tag string, opts ...mid.RequestOption) (string, error) {
			p := w.verificationParams()
			p.CallbackURL, p.Metadata = "", with(p.Metadata, tag)
			v, err := c.Identity.StartVerification(ctx, p, opts...)
			if v == nil {
				return whole("", err, false)
			}
			return whole(v.ID, err, v.Status == mid.VerificationProcessing)
		}},
		{"getVerification", false, func(ctx context.Context, c *mid.Client, _ string, opts ...mid.RequestOption) (string, error) {
			v, err := c.Identity.GetVerification(ctx, w.verification.ID, opts...)
			if v == nil {
				return whole("", err, false)
			}
			return whole(v.ID, err, v.ID == w.verification.ID && v.Status != "")
		}},
		{"uploadSigningDocument", true, func(ctx context.Context, c *mid.Client, tag string, opts ...mid.RequestOption) (string, error) {
			file := mid.FileFromBytes("lease.pdf", chaosPage)
			v, err := c.Signing.UploadDocument(ctx, mid.UploadSigningDocumentParams{File: file, Name: tag}, opts...)
			if v == nil {
				return whole("", err, false)
			}
			return whole(v.ID, err, v.Name == tag && v.SHA256 == chaosSum)
		}},
		// A plain reader can't be sent again once it has been read.
		{"uploadSigningDocument, once", true, func(ctx context.Context, c *mid.Client, tag string, opts ...mid.RequestOption) (string, error) {
			file := mid.FileFromReader("lease.pdf", readerOnly{bytes.NewReader(chaosPage)})
			v, err := c.Signing.UploadDocument(ctx, mid.UploadSigningDocumentParams{File: file, Name: tag}, opts...)
			if v == nil {
				return whole("", err, false)
			}
			return whole(v.ID, err, v.Name == tag && v.SHA256 == chaosSum)
		}},
		{"createSigningSession", true, func(ctx context.Context, c *mid.Client, tag string, opts ...mid.RequestOption) (string, error) {
			p := w.signingParams()
			p.CallbackURL, p.Metadata = "", with(p.Metadata, tag)
			v, err := c.Signing.CreateSession(ctx, p, opts...)
			if v == nil {
				return whole("", err, false)
			}
			return whole(v.ID, err, len(v.Signers) == len(signers) && maps.Equal(v.Metadata, p.Metadata))
		}},
		{"getSigningSession", false, func(ctx context.Context, c *mid.Client, _ string, opts ...mid.RequestOption) (string, error) {
			v, err := c.Signing.GetSession(ctx, w.signing.ID, opts...)
			if v == nil {
				return whole("", err, false)
			}
			return whole(v.ID, err, v.ID == w.signing.ID && v.Status != "")
		}},
	}
}

// taggedResources are the ids of what a server has, by the tags of the calls
// that created it. What newWorld made has the tag "".
func taggedResources(srv *midtest.Server) map[string][]string {
	found := map[string][]string{}
	add := func(tag, id string) { found[tag] = append(found[tag], id) }
	for _, v := range srv.AuthSessions() {
		add(v.Metadata["call"], v.ID)
	}
	for _, v := range srv.Verifications() {
		add(v.Metadata["call"], v.ID)
	}
	for _, v := range srv.SigningSessions() {
		add(v.Metadata["call"], v.ID)
	}
	for _, v := range srv.IdentityDocuments() {
		add(tagOf(v.FileName, ".png"), v.ID)
	}
	for _, v := range srv.SigningDocuments() {
		add(tagOf(v.Name, ""), v.ID)
	}
	return found
}

// tagOf is the tag in a name, or empty if the name is not a call's.
func tagOf(name, suffix string) string {
	var n int
	if _, err := fmt.Sscanf(name, "call-%d"+suffix, &n); err != nil {
		return ""
	}
	return fmt.Sprintf("call-%d", n)
}
