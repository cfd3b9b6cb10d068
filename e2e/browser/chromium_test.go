package browser_test

import (
	"context"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// shared is the Chromium that all tests use, each with profiles of its own.
var shared chromium

type chromium struct {
	once    sync.Once
	dir     string
	ctx     context.Context
	release context.CancelFunc
	err     error
}

// flags keep Chromium to itself: it reports nothing, updates nothing and, should
// a page want to, resolves no name.
var flags = map[string]any{
	"disable-background-networking":          true,
	"disable-background-timer-throttling":    true,
	"disable-backgrounding-occluded-windows": true,
	"disable-breakpad":                       true,
	"disable-component-update":               true,
	"disable-default-apps":                   true,
	"disable-dev-shm-usage":                  true, // containers have little of it
	"disable-extensions":                     true,
	"disable-gpu":                            true,
	"disable-quic":                           true,
	"disable-renderer-backgrounding":         true,
	"disable-sync":                           true,
	"force-color-profile":                    "srgb",
	"ignore-certificate-errors":              true, // those of a test's own nginx
	"host-resolver-rules":                    "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
	"no-proxy-server":                        true,
	"no-sandbox":                             true, // it can't have one as root
	"password-store":                         "basic",
}

func chromiumPath(t *testing.T) string {
	t.Helper()
	return tool(t, "chromium", "apt-get install chromium")
}

// start returns the context of the browser as a whole.
func (c *chromium) start(t *testing.T) context.Context {
	t.Helper()
	path := chromiumPath(t)
	c.once.Do(func() { c.err = c.launch(path) })
	require.NoError(t, c.err, "Chromium does not start")
	return c.ctx
}

func (c *chromium) launch(path string) error {
	var err error
	if c.dir, err = os.MkdirTemp("", "mid-e2e-chromium-"); err != nil {
		return err
	}
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path),
		chromedp.UserDataDir(c.dir),
		chromedp.Headless,
		chromedp.NoFirstRun,
		chromedp.NoDefaultBrowserCheck,
	}
	for name, value := range flags {
		options = append(options, chromedp.Flag(name, value))
	}
	allocator, free := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	c.release = func() {
		cancel()
		free()
	}
	c.ctx = ctx
	return chromedp.Do(ctx)
}

// close closes Chromium and removes its profile.
func (c *chromium) close() error {
	if c.ctx == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(c.ctx, 10*time.Second)
	defer cancel()
	err := chromedp.Cancel(ctx)
	c.release()
	if c.err != nil {
		err = nil // it never ran, as the tests have said
	}
	if rest := os.RemoveAll(c.dir); err == nil {
		err = rest
	}
	return err
}
