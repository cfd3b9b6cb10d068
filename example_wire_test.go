package mid_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"

	"golang.org/x/oauth2"

	"github.com/mobid-io/mid-go"
)

// An account may have an API key in place of client credentials. The key then
// takes the token's place, in "Authorization: Bearer". It has no expiry, so it is
// good until the server refuses it, and it is taken out of errors and logs like
// any token. Webhooks need a secret of their own.
func ExampleWithTokenSource_apiKey() {
	server := keyServer("Authorization", "Bearer mk_test_4711")
	defer server.Close()

	key := &oauth2.Token{AccessToken: "mk_test_4711"} // from the vault
	client, err := mid.NewClient("", "",
		mid.WithTokenSource(mid.OAuth2TokenSource(oauth2.StaticTokenSource(key))),
		mid.WithWebhooks(mid.WebhookConfig{Secrets: []string{"the account's webhook secret"}}),
		mid.WithBaseURL(server.URL),
	)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(health(client))
	// Output: up
}

// A key that goes into the header X-Mobid-Key is a token as well. Middleware moves
// it there, so that the SDK still knows it, and takes it out of errors and logs.
func ExampleWithMiddleware_apiKey() {
	server := keyServer("X-Mobid-Key", "qk_test_4711")
	defer server.Close()

	key := &oauth2.Token{AccessToken: "qk_test_4711"} // from the vault
	move := func(next http.RoundTripper) http.RoundTripper {
		return roundTripperFunc(func(r *http.Request) (*http.Response, error) {
			r = r.Clone(r.Context()) // a request belongs to its sender
			r.Header.Set("X-Mobid-Key", strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
			r.Header.Del("Authorization")
			return next.RoundTrip(r)
		})
	}
	client, err := mid.NewClient("", "",
		mid.WithTokenSource(mid.OAuth2TokenSource(oauth2.StaticTokenSource(key))),
		mid.WithMiddleware(move),
		mid.WithBaseURL(server.URL),
	)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(health(client))
	// Output: up
}

// health is a call to an endpoint that the SDK has no method for.
func health(client *mid.Client) string {
	var health struct {
		Status string `json:"status"`
	}
	if err := client.Call(context.Background(), http.MethodGet, "/health", nil, &health); err != nil {
		log.Fatal(err)
	}
	return health.Status
}

// The signed document is answered as a PDF file, not as JSON. Middleware makes it
// the data of an envelope, in base64, which is how package json spells a []byte.
// So the download has the token, the retries and the errors of any call.
func ExampleClient_Call_certificate() {
	server := keyServer("Authorization", "Bearer mk_test_4711")
	defer server.Close()

	envelop := func(next http.RoundTripper) http.RoundTripper {
		return roundTripperFunc(func(r *http.Request) (*http.Response, error) {
			response, err := next.RoundTrip(r)
			if err != nil || response.Header.Get("Content-Type") != "application/pdf" {
				return response, err
			}
			defer func() { _ = response.Body.Close() }()
			file, err := io.ReadAll(http.MaxBytesReader(nil, response.Body, 7<<20)) // the SDK takes 10 MiB of base64
			if err != nil {
				return nil, err
			}
			body, err := json.Marshal(map[string]any{"success": true, "data": file})
			if err != nil {
				return nil, err
			}
			response.Body, response.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
			return response, nil
		})
	}
	key := &oauth2.Token{AccessToken: "mk_test_4711"}
	client, err := mid.NewClient("", "",
		mid.WithTokenSource(mid.OAuth2TokenSource(oauth2.StaticTokenSource(key))),
		mid.WithMiddleware(envelop),
		mid.WithBaseURL(server.URL),
	)
	if err != nil {
		log.Fatal(err)
	}
	var file []byte
	path := "/signature/documents/" + url.PathEscape("sig_abc123") + "/certificate"
	if err := client.Call(context.Background(), http.MethodGet, path, nil, &file); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", file[:8])
	// Output: %PDF-1.7
}

// keyServer answers as the vendor's other pages say, to requests with the key.
func keyServer(header, key string) *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch {
		case r.Header.Get(header) != key || (r.Header.Get("Authorization") != "") != (header == "Authorization"):
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"code": 401, "error": true, "message": "the key is of no account"}`)
		case r.URL.Path == "/health":
			_, _ = io.WriteString(w, `{"code": 200, "error": false, "message": "OK", "data": {"status": "up"}}`)
		case r.URL.Path == "/signature/documents/sig_abc123/certificate":
			w.Header().Set("Content-Type", "application/pdf")
			_, _ = io.WriteString(w, "%PDF-1.7 …")
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
}
