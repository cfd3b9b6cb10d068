package e2e_test

import (
	"context"
	"net/http"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

// TestMain fails the run if a goroutine of the SDK, of the fake server or of a
// test outlives the tests.
//
// A process that a test starts of this program plays a part instead.
func TestMain(m *testing.M) {
	if part := os.Getenv(partVariable); part != "" {
		play(part)
		return
	}
	goleak.VerifyTestMain(m, foreignLeaks()...)
}

// foreignLeaks are goroutines that the tools leave behind: toxiproxy those of
// links that broke with data in them, the token store of go-oauth2 its janitor.
func foreignLeaks() []goleak.Option {
	return []goleak.Option{
		goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2.(*ToxicLink).read"),
		goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2.(*ToxicLink).write"),
		goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2/toxics.(*ToxicStub).Run"),
		goleak.IgnoreAnyFunction("github.com/tidwall/buntdb.(*DB).backgroundManager"),
	}
}

// newMID starts a fake server that the test closes. Its quota is out of the
// way: a test that wants one sets it.
func newMID(t *testing.T, opts ...midtest.Option) *midtest.Server {
	t.Helper()
	srv := midtest.NewServer(append([]midtest.Option{midtest.WithQuota(1_000_000, time.Hour)}, opts...)...)
	t.Cleanup(srv.Close)
	return srv
}

// clientAt returns a client of a server that is reached at another base URL,
// with the SDK's own transport: the one of the server's clients is made for it.
func clientAt(srv *midtest.Server, baseURL string, opts ...mid.Option) *mid.Client {
	return srv.Client(append([]mid.Option{mid.WithBaseURL(baseURL), mid.WithHTTPClient(&http.Client{})}, opts...)...)
}

// bounded is the test's context with an end: no test may hang.
func bounded(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// quickRetries keeps the tests short.
func quickRetries(retries int) mid.Option {
	return mid.WithRetry(mid.RetryPolicy{
		MaxRetries: retries,
		MinWait:    time.Millisecond,
		MaxWait:    20 * time.Millisecond,
	})
}
