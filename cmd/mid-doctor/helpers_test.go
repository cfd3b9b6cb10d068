package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

// patient is a quota that no test uses up.
var patient = midtest.WithQuota(1_000_000, time.Minute)

// account is a fake server whose answers a test may change on their way.
type account struct {
	*midtest.Server
	change atomic.Pointer[func(r *http.Request, answer *httptest.ResponseRecorder)]
}

// newAccount starts a server, and sets the environment for it.
func newAccount(t *testing.T, options ...midtest.Option) *account {
	t.Helper()
	a := new(account)
	a.Server = midtest.NewServer(append([]midtest.Option{patient, midtest.WithMiddleware(a.middleware)}, options...)...)
	t.Cleanup(a.Close)
	t.Setenv("MID_BASE_URL", a.URL)
	t.Setenv("MID_CLIENT_ID", a.ClientID)
	t.Setenv("MID_CLIENT_SECRET", a.ClientSecret)
	t.Setenv("MID_WEBHOOK_SECRET", a.WebhookSecret)
	return a
}

func (a *account) middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		change := a.change.Load()
		if change == nil {
			next.ServeHTTP(w, r)
			return
		}
		answer := httptest.NewRecorder()
		next.ServeHTTP(answer, r)
		(*change)(r, answer)
		header := answer.Header()
		header.Del("Content-Length")
		maps.Copy(w.Header(), header)
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	})
}

// changing has every answer changed.
func (a *account) changing(change func(r *http.Request, answer *httptest.ResponseRecorder)) {
	a.change.Store(&change)
}

// diagnosis is what the doctor finds.
func (a *account) diagnosis(t *testing.T, write bool) *diagnosis {
	t.Helper()
	d := newDoctor(mid.WithHTTPClient(a.HTTPClient()))
	_, err := d.client(mid.SnakeCase)
	require.NoError(t, err)
	d.examine(t.Context(), write)
	d.advise(nil)
	return &d.diagnosis
}

// named returns a check.
func (d *diagnosis) named(t *testing.T, name string) check {
	t.Helper()
	for _, c := range d.Checks {
		if c.Name == name {
			return c
		}
	}
	require.Fail(t, "no check is called "+name)
	return check{}
}

// verdicts are those of a check's fields.
func (c *check) verdicts() map[string]verdict {
	all := map[string]verdict{}
	for _, f := range c.Fields {
		all[f.Name] = f.Verdict
	}
	return all
}

// operationOf names the operation of a request, as the checks are named.
func operationOf(r *http.Request, status int) string {
	path := strings.TrimPrefix(r.URL.Path, "/v1/")
	switch prefix, _, _ := strings.Cut(path, "s/"); {
	case r.Method == http.MethodGet && status == http.StatusNotFound:
		return checkNotFound
	case path == "auth/sessions" && status == http.StatusBadRequest:
		return checkRefused
	case r.Method == http.MethodGet:
		return map[string]string{"auth/session": opGetAuthSession, "identity/verification": opGetVerification, "signing/session": opGetSigningSession}[prefix]
	}
	return map[string]string{
		"auth/token": checkToken, "auth/sessions": opCreateAuthSession, "auth/verify": opVerifyAuth,
		"identity/documents": opUploadIdentityDocument, "identity/verify": opStartVerification,
		"signing/documents": opUploadSigningDocument, "signing/sessions": opCreateSigningSession,
	}[path]
}

// edit changes the JSON of an answer.
func edit(answer *httptest.ResponseRecorder, change func(map[string]any)) {
	var body map[string]any
	if json.Unmarshal(answer.Body.Bytes(), &body) != nil {
		return
	}
	change(body)
	text, _ := json.Marshal(body)
	answer.Body = bytes.NewBuffer(text)
}

// at returns the object that holds the last part of a path, like
// data.signers[].name, and that part.
func at(body map[string]any, path string) (object map[string]any, last string) {
	parts := strings.Split(path, ".")
	for _, name := range parts[:len(parts)-1] {
		next := body[strings.TrimSuffix(name, "[]")]
		if list, ok := next.([]any); ok && len(list) > 0 {
			next = list[0]
		}
		if body, _ = next.(map[string]any); body == nil {
			return nil, ""
		}
	}
	return body, parts[len(parts)-1]
}
