package mid_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

// parts reads the multipart body of a request that was sent: its fields, and
// its file as name, media type and content.
func parts(t *testing.T, s sent) map[string]string {
	t.Helper()
	kind, params, err := mime.ParseMediaType(s.Header.Get("Content-Type"))
	require.NoError(t, err)
	require.Equal(t, "multipart/form-data", kind)
	got := map[string]string{}
	r := multipart.NewReader(strings.NewReader(s.Body), params["boundary"])
	for {
		part, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return got
		}
		require.NoError(t, err)
		content, err := io.ReadAll(part)
		require.NoError(t, err)
		text := string(content)
		if part.FileName() != "" {
			text = part.FileName() + " " + part.Header.Get("Content-Type") + " " + text
		}
		got[part.FormName()] = text
	}
}

// Every method's request is the contract's operation.
func TestMethodsSendTheContractsRequests(t *testing.T) {
	t.Parallel()
	a := &api{handle: answers(status(200, ok(`{"id":"x","session_id":"x","status":"pending"}`)))}
	c := a.client(t)
	var got []string
	for _, call := range postCalls() {
		if strings.HasPrefix(call.name, "Call") {
			continue
		}
		require.NoError(t, call.send(t.Context(), c), call.name)
		s := last(a.sent())
		line := s.Method + " " + s.Path
		if s.Header.Get("Content-Type") == "application/json" {
			line += " " + s.Body
		}
		require.Equal(t, "Bearer token-1", s.Header.Get("Authorization"))
		require.Equal(t, "application/json", s.Header.Get("Accept"))
		got = append(got, line)
	}
	require.Equal(t, []string{
		`POST /v1/auth/sessions {"intent":"login"}`,
		`POST /v1/auth/verify {"session_id":"sess_1"}`,
		`POST /v1/identity/documents`,
		`POST /v1/identity/verify {"document_type":"passport","country":"GB","document_front_id":"doc_1","selfie_id":"doc_2"}`,
		`POST /v1/signing/documents`,
		`POST /v1/signing/sessions {"document_ids":["doc_1"],"signers":[{"name":"Ada","email":"ada@example.com"}]}`,
	}, got)
	for prefix, get := range getters(c, t) {
		require.NoError(t, get("x"))
		s := last(a.sent())
		require.Equal(t, "GET /v1"+prefix+"x", s.Method+" "+s.Path)
		require.Empty(t, s.Body)
		require.NotContains(t, s.Header, "Content-Type")
	}
}

func TestUploadsSendTheContractsFields(t *testing.T) {
	t.Parallel()
	a := &api{handle: answers(status(201, ok(`{"id":"doc_1","session_id":"doc_1","status":"pending"}`)))}
	c := a.client(t)
	file := mid.File{Name: "front.png", ContentType: "image/png", Size: 3, Open: mid.FileFromBytes("", []byte("PNG")).Open}

	_, err := c.Identity.UploadDocument(t.Context(), mid.UploadIdentityDocumentParams{
		File: file, Type: mid.DocumentDriversLicense, Side: mid.SideBack, Country: "GB",
	})
	require.NoError(t, err)
	require.Equal(t, map[string]string{"file": "front.png image/png PNG", "type": "drivers_license", "side": "back", "country": "GB"}, parts(t, last(a.sent())))

	_, err = c.Identity.UploadDocument(t.Context(), mid.UploadIdentityDocumentParams{File: file, Type: mid.DocumentSelfie})
	require.NoError(t, err)
	require.Equal(t, map[string]string{"file": "front.png image/png PNG", "type": "selfie"}, parts(t, last(a.sent())), "what is not told is left out")

	_, err = c.Signing.UploadDocument(t.Context(), mid.UploadSigningDocumentParams{File: mid.FileFromBytes("contract.pdf", []byte("%PDF")), Name: "Lease, 2026"})
	require.NoError(t, err)
	require.Equal(t, map[string]string{"file": "contract.pdf application/pdf %PDF", "name": "Lease, 2026"}, parts(t, last(a.sent())))

	_, err = c.Signing.UploadDocument(t.Context(), mid.UploadSigningDocumentParams{File: mid.FileFromBytes("contract.pdf", []byte("%PDF"))})
	require.NoError(t, err)
	require.Equal(t, map[string]string{"file": "contract.pdf application/pdf %PDF"}, parts(t, last(a.sent())))
}

// Middleware, the logger's handler and the application's own parts learn which
// call a wire send belongs to.
func TestOperationFrom(t *testing.T) {
	t.Parallel()
	_, ok := mid.OperationFrom(t.Context())
	require.False(t, ok)
	var mu sync.Mutex
	var seen []mid.Operation
	note := func(ctx context.Context) {
		op, ok := mid.OperationFrom(ctx)
		require.True(t, ok)
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, op)
	}
	a := &api{handle: answers(status(503, ""), status(200, ok200("x")))}
	c := a.client(t, mid.WithRetry(mid.RetryPolicy{MaxRetries: 1, MinWait: 1, MaxWait: 1}),
		mid.WithLogger(slog.New(noting{slog.DiscardHandler, note})),
		mid.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
			return tripper(func(r *http.Request) (*http.Response, error) {
				note(r.Context())
				return next.RoundTrip(r)
			})
		}))
	_, err := c.Authentication.GetSession(t.Context(), "sess_1")
	require.NoError(t, err)
	const name, path = "auth.sessions.get", "/auth/sessions/{id}"
	require.Equal(t, []mid.Operation{
		{Name: "token", Path: "/auth/token", Attempt: 1}, {Name: "token", Path: "/auth/token", Attempt: 1},
		{Name: name, Path: path, Attempt: 1}, {Name: name, Path: path, Attempt: 1},
		{Name: name, Path: path, Attempt: 2}, {Name: name, Path: path, Attempt: 2},
	}, seen, "each send by middleware, then by the logger")

	operations := map[string]string{}
	for _, call := range postCalls() {
		seen = nil
		require.NoError(t, call.send(t.Context(), c), call.name)
		operations[seen[0].Name] = seen[0].Path
	}
	for prefix, get := range getters(c, t) {
		seen = nil
		require.NoError(t, get("x"))
		operations[seen[0].Name] = seen[0].Path
		require.Equal(t, prefix+"{id}", seen[0].Path)
	}
	require.Equal(t, map[string]string{
		"auth.sessions.create": "/auth/sessions", "auth.sessions.get": path, "auth.verify": "/auth/verify",
		"identity.documents.upload": "/identity/documents", "identity.verifications.start": "/identity/verify",
		"identity.verifications.get": "/identity/verifications/{id}", "signing.documents.upload": "/signing/documents",
		"signing.sessions.create": "/signing/sessions", "signing.sessions.get": "/signing/sessions/{id}", "call": "",
	}, operations)
}

func ok200(id string) string {
	return ok(`{"id":"` + id + `","session_id":"` + id + `","status":"pending"}`)
}

// noting is a handler that notes the context of each record.
type noting struct {
	slog.Handler
	note func(context.Context)
}

func (noting) Enabled(context.Context, slog.Level) bool { return true }

func (n noting) Handle(ctx context.Context, r slog.Record) error {
	n.note(ctx)
	return n.Handler.Handle(ctx, r)
}
