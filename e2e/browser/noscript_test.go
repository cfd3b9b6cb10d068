package browser_test

import (
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midweb"
)

// withoutScripts has the pages' scripts not run. What the test evaluates still
// does.
func (tb *tab) withoutScripts() *tab {
	tb.t.Helper()
	command(tb, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	return tb
}

// TestSignInWithoutScripts: the page refreshes itself, and goes on as it would
// with scripts.
func TestSignInWithoutScripts(t *testing.T) {
	t.Parallel()
	site := startSite(t, nil)
	page := newTab(t).withoutScripts()
	page.startSignIn(site.url)
	require.Contains(t, ask[string](page, "document.body.innerText"), "This page looks for news every few seconds")
	require.NoError(t, site.Scan(sessionIn(t, page.scan())))
	page.until(atState("scanned"))
	require.NoError(t, site.Reject(site.newest()))
	page.until(atState("rejected"))
	assert.Zero(t, ask[int](page, `document.querySelectorAll("meta[http-equiv=refresh]").length`),
		"a page that shows how it ended is refreshed for nothing")

	page.press("[data-for=rejected] button")
	page.until(atState("waiting"))
	require.NoError(t, site.Approve(sessionIn(t, page.scan()), "user_ada_marsh"))
	assert.Equal(t, "user_ada_marsh", page.user())
}

// TestBusyWithoutScripts: a page that is braked tries again by itself, from the
// address that a program floods.
func TestBusyWithoutScripts(t *testing.T) {
	t.Parallel()
	site := startSite(t, func(c *midweb.Config) { c.Brake = midweb.Brake{} })
	site.flood(t)
	page := newTab(t).withoutScripts()
	page.excuse("429")
	page.open(site.url)
	page.press("#start")
	page.until(atState("waiting"))
	assert.True(t, page.saw("429"), "nothing was braked")
}

// TestMockWithoutScripts: the forms do, and a link to refresh.
func TestMockWithoutScripts(t *testing.T) {
	t.Parallel()
	m := startMock(t)
	board := newTab(t).withoutScripts()
	board.open(m.page)
	session, err := m.client(t).Authentication.CreateSession(bounded(t), mid.CreateAuthSessionParams{Intent: mid.IntentConsent})
	require.NoError(t, err)
	board.press(".live a") // Refresh
	board.until(shows(session.ID, "pending"))
	board.press("#" + session.ID + "-scan")
	board.until(shows(session.ID, "scanned"))
	board.press("#" + session.ID + "-reject")
	board.until(shows(session.ID, "rejected"))
}
