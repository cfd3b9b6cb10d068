package mid_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/mobid-io/mid-go"
)

// issuer is a token endpoint that knows one secret, which may change.
type issuer struct {
	api
	secret atomic.Pointer[string]
	asked  []string // the secrets of the token requests
}

func newIssuer(secret string) *issuer {
	s := &issuer{}
	s.secret.Store(&secret)
	s.handle = session
	return s
}

func (s *issuer) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.URL.Path, "/auth/token") {
		return s.api.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	var sent struct {
		ClientID     string `json:"client_id"`
		ClientSecret string `json:"client_secret"`
	}
	if err := json.Unmarshal(body, &sent); err != nil {
		return nil, err
	}
	s.asked = append(s.asked, sent.ClientSecret)
	good := sent.ClientID == testID && sent.ClientSecret == *s.secret.Load()
	s.token = func(n int) (*http.Response, error) {
		if !good {
			return answer(401, problem("invalid_client", "not known: "+sent.ClientSecret, "")), nil
		}
		return tokenAnswer(n, time.Hour), nil
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return s.api.RoundTrip(r)
}

// rotating makes a client whose secret is asked for.
func (s *issuer) rotating(t *testing.T, ask func(context.Context) (string, error), opts ...mid.Option) *mid.Client {
	t.Helper()
	c, err := mid.NewClient("", "", append([]mid.Option{
		mid.WithHTTPClient(&http.Client{Transport: s}),
		mid.WithCredentialsFunc(func(ctx context.Context) (string, string, error) {
			secret, err := ask(ctx)
			return testID, secret, err
		}),
	}, opts...)...)
	require.NoError(t, err)
	return c
}

// The credentials are asked for at each token request, and after they were
// refused once more; the request is repeated only if they have changed.
func TestCredentialsAreAskedForAtEachTokenRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, asked, current := newIssuer("secret-one"), 0, "secret-one"
		c := s.rotating(t, func(context.Context) (string, error) { asked++; return current, nil })
		for range 3 {
			require.NoError(t, look(t.Context(), c))
		}
		require.Equal(t, 1, asked)

		next := "secret-two"
		s.secret.Store(&next)
		current = next
		time.Sleep(2 * time.Hour) // the token expires
		require.NoError(t, look(t.Context(), c))
		require.Equal(t, 2, asked)
		require.Equal(t, []string{"secret-one", "secret-two"}, s.asked)
	})
}

func TestCredentialsThatAreReplacedInBetween(t *testing.T) {
	s, asked := newIssuer("secret-two"), 0
	c := s.rotating(t, func(context.Context) (string, error) {
		asked++
		return []string{"secret-one", "secret-two"}[min(asked, 2)-1], nil
	})
	require.NoError(t, look(t.Context(), c))
	require.Equal(t, []string{"secret-one", "secret-two"}, s.asked)

	s = newIssuer("secret-three")
	asked = 0
	c = s.rotating(t, func(context.Context) (string, error) { asked++; return "secret-one", nil })
	err := look(t.Context(), c)
	require.ErrorIs(t, err, mid.ErrInvalidClient)
	require.Equal(t, 2, asked)
	require.Equal(t, []string{"secret-one"}, s.asked, "they have not changed")
	require.ErrorContains(t, err, "not known: [REDACTED]")
}

// The secret that is in force is kept out of errors, the latest one too.
func TestTheCurrentSecretIsScrubbed(t *testing.T) {
	s, asked := newIssuer("secret-of-the-server"), 0
	c := s.rotating(t, func(context.Context) (string, error) { asked++; return fmt.Sprint("secret-number-", asked), nil })
	for range 3 {
		err := look(t.Context(), c)
		require.ErrorIs(t, err, mid.ErrInvalidClient)
		require.NotContains(t, everything(err), "secret-number")
	}
	require.Len(t, s.asked, 6)

	good := newIssuer("secret-of-the-server")
	c = good.rotating(t, func(context.Context) (string, error) { return "secret-of-the-server", nil })
	require.NoError(t, look(t.Context(), c))
	good.handle = answers(status(400, problem("invalid_request", "echo: secret-of-the-server", "")))
	require.NotContains(t, everything(look(t.Context(), c)), "secret-of-the-server")
}

// What must not be sent is refused with words, and nothing leaves.
func TestCredentialsThatMustNotBeSent(t *testing.T) {
	for secret, want := range map[string]string{
		"":              "mid: WithCredentialsFunc returned a client secret that is empty",
		"hush\n":        "mid: WithCredentialsFunc returned a client secret that begins or ends with white space",
		`"hush"`:        "mid: WithCredentialsFunc returned a client secret that is in quotes",
		"\uFEFFhush":    "mid: WithCredentialsFunc returned a client secret that begins with a byte order mark",
		"\xff\xfehush!": "mid: WithCredentialsFunc returned a client secret that is not valid UTF-8",
	} {
		s := newIssuer("hush")
		c := s.rotating(t, func(context.Context) (string, error) { return secret, nil })
		err := look(t.Context(), c)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "hush")
		requireInvalid(t, err)
		_, err = c.Authentication.WaitForSession(t.Context(), "sess_1", mid.PollOptions{})
		requireInvalid(t, err)
		require.Empty(t, s.asked)
	}
}

// An error of the function names it and is retried; a panic reaches no other
// goroutine.
func TestCredentialsThatAreNotToBeHad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone, asked := errors.New("the vault is sealed"), 0
		s := newIssuer("hush")
		c := s.rotating(t, func(context.Context) (string, error) {
			if asked++; asked < 3 {
				return "", gone
			}
			return "hush", nil
		})
		err := look(t.Context(), c, mid.WithoutRetry())
		require.ErrorIs(t, err, gone)
		require.ErrorContains(t, err, "WithCredentialsFunc: the vault is sealed")
		require.NoError(t, look(t.Context(), c))
		require.Equal(t, 3, asked)

		c = s.rotating(t, func(context.Context) (string, error) { panic("hush") })
		err = look(t.Context(), c)
		require.ErrorContains(t, err, "panicked")
		require.NotContains(t, err.Error(), "hush")
	})
}

// Without a secret of NewClient's the webhooks need their own: an empty one
// verifies nothing.
func TestWebhooksOfAClientWhoseSecretRotates(t *testing.T) {
	ask := func(context.Context) (string, error) { return "hush", nil }
	payload := []byte(`{}`)
	c := newIssuer("hush").rotating(t, ask)
	require.NoError(t, look(t.Context(), c))
	for _, secret := range []string{"hush", "anything"} {
		other, err := mid.NewWebhookService(mid.WebhookConfig{Secrets: []string{secret}})
		require.NoError(t, err)
		require.ErrorIs(t, c.Webhooks.Verify(payload, other.Sign(payload)), mid.ErrInvalidSignature)
	}
	own := newIssuer("hush").rotating(t, ask, mid.WithWebhooks(mid.WebhookConfig{Secrets: []string{"of-the-webhooks"}}))
	require.NoError(t, own.Webhooks.Verify(payload, own.Webhooks.Sign(payload)))
	_, err := mid.NewClient("", "", mid.WithCredentialsFunc(func(context.Context) (string, string, error) { return "", "", nil }),
		mid.WithWebhooks(mid.WebhookConfig{Secrets: []string{""}}))
	requireInvalid(t, err)
}

func TestOneOptionForTheCredentials(t *testing.T) {
	ask := mid.WithCredentialsFunc(func(context.Context) (string, string, error) { return "", "", nil })
	src := mid.WithTokenSource(source(func(context.Context) (*oauth2.Token, error) { return nil, nil }))
	for _, opts := range [][]mid.Option{{ask, src}, {src, ask}} {
		_, err := mid.NewClient(testID, testSecret, opts...)
		require.EqualError(t, err, "mid: WithCredentialsFunc and WithTokenSource exclude each other")
		requireInvalid(t, err)
	}
	_, err := mid.NewClient(testID, testSecret, mid.WithCredentialsFunc(nil))
	require.Equal(t, "WithCredentialsFunc", requireInvalid(t, err).Field)
	_, err = mid.NewClient("", "")
	requireInvalid(t, err)
}

// What a file or an environment variable adds to a credential is refused.
func TestCredentialsWithWhatDoesNotBelongToThem(t *testing.T) {
	for value, want := range map[string]string{
		`"quoted"`: "is in quotes", "'quoted'": "is in quotes", "“quoted”": "is in quotes", "`quoted`": "is in quotes",
		"\uFEFFmarked": "byte order mark", "\t\uFEFFmarked": "byte order mark", "broken\n": "line break", "": "is empty",
	} {
		_, err := mid.NewClient(value, testSecret)
		require.ErrorContains(t, err, "mid: clientID ")
		require.ErrorContains(t, err, want)
		_, err = mid.NewClient(testID, value)
		require.ErrorContains(t, err, "mid: clientSecret ")
		require.ErrorContains(t, err, want)
		if value != "" {
			require.NotContains(t, err.Error(), strings.TrimSpace(value))
		}
		_, err = mid.NewWebhookService(mid.WebhookConfig{Secrets: []string{value}})
		require.ErrorContains(t, err, want)
	}
	for _, value := range []string{`"`, `a"b`, `"half`, "it's", `''a`} {
		_, err := mid.NewClient(testID, value)
		require.NoError(t, err, value)
	}
}
