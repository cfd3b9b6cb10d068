package mid_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/mobid-io/mid-go"
)

var verbs = []string{
	"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%X", "%t", "%b", "%o", "%O", "%c", "%U", "%e", "%f", "%g",
	"% x", "%#x", "%+d", "%08v", "%-40v|", "%.3v", "%.3s", "%z", "%!",
}

// traces are the ways in which a text could show up in another.
func traces(text string) []string {
	b := []byte(text)
	return []string{
		text, text[:5], fmt.Sprintf("%x", text), fmt.Sprintf("%X", text), fmt.Sprintf("% x", text),
		strings.Trim(fmt.Sprint(b), "[]"), strings.Trim(fmt.Sprintf("%#v", b), "[]byte{}"),
	}
}

func requireHides(t *testing.T, output string, hidden ...string) {
	t.Helper()
	for _, text := range hidden {
		for _, trace := range traces(text) {
			require.NotContains(t, output, trace)
		}
	}
}

// valueSource holds its token in itself, not behind a pointer.
type valueSource struct{ Held oauth2.Token }

func (s valueSource) Token() (*oauth2.Token, error) { return &s.Held, nil }

const hiddenToken = "hidden-access-token-9876"

func TestNoVerbShowsASecret(t *testing.T) {
	t.Parallel()
	hooks := mid.WebhookConfig{Secrets: []string{"hidden-webhook-secret", "hidden-older-secret"}}
	a := &api{handle: answers(status(200, ok(pendingSession)))}
	c := a.client(t, mid.WithWebhooks(hooks))
	_, err := c.Authentication.GetSession(t.Context(), "sess_1") // so that it holds a token
	require.NoError(t, err)
	source := mid.OAuth2TokenSource(valueSource{oauth2.Token{AccessToken: hiddenToken}})
	other := a.client(t, mid.WithTokenSource(source))
	service, err := mid.NewWebhookService(hooks)
	require.NoError(t, err)

	type wrapper struct {
		Any    any
		Client *mid.Client
		Copy   mid.Client
		Source mid.TokenSource
		Hooks  mid.WebhookConfig
	}
	for _, v := range []any{
		c, *c, &c, other, *other, mid.Client{}, (*mid.Client)(nil),
		c.Authentication, *c.Authentication, c.Identity, *c.Identity, c.Signing, *c.Signing, c.Webhooks, *c.Webhooks,
		service, *service, hooks, &hooks, source,
		[]any{c, hooks, source}, []mid.WebhookConfig{hooks}, map[string]any{"a": *c, "b": hooks},
		wrapper{c, c, *c, source, hooks}, &wrapper{c, c, *c, source, hooks},
		mid.WithWebhooks(hooks), mid.WithTokenSource(source), mid.WithIdempotencyKey("x"),
	} {
		for _, verb := range verbs {
			requireHides(t, fmt.Sprintf(verb, v), testSecret, "token-1", hiddenToken, "hidden-webhook-secret", "hidden-older-secret")
		}
		requireHides(t, fmt.Sprint(v)+fmt.Sprintln(v), testSecret, "token-1", hiddenToken, hooks.Secrets[0], hooks.Secrets[1])
		encoded, _ := json.Marshal(v)
		requireHides(t, string(encoded), testSecret, "token-1", hiddenToken, hooks.Secrets[0], hooks.Secrets[1])
	}
	require.Equal(t, "mid.Client{https://api.mobid.io/v1}", fmt.Sprint(c))
	require.Equal(t, "mid.Client{https://api.mobid.io/v1}", fmt.Sprintf("%#v", *c))
	require.Equal(t, "mid.Client{[REDACTED]}", fmt.Sprint(mid.Client{}))
	require.Equal(t, "mid.OAuth2TokenSource{[REDACTED]}", fmt.Sprintf("%+v", source))
	require.Equal(t, "mid.WebhookConfig{[REDACTED]}", fmt.Sprintf("%#v", hooks))
}

var (
	hiddenData = mid.ExtractedData{
		FirstName: "Adaline", LastName: "Marsh", DateOfBirth: "1992-03-14",
		DocumentNumber: "XK1234567", ExpiryDate: "2031-05-06", Nationality: "British",
	}
	hiddenFields = []string{"Adaline", "Marsh", "1992-03-14", "XK1234567", "2031-05-06", "British"}
)

func TestNoVerbShowsExtractedData(t *testing.T) {
	t.Parallel()
	v := mid.Verification{ID: "ver_1", Status: mid.VerificationVerified, ExtractedData: hiddenData}
	type wrapper struct {
		Data  mid.ExtractedData
		Point *mid.ExtractedData
		mid.ExtractedData
	}
	for _, value := range []any{
		hiddenData, &hiddenData, v, &v, []mid.Verification{v}, []*mid.Verification{&v},
		[]mid.ExtractedData{hiddenData}, []*mid.ExtractedData{&hiddenData}, [1]mid.ExtractedData{hiddenData},
		map[string]mid.ExtractedData{"a": hiddenData}, map[mid.ExtractedData]int{hiddenData: 1},
		wrapper{hiddenData, &hiddenData, hiddenData}, []any{hiddenData},
	} {
		for _, verb := range verbs {
			requireHides(t, fmt.Sprintf(verb, value), hiddenFields...)
		}
		requireHides(t, fmt.Sprint("data ", value), hiddenFields...)
		requireHides(t, fmt.Errorf("no good: %v", value).Error(), hiddenFields...)
	}
	require.Equal(t, "mid.ExtractedData{[REDACTED]}", fmt.Sprintf("%#v", hiddenData))
	require.Equal(t, "mid.Verification{id=ver_1 status=verified}", fmt.Sprintf("%#v", v))
}

// logged returns v as both handlers of package log/slog write it.
func logged(v any) (text, encoded string) {
	var a, b bytes.Buffer
	slog.New(slog.NewTextHandler(&a, &slog.HandlerOptions{ReplaceAttr: bare})).Info("m", "v", v)
	slog.New(slog.NewJSONHandler(&b, &slog.HandlerOptions{ReplaceAttr: bare})).Info("m", "v", v)
	return strings.TrimSpace(a.String()), strings.TrimSpace(b.String())
}

func bare(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key != "v" {
		return slog.Attr{}
	}
	return a
}

func TestLogsShowIDAndStatusAlone(t *testing.T) {
	t.Parallel()
	when := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	meta := map[string]string{"HIDDEN": "HIDDEN"}
	file := mid.FileFromBytes("HIDDEN.pdf", []byte("HIDDEN"))
	for _, tt := range []struct {
		value, pointer any
		text, encoded  string
	}{
		{mid.AuthSession{ID: "i", Status: "s", Intent: "HIDDEN", Recipient: "HIDDEN", QRCode: "HIDDEN", QRData: "HIDDEN", UserID: "HIDDEN", Method: "HIDDEN", CreatedAt: when, Metadata: meta},
			new(mid.AuthSession), "v.id=i v.status=s", `{"v":{"id":"i","status":"s"}}`},
		{mid.AuthenticationResult{SessionID: "i", Status: "s", UserID: "HIDDEN", Method: "HIDDEN", VerifiedAt: when},
			new(mid.AuthenticationResult), "v.id=i v.status=s", `{"v":{"id":"i","status":"s"}}`},
		{mid.Verification{ID: "i", Status: "s", ExtractedData: hiddenData, RejectionReason: "HIDDEN", Country: "HIDDEN", Metadata: meta},
			new(mid.Verification), "v.id=i v.status=s", `{"v":{"id":"i","status":"s"}}`},
		{mid.SigningSession{ID: "i", Status: "s", DocumentIDs: []string{"HIDDEN"}, Signers: []mid.Signer{{Name: "HIDDEN"}}, Metadata: meta},
			new(mid.SigningSession), "v.id=i v.status=s", `{"v":{"id":"i","status":"s"}}`},
		{mid.IdentityDocument{ID: "i", FileName: "HIDDEN", SHA256: "HIDDEN", Country: "HIDDEN"},
			new(mid.IdentityDocument), "v.id=i", `{"v":{"id":"i"}}`},
		{mid.SigningDocument{ID: "i", Name: "HIDDEN", SHA256: "HIDDEN"},
			new(mid.SigningDocument), "v.id=i", `{"v":{"id":"i"}}`},
		{mid.Signer{Name: "HIDDEN", Email: "HIDDEN", Status: "s", SignURL: "HIDDEN", IPAddress: "HIDDEN"},
			new(mid.Signer), "v.status=s", `{"v":{"status":"s"}}`},
		{mid.Event{ID: "i", Type: "t", ClientID: "HIDDEN", Data: []byte(`"HIDDEN"`)},
			new(mid.Event), "v.id=i v.type=t", `{"v":{"id":"i","type":"t"}}`},
		{hiddenData, new(mid.ExtractedData), "v=[REDACTED]", `{"v":"[REDACTED]"}`},
		{mid.WebhookConfig{Secrets: []string{"HIDDEN"}}, new(mid.WebhookConfig), "v=[REDACTED]", `{"v":"[REDACTED]"}`},
		{mid.SignerParams{Name: "HIDDEN", Email: "HIDDEN"}, new(mid.SignerParams), "v=[REDACTED]", `{"v":"[REDACTED]"}`},
		{mid.CreateAuthSessionParams{Intent: "login", Recipient: "HIDDEN", CallbackURL: "HIDDEN", Metadata: meta},
			new(mid.CreateAuthSessionParams), "v.intent=login", `{"v":{"intent":"login"}}`},
		{mid.StartVerificationParams{DocumentType: "passport", Country: "GB", DocumentFrontID: "HIDDEN", CallbackURL: "HIDDEN", Metadata: meta},
			new(mid.StartVerificationParams), "v.document_type=passport v.country=GB", `{"v":{"document_type":"passport","country":"GB"}}`},
		{mid.CreateSigningSessionParams{DocumentIDs: []string{"HIDDEN"}, Signers: []mid.SignerParams{{Name: "HIDDEN"}, {Email: "HIDDEN"}}, Metadata: meta},
			new(mid.CreateSigningSessionParams), "v.documents=1 v.signers=2", `{"v":{"documents":1,"signers":2}}`},
		{mid.UploadIdentityDocumentParams{File: file, Type: "selfie", Country: "HIDDEN"},
			new(mid.UploadIdentityDocumentParams), "v.type=selfie", `{"v":{"type":"selfie"}}`},
		{mid.UploadSigningDocumentParams{File: file, Name: "HIDDEN"},
			new(mid.UploadSigningDocumentParams), "v=[REDACTED]", `{"v":"[REDACTED]"}`},
	} {
		text, encoded := logged(tt.value)
		require.Equal(t, tt.text, text, "%T", tt.value)
		require.JSONEq(t, tt.encoded, encoded, "%T", tt.value)
		require.NotPanics(t, func() { logged(tt.pointer) })
		require.Implements(t, (*slog.LogValuer)(nil), tt.pointer)
	}
	text, encoded := logged(&mid.AuthSession{ID: "i", Recipient: "HIDDEN"})
	require.Equal(t, "v.id=i", text, "an empty status is left out")
	require.JSONEq(t, `{"v":{"id":"i"}}`, encoded)
}

func TestLogsShowNoSecretOfAClient(t *testing.T) {
	t.Parallel()
	a := &api{handle: answers(status(200, ok(pendingSession)))}
	c := a.client(t)
	_, err := c.Authentication.GetSession(t.Context(), "sess_1")
	require.NoError(t, err)
	e := &mid.APIError{StatusCode: 404, Method: "GET", Path: "/x", Body: []byte("hidden-body"), Header: map[string][]string{"A": {"hidden-head"}}}
	for _, v := range []any{
		c, *c, c.Authentication, c.Identity, c.Signing, c.Webhooks, *c.Webhooks, e, *e, &mid.RateLimitError{Err: e},
		mid.OAuth2TokenSource(valueSource{oauth2.Token{AccessToken: hiddenToken}}),
	} {
		text, encoded := logged(v)
		requireHides(t, text+encoded, testSecret, "token-1", hiddenToken, "hidden-body", "hidden-head")
	}
}

// Who a session or a signature is of stays out of logs, and so does the link to
// sign at, also where a value is printed as a part of another.
func TestNoVerbShowsWhoASessionIsOf(t *testing.T) {
	t.Parallel()
	hidden := []string{"Adaline Marsh", "adaline@example.com", "+14155550123", "https://sign.example.com/link_1", "192.0.2.17"}
	signer := mid.Signer{Name: hidden[0], Email: hidden[1], SignURL: hidden[3], IPAddress: hidden[4], Status: mid.SignerSigned}
	signing := mid.SigningSession{ID: "sig_1", Status: mid.SigningPending, Signers: []mid.Signer{signer}}
	asked := mid.SignerParams{Name: hidden[0], Email: hidden[1]}
	session := mid.AuthSession{ID: "sess_1", Status: mid.AuthPending, Recipient: hidden[2]}
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, nil))
	for _, value := range []any{
		signer, &signer, []mid.Signer{signer}, []*mid.Signer{&signer}, signing, &signing, map[string]any{"a": signing},
		asked, []mid.SignerParams{asked}, mid.CreateSigningSessionParams{Signers: []mid.SignerParams{asked}},
		session, &session, []mid.AuthSession{session}, struct{ S mid.AuthSession }{session},
		mid.CreateAuthSessionParams{Intent: mid.IntentLogin, Recipient: hidden[2]},
	} {
		for _, verb := range verbs {
			requireHides(t, fmt.Sprintf(verb, value), hidden...)
		}
		log.Info("seen", "value", value)
		requireHides(t, out.String(), hidden...)
	}
	require.Equal(t, "mid.SigningSession{id=sig_1 status=pending}", fmt.Sprintf("%+v", signing))
	require.Equal(t, "[mid.AuthSession{id=sess_1 status=pending}]", fmt.Sprintf("%+v", []mid.AuthSession{session}))
	require.Equal(t, "mid.CreateSigningSessionParams{documents=0 signers=1}", fmt.Sprint(mid.CreateSigningSessionParams{Signers: []mid.SignerParams{asked}}))
	require.Equal(t, "mid.SignerParams{[REDACTED]}", fmt.Sprint(asked))
}

// What came with an answer is printed without its data.
func TestNoVerbShowsAResponsesData(t *testing.T) {
	t.Parallel()
	var r mid.Response
	a := &api{handle: answers(status(200, ok(`{"id":"ver_1","status":"verified","extracted_data":{"first_name":"Adaline"}}`)))}
	_, err := a.client(t).Identity.GetVerification(t.Context(), "ver_1", mid.WithResponse(&r))
	require.NoError(t, err)
	require.Contains(t, string(r.Data), "Adaline")
	var out bytes.Buffer
	slog.New(slog.NewJSONHandler(&out, nil)).Info("seen", "r", r, "p", &r)
	slog.New(slog.NewTextHandler(&out, nil)).Info("seen", "r", r, "p", &r)
	for _, value := range []any{r, &r, []mid.Response{r}, struct{ R mid.Response }{r}} {
		for _, verb := range verbs {
			requireHides(t, fmt.Sprintf(verb, value), "Adaline")
		}
	}
	requireHides(t, out.String(), "Adaline")
	require.Equal(t, "mid.Response{200, request req_1, attempts 1}", fmt.Sprintf("%+v", r))
}
