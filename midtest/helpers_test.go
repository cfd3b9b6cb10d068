package midtest_test

import (
	"bytes"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

// caller speaks plain HTTP to a server: the server is held to the contract, not
// to what the client makes of it.
type caller struct {
	t     *testing.T
	srv   *midtest.Server
	token string
}

type reply struct {
	status int
	header http.Header
	body   []byte
	envelope
}

type envelope struct {
	Success bool
	Data    json.RawMessage
	Error   struct {
		Code       mid.ErrorCode
		Message    string
		RetryAfter int `json:"retry_after"`
		Details    []mid.FieldError
	}
	Meta struct {
		RequestID string `json:"request_id"`
		Timestamp time.Time
	}
}

// start starts a server that the test closes, and gets a token.
func start(t *testing.T, opts ...midtest.Option) *caller {
	t.Helper()
	srv := midtest.NewServer(opts...)
	t.Cleanup(srv.Close)
	c := &caller{t: t, srv: srv}
	c.authorize()
	return c
}

func (c *caller) authorize() {
	c.t.Helper()
	r := c.post("/auth/token", tokenRequest(c.srv))
	require.Equal(c.t, 200, r.status, "%s", r.body)
	var token struct {
		AccessToken string `json:"access_token"`
	}
	require.NoError(c.t, json.Unmarshal(r.Data, &token))
	c.token = token.AccessToken
}

func tokenRequest(srv *midtest.Server) map[string]string {
	return map[string]string{
		"client_id":     srv.ClientID,
		"client_secret": srv.ClientSecret,
		"grant_type":    "client_credentials",
	}
}

func (c *caller) get(path string) reply {
	c.t.Helper()
	return c.send(c.request(http.MethodGet, path, nil))
}

// post sends body as JSON, or as it is if it is a string. Headers are names
// and values in turn.
func (c *caller) post(path string, body any, headers ...string) reply {
	c.t.Helper()
	text, ok := body.(string)
	if !ok {
		raw, err := json.Marshal(body)
		require.NoError(c.t, err)
		text = string(raw)
	}
	req := c.request(http.MethodPost, path, strings.NewReader(text))
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	return c.send(req)
}

func (c *caller) request(method, path string, body io.Reader) *http.Request {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.srv.URL+path, body)
	require.NoError(c.t, err)
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	return req
}

func (c *caller) send(req *http.Request) reply {
	c.t.Helper()
	res, err := c.srv.HTTPClient().Do(req)
	require.NoError(c.t, err)
	defer res.Body.Close()
	r := reply{status: res.StatusCode, header: res.Header}
	r.body, err = io.ReadAll(res.Body)
	require.NoError(c.t, err)
	if res.Header.Get("Content-Type") == "application/json" && len(r.body) > 0 {
		require.True(c.t, json.Valid(r.body), "%s", r.body)
		_ = json.Unmarshal(r.body, &r.envelope) // another envelope than the contract's does not fit
	}
	return r
}

// part is one part of a multipart form; with a file name it is a file.
type part struct{ name, fileName, contentType, content string }

func (c *caller) upload(path string, parts []part, headers ...string) reply {
	c.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for _, p := range parts {
		h := textproto.MIMEHeader{}
		h.Set("Content-Disposition", multipart.FileContentDisposition(p.name, p.fileName))
		if p.fileName == "" {
			h.Set("Content-Disposition", `form-data; name="`+p.name+`"`)
		}
		if p.contentType != "" {
			h.Set("Content-Type", p.contentType)
		}
		dst, err := w.CreatePart(h)
		require.NoError(c.t, err)
		_, err = io.WriteString(dst, p.content)
		require.NoError(c.t, err)
	}
	require.NoError(c.t, w.Close())
	req := c.request(http.MethodPost, path, &body)
	req.Header.Set("Content-Type", w.FormDataContentType())
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	return c.send(req)
}

func data[T any](t *testing.T, r reply) T {
	t.Helper()
	require.True(t, r.Success, "%d %s", r.status, r.body)
	var v T
	require.NoError(t, json.Unmarshal(r.Data, &v))
	return v
}

// session creates an authentication session.
func (c *caller) session(callbackURL string) mid.AuthSession {
	c.t.Helper()
	r := c.post("/auth/sessions", mid.CreateAuthSessionParams{Intent: mid.IntentLogin, CallbackURL: callbackURL})
	require.Equal(c.t, 201, r.status, "%s", r.body)
	return data[mid.AuthSession](c.t, r)
}

// document uploads an identity document.
func (c *caller) document(kind mid.DocumentType, side mid.DocumentSide) mid.IdentityDocument {
	c.t.Helper()
	parts := []part{{name: "type", content: string(kind)}, {"file", "page.png", "image/png", "picture"}}
	if side != "" {
		parts = append(parts, part{name: "side", content: string(side)})
	}
	r := c.upload("/identity/documents", parts)
	require.Equal(c.t, 201, r.status, "%s", r.body)
	return data[mid.IdentityDocument](c.t, r)
}

// verification starts a verification of a new passport and selfie.
func (c *caller) verification(callbackURL string) mid.Verification {
	c.t.Helper()
	r := c.post("/identity/verify", mid.StartVerificationParams{
		DocumentType:    mid.DocumentPassport,
		Country:         "DE",
		DocumentFrontID: c.document(mid.DocumentPassport, mid.SideFront).ID,
		SelfieID:        c.document(mid.DocumentSelfie, "").ID,
		CallbackURL:     callbackURL,
		Metadata:        map[string]string{"order": "7"},
	})
	require.Equal(c.t, 202, r.status, "%s", r.body)
	return data[mid.Verification](c.t, r)
}

// signing has a new document signed by ada@ and bob@example.com.
func (c *caller) signing(callbackURL string) mid.SigningSession {
	c.t.Helper()
	r := c.post("/signing/sessions", mid.CreateSigningSessionParams{
		DocumentIDs: []string{c.contract().ID},
		Signers:     []mid.SignerParams{{Name: "Ada", Email: "ada@example.com"}, {Name: "Bob", Email: "bob@example.com"}},
		CallbackURL: callbackURL,
	})
	require.Equal(c.t, 201, r.status, "%s", r.body)
	return data[mid.SigningSession](c.t, r)
}

func (c *caller) contract() mid.SigningDocument {
	c.t.Helper()
	r := c.upload("/signing/documents", []part{{"file", "lease.pdf", "application/pdf", "%PDF-1.7"}})
	require.Equal(c.t, 201, r.status, "%s", r.body)
	return data[mid.SigningDocument](c.t, r)
}

func fields(r reply) []string {
	var names []string
	for _, d := range r.Error.Details {
		names = append(names, d.Field)
	}
	return names
}
