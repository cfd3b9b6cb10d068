package mid_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

// A server may quote what a call sent, a proxy may do so in a header, and a
// transport of the application's in its error.
func TestErrorsAreScrubbedOfWhatTheCallSent(t *testing.T) {
	t.Parallel()
	metadata := map[string]string{"order": "Adaline's order"}
	file := mid.FileFromBytes("adaline-marsh.pdf", []byte("%PDF-1.7"))
	calls := map[string]struct {
		personal []string
		send     func(ctx context.Context, c *mid.Client) error
	}{
		"auth.sessions.create": {[]string{"+14155550123", "Adaline's order"}, func(ctx context.Context, c *mid.Client) error {
			_, err := c.Authentication.CreateSession(ctx, mid.CreateAuthSessionParams{Intent: mid.IntentLogin, Recipient: "+14155550123", Metadata: metadata})
			return err
		}},
		"identity.documents.upload": {[]string{"adaline-marsh.pdf"}, func(ctx context.Context, c *mid.Client) error {
			_, err := c.Identity.UploadDocument(ctx, mid.UploadIdentityDocumentParams{File: file, Type: mid.DocumentPassport})
			return err
		}},
		"identity.verifications.start": {[]string{"Adaline's order"}, func(ctx context.Context, c *mid.Client) error {
			_, err := c.Identity.StartVerification(ctx, mid.StartVerificationParams{
				DocumentType: mid.DocumentPassport, Country: "GB", DocumentFrontID: "doc_1", SelfieID: "doc_2", Metadata: metadata,
			})
			return err
		}},
		"signing.documents.upload": {[]string{"adaline-marsh.pdf", "Lease of A. Marsh"}, func(ctx context.Context, c *mid.Client) error {
			_, err := c.Signing.UploadDocument(ctx, mid.UploadSigningDocumentParams{File: file, Name: "Lease of A. Marsh"})
			return err
		}},
		"signing.sessions.create": {[]string{"Adaline Marsh", "adaline@example.com", "Adaline's order"}, func(ctx context.Context, c *mid.Client) error {
			_, err := c.Signing.CreateSession(ctx, mid.CreateSigningSessionParams{
				DocumentIDs: []string{"doc_1"}, Signers: []mid.SignerParams{{Name: "Adaline Marsh", Email: "adaline@example.com"}}, Metadata: metadata,
			})
			return err
		}},
		"call": {[]string{"adaline@example.com", "Adaline"}, func(ctx context.Context, c *mid.Client) error {
			return c.Call(ctx, http.MethodPost, "/invitations", map[string]any{"to": []any{map[string]any{"email": "adaline@example.com", "name": "Adaline"}}}, nil)
		}},
	}
	for name, call := range calls {
		for _, personal := range call.personal {
			for where, answer := range map[string]func() (*http.Response, error){
				"message": status(422, problem("invalid_request", "no good: "+strings.ToUpper(personal), "")),
				"detail":  status(422, problem("invalid_request", "no good", `,"details":[{"field":"`+personal+`","message":"`+personal+` is unknown"}]`)),
				"page":    status(502, "<p>"+personal+"</p>"),
				"id":      status(500, "", "X-Request-Id", personal),
				"network": failed(errors.New("could not send " + personal)),
			} {
				t.Run(name+" "+where, func(t *testing.T) {
					t.Parallel()
					var out bytes.Buffer
					a := &api{handle: answers(answer)}
					c := a.client(t, mid.WithRetry(mid.RetryPolicy{MaxRetries: 1, MinWait: time.Millisecond, MaxWait: time.Millisecond}),
						mid.WithLogger(slog.New(slog.NewTextHandler(&out, nil))))
					err := call.send(t.Context(), c)
					require.Error(t, err)
					require.NotContains(t, strings.ToLower(err.Error()+out.String()), strings.ToLower(personal))
					if where != "id" {
						require.Contains(t, err.Error(), "[REDACTED]")
					}
				})
			}
		}
	}
}

// What an error keeps of a long answer is bounded before it is searched.
func TestLongAnswersAreBounded(t *testing.T) {
	t.Parallel()
	page := strings.Repeat("a<b>&c ", 10<<20/7)
	a := oddAPI(answers(status(502, page)))
	_, err := oddClient(t, a).Authentication.GetSession(t.Context(), "sess_1")
	require.Error(t, err)
	e, ok := errors.AsType[*mid.APIError](err)
	require.True(t, ok)
	require.Len(t, e.Body, 64<<10)
}
