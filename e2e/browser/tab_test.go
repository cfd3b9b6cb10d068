package browser_test

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"testing"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// tab is one person's browser, showing one page: its cookies are its own.
type tab struct {
	t *testing.T
	*witness
	ctx context.Context
}

// newTab opens a browser. Whatever its pages do that no page may do fails the
// test when it ends.
func newTab(t *testing.T) *tab {
	t.Helper()
	return openTab(shared.start(t), t, chromedp.WithNewBrowserContext())
}

// another opens another tab of the same browser.
func (tb *tab) another() *tab {
	tb.t.Helper()
	return openTab(tb.ctx, tb.t)
}

func openTab(parent context.Context, t *testing.T, options ...chromedp.ContextOption) *tab {
	t.Helper()
	tb := &tab{t: t, witness: &witness{}}
	ctx, cancel := chromedp.NewContext(parent, append(options, chromedp.WithListener(tb.see))...)
	tb.ctx = ctx
	t.Cleanup(func() {
		if t.Failed() {
			tb.describe()
		}
		assert.Empty(t, tb.report(), "what no page may do")
		cancel()
	})
	require.NoError(t, chromedp.Do(ctx))
	// A page on a hidden screen would stop updating itself.
	command(tb, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	command(tb, audits.Enable, cdp.Empty{})
	return tb
}

// command sends the tab a command of the DevTools protocol.
func command[P, R any](tb *tab, cmd cdp.Command[P, R], params P) R {
	tb.t.Helper()
	ctx, cancel := context.WithTimeout(tb.ctx, patience)
	defer cancel()
	result, err := chromedp.Call(ctx, cmd, params)
	require.NoError(tb.t, err)
	return result
}

// do takes steps, each of which waits for what it needs.
func (tb *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	tb.t.Helper()
	ctx, cancel := context.WithTimeout(tb.ctx, patience)
	defer cancel()
	require.NoError(tb.t, chromedp.Do(ctx, steps...))
}

func (tb *tab) open(url string) *tab {
	tb.t.Helper()
	tb.do(chromedp.Navigate(url))
	return tb
}

// press clicks on an element, where the mouse would, once it is to be seen.
func (tb *tab) press(selector string) {
	tb.t.Helper()
	tb.do(chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
}

// fill types into a field.
func (tb *tab) fill(selector, text string) {
	tb.t.Helper()
	tb.do(chromedp.SendKeys(chromedp.CSS(selector), text, chromedp.NodeVisible))
}

// hit presses a key where the focus is.
func (tb *tab) hit(key string) {
	tb.t.Helper()
	tb.do(chromedp.KeyEvent(key))
}

// until waits for an expression to be true, be it on a page that is still to
// come.
func (tb *tab) until(expression string) {
	tb.t.Helper()
	ctx, cancel := context.WithTimeout(tb.ctx, patience)
	defer cancel()
	for {
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("Boolean("+expression+")"))
		if err == nil && ok {
			return
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			require.FailNow(tb.t, "the page does not get there", "%s: %v", expression, err)
		}
	}
}

// ask returns the value of an expression.
func ask[T any](tb *tab, expression string) T {
	tb.t.Helper()
	ctx, cancel := context.WithTimeout(tb.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	require.NoError(tb.t, err, expression)
	return value
}

// mark writes on the page what is gone after it was loaded again.
func (tb *tab) mark() { tb.t.Helper(); ask[bool](tb, "window.marked = true") }

// marked reports whether the page is the one that mark wrote on.
func (tb *tab) marked() bool { tb.t.Helper(); return ask[bool](tb, "window.marked === true") }

func (tb *tab) path() string { tb.t.Helper(); return ask[string](tb, "location.pathname") }

// screenshot is what a person sees.
func (tb *tab) screenshot() image.Image {
	tb.t.Helper()
	ctx, cancel := context.WithTimeout(tb.ctx, patience)
	defer cancel()
	data, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	require.NoError(tb.t, err)
	img, err := png.Decode(bytes.NewReader(data))
	require.NoError(tb.t, err)
	return img
}

// cookie returns the cookie of a page's site, or nil.
func (tb *tab) cookie(url, name string) *network.Cookie {
	tb.t.Helper()
	for _, c := range command(tb, network.GetCookies, network.GetCookiesParams{URLs: []string{url}}).Cookies {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// steal gives the tab a cookie of another browser.
func (tb *tab) steal(url string, c *network.Cookie) {
	tb.t.Helper()
	require.NotNil(tb.t, c)
	command(tb, network.SetCookie, network.SetCookieParams{Name: c.Name, Value: c.Value, URL: url})
}

// describe logs what a failed test was looking at.
func (tb *tab) describe() {
	ctx, cancel := context.WithTimeout(tb.ctx, 5*time.Second)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string]("location.href + '\\n' + document.body.innerText"))
	tb.t.Logf("a page was: %s %v", text, err)
}
