package browser_test

import (
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// look is how a person has the browser set up.
type look struct {
	scheme string
	width  int64
}

var looks = []look{{"light", 360}, {"dark", 360}, {"light", 1280}, {"dark", 1280}}

// use sets the browser up. Nothing moves, so that no colour is between two.
func (tb *tab) use(l look) {
	tb.t.Helper()
	command(tb, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: l.scheme},
		{Name: "prefers-reduced-motion", Value: "reduce"},
	}})
	command(tb, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: l.width, Height: 800, DeviceScaleFactor: 1, Mobile: l.width < 600, // and touched
	})
	command(tb, emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{Enabled: l.width < 600})
	tb.until(fmt.Sprintf(`innerWidth === %d && matchMedia("(prefers-color-scheme: %s)").matches`, l.width, l.scheme))
}

// speaks has the browser ask for a language.
func (tb *tab) speaks(language string) {
	tb.t.Helper()
	command(tb, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{
		Headers: network.Headers{"Accept-Language": language},
	})
}

// inspect checks the page as it is, in every look.
func (tb *tab) inspect(name string) {
	tb.t.Helper()
	tb.inspectIn(name, "en")
}

// inspectIn checks a page that is in the given language.
func (tb *tab) inspectIn(name, language string) {
	tb.t.Helper()
	for _, l := range looks {
		tb.use(l)
		at := fmt.Sprintf("%s-%s-%d", name, l.scheme, l.width)
		for _, v := range tb.violations() {
			assert.Fail(tb.t, "the page is not accessible", "%s: %s", at, v)
		}
		assert.LessOrEqual(tb.t, ask[int64](tb, "document.documentElement.scrollWidth"), l.width, "%s is cut off at the side", at)
		tb.picture(at)
	}
	assert.Equal(tb.t, language, ask[string](tb, "document.documentElement.lang"))
}

// picture leaves a screenshot, if somebody asked for it.
func (tb *tab) picture(name string) {
	tb.t.Helper()
	dir := os.Getenv("MID_E2E_SCREENSHOTS")
	if dir == "" {
		return
	}
	require.NoError(tb.t, os.MkdirAll(dir, 0o755))
	file, err := os.Create(filepath.Join(dir, name+".png"))
	require.NoError(tb.t, err)
	defer file.Close()
	require.NoError(tb.t, png.Encode(file, tb.screenshot()))
}

// TestInspection shows the checker a page that people can't read: the other
// tests are worth nothing if it sees less.
func TestInspection(t *testing.T) {
	withAxe(t)
	tb := newTab(t)
	tb.excuse("issue: GenericIssue") // of the field without a name
	tb.open("data:text/html,<!doctype html><html><title>Bad</title><h1>Bad</h1><p style='color:silver;background:white'>Pale<p><input>")
	found := fmt.Sprint(tb.violations())
	for _, want := range []string{"color-contrast", "html-has-lang", "label"} {
		assert.Contains(t, found, want)
	}
}
