package mid_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

// call is one method of the SDK that sends a request.
type call struct {
	name string
	send func(ctx context.Context, c *mid.Client, opts ...mid.RequestOption) error
}

func postCalls() []call {
	file := mid.FileFromBytes("contract.pdf", []byte("%PDF-1.7"))
	return []call{
		{"Authentication.CreateSession", func(ctx context.Context, c *mid.Client, opts ...mid.RequestOption) error {
			_, err := c.Authentication.CreateSession(ctx, mid.CreateAuthSessionParams{Intent: mid.IntentLogin}, opts...)
			return err
		}},
		{"Authentication.Verify", func(ctx context.Context, c *mid.Client, opts ...mid.RequestOption) error {
			_, err := c.Authentication.Verify(ctx, mid.VerifyAuthenticationParams{SessionID: "sess_1"}, opts...)
			return err
		}},
		{"Identity.UploadDocument", func(ctx context.Context, c *mid.Client, opts ...mid.RequestOption) error {
			_, err := c.Identity.UploadDocument(ctx, mid.UploadIdentityDocumentParams{File: file, Type: mid.DocumentSelfie}, opts...)
			return err
		}},
		{"Identity.StartVerification", func(ctx context.Context, c *mid.Client, opts ...mid.RequestOption) error {
			_, err := c.Identity.StartVerification(ctx, mid.StartVerificationParams{
				DocumentType: mid.DocumentPassport, Country: "GB", DocumentFrontID: "doc_1", SelfieID: "doc_2",
			}, opts...)
			return err
		}},
		{"Signing.UploadDocument", func(ctx context.Context, c *mid.Client, opts ...mid.RequestOption) error {
			_, err := c.Signing.UploadDocument(ctx, mid.UploadSigningDocumentParams{File: file}, opts...)
			return err
		}},
		{"Signing.CreateSession", func(ctx context.Context, c *mid.Client, opts ...mid.RequestOption) error {
			_, err := c.Signing.CreateSession(ctx, mid.CreateSigningSessionParams{
				DocumentIDs: []string{"doc_1"}, Signers: []mid.SignerParams{{Name: "Ada", Email: "ada@example.com"}},
			}, opts...)
			return err
		}},
		{"Call POST", func(ctx context.Context, c *mid.Client, opts ...mid.RequestOption) error {
			return c.Call(ctx, "POST", "/later", map[string]int{"a": 1}, nil, opts...)
		}},
		{"Call POST without a body", func(ctx context.Context, c *mid.Client, opts ...mid.RequestOption) error {
			return c.Call(ctx, "POST", "/later", nil, nil, opts...)
		}},
	}
}

// flaky answers the first sends of every call with one failure of each kind.
func flaky() func(*http.Request) (*http.Response, error) {
	return answers(
		status(503, ""),
		failed(http.ErrServerClosed),
		status(401, problem("unauthorized", "The token has expired.", "")),
		status(200, ok(`{"id":"x","session_id":"x","status":"pending"}`)),
	)
}

func TestEveryPOSTCarriesOneIdempotencyKey(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, call := range postCalls() {
		synctest.Test(t, func(t *testing.T) {
			a := &api{handle: flaky()}
			require.NoError(t, call.send(t.Context(), a.client(t)), call.name)
			require.Len(t, a.sent(), 4, call.name)
			key := a.sent()[0].Header.Get("Idempotency-Key")
			require.GreaterOrEqual(t, len(key), 20, call.name)
			for _, s := range a.sent() {
				require.Equal(t, []string{key}, s.Header["Idempotency-Key"], call.name)
				require.Equal(t, a.sent()[0].Body, s.Body, call.name)
			}
			require.Empty(t, seen[key], "the key is another call's")
			seen[key] = call.name
		})
	}
}

func TestIdempotencyKeyOfTheCaller(t *testing.T) {
	t.Parallel()
	for _, call := range postCalls() {
		synctest.Test(t, func(t *testing.T) {
			a := &api{handle: flaky()}
			require.NoError(t, call.send(t.Context(), a.client(t), mid.WithIdempotencyKey("order-1"), mid.WithIdempotencyKey("order-2")), call.name)
			for _, s := range a.sent() {
				require.Equal(t, []string{"order-2"}, s.Header["Idempotency-Key"], call.name)
			}
		})
	}
}

func TestGETsAndTokenRequestsCarryNoIdempotencyKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := &api{handle: flaky()}
		tokens := 0
		c := a.client(t, mid.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
			return tripper(func(r *http.Request) (*http.Response, error) {
				if strings.HasSuffix(r.URL.Path, "/auth/token") {
					tokens++
				}
				require.NotContains(t, r.Header, "Idempotency-Key", r.URL.Path)
				return next.RoundTrip(r)
			})
		}))
		for _, get := range getters(c, t) {
			require.NoError(t, get("x"))
		}
		require.NoError(t, c.Call(t.Context(), "GET", "/later", nil, nil))
		require.NoError(t, c.Call(t.Context(), "DELETE", "/later", nil, nil))
		require.Equal(t, 2, tokens)
	})
}

func TestIdempotencyKeyIsVisibleASCII(t *testing.T) {
	t.Parallel()
	a := &api{handle: answers(status(200, ok("{}")))}
	c := a.client(t)
	for _, key := range []string{"", " ", "a b", "a\n", "\x7f", "schlüssel", "a\r\nX-Evil: 1", strings.Repeat("k", 256), "\xff"} {
		err := c.Call(t.Context(), "POST", "/x", nil, nil, mid.WithIdempotencyKey(key))
		require.EqualError(t, err, "mid: WithIdempotencyKey needs 1 to 255 visible ASCII characters")
	}
	require.Empty(t, a.sent())
	for _, key := range []string{"k", "!~\"'{}", strings.Repeat("k", 255)} {
		require.NoError(t, c.Call(t.Context(), "POST", "/x", nil, nil, mid.WithIdempotencyKey(key)))
		require.Equal(t, key, last(a.sent()).Header.Get("Idempotency-Key"))
	}
}
