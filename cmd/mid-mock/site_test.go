package main

import (
	"bufio"
	"image/png"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

func (p *program) session(c *mid.Client, params mid.CreateAuthSessionParams) *mid.AuthSession {
	p.t.Helper()
	params.Intent = mid.IntentPayment
	session, err := c.Authentication.CreateSession(p.t.Context(), params)
	require.NoError(p.t, err)
	return session
}

func (p *program) verification(c *mid.Client, metadata map[string]string) *mid.Verification {
	p.t.Helper()
	upload := func(kind mid.DocumentType) string {
		doc, err := c.Identity.UploadDocument(p.t.Context(), mid.UploadIdentityDocumentParams{
			File: mid.FileFromBytes("page.png", []byte("picture")),
			Type: kind,
		})
		require.NoError(p.t, err)
		return doc.ID
	}
	v, err := c.Identity.StartVerification(p.t.Context(), mid.StartVerificationParams{
		DocumentType:    mid.DocumentPassport,
		Country:         "DE",
		DocumentFrontID: upload(mid.DocumentPassport),
		SelfieID:        upload(mid.DocumentSelfie),
		Metadata:        metadata,
	})
	require.NoError(p.t, err)
	return v
}

func (p *program) signing(c *mid.Client, document string, signers ...mid.SignerParams) *mid.SigningSession {
	p.t.Helper()
	doc, err := c.Signing.UploadDocument(p.t.Context(), mid.UploadSigningDocumentParams{
		File: mid.FileFromBytes("lease.pdf", []byte("%PDF-1.7")),
		Name: document,
	})
	require.NoError(p.t, err)
	session, err := c.Signing.CreateSession(p.t.Context(), mid.CreateSigningSessionParams{
		DocumentIDs: []string{doc.ID},
		Signers:     signers,
	})
	require.NoError(p.t, err)
	return session
}

var ada, bob = mid.SignerParams{Name: "Ada", Email: "ada@example.com"}, mid.SignerParams{Name: "Bob", Email: "bob@example.com"}

func TestVerificationsAreDecided(t *testing.T) {
	p := start(t)
	c := p.client()
	for action, want := range map[string]mid.VerificationStatus{
		"/verify": mid.VerificationVerified,
		"/reject": mid.VerificationRejected,
		"/expire": mid.VerificationExpired,
	} {
		v := p.verification(c, nil)
		assert.Contains(t, p.see("/"), "Passport, DE")
		assert.Contains(t, p.press("/phone/"+v.ID, v.ID+action), ">"+string(want)+"<")
		got, err := c.Identity.GetVerification(t.Context(), v.ID)
		require.NoError(t, err)
		assert.Equal(t, want, got.Status)
	}
}

func TestSignersSignAndDecline(t *testing.T) {
	p := start(t)
	c := p.client()
	session := p.signing(c, "Lease", ada, bob)
	link, err := url.Parse(session.Signers[0].SignURL)
	require.NoError(t, err)
	assert.Contains(t, p.see(link.Path), "Your signature, Ada")
	assert.Contains(t, p.press(link.Path, "/sign"), `<p class="pill good">signed</p>`)
	assert.Contains(t, p.press("/", "/decline"), `<p class="pill bad">declined</p>`)
	got, err := c.Signing.GetSession(t.Context(), session.ID)
	require.NoError(t, err)
	assert.Equal(t, mid.SigningDeclined, got.Status)
	assert.Equal(t, mid.SignerSigned, got.Signers[0].Status)
	assert.Equal(t, mid.SignerDeclined, got.Signers[1].Status)
}

func TestSignersMayShareAnAddress(t *testing.T) {
	p := start(t)
	c := p.client()
	session := p.signing(c, "Lease", ada, mid.SignerParams{Name: "Bob", Email: ada.Email})
	bobs := strings.TrimPrefix(session.Signers[1].SignURL, p.url)
	assert.Contains(t, p.press("/", bobs+"/sign"), `<p class="pill good">signed</p>`)
	got, err := c.Signing.GetSession(t.Context(), session.ID)
	require.NoError(t, err)
	assert.Equal(t, mid.SignerAwaiting, got.Signers[0].Status)
	assert.Equal(t, mid.SignerSigned, got.Signers[1].Status)
}

func TestWhatCanNotBeDone(t *testing.T) {
	p := start(t)
	c := p.client()
	session := p.session(c, mid.CreateAuthSessionParams{})
	assert.Contains(t, p.press("/", "/reject"), ">rejected<")
	signing := p.signing(c, "Lease", ada)
	link := strings.TrimPrefix(signing.Signers[0].SignURL, p.url)
	p.press(link, "/sign")
	for path, status := range map[string]int{
		"/phone/" + session.ID + "/approve": http.StatusConflict,
		"/phone/" + session.ID + "/expire":  http.StatusConflict,
		link + "/sign":                      http.StatusConflict,
		"/phone/" + session.ID + "/verify":  http.StatusNotFound,
		"/phone/" + signing.ID + "/approve": http.StatusNotFound,
		"/phone/sess_unknown/approve":       http.StatusNotFound,
		link + "/shred":                     http.StatusNotFound,
		"/sign/link_unknown/sign":           http.StatusNotFound,
		"/webhooks/evt_unknown/redeliver":   http.StatusNotFound,
		"/":                                 http.StatusNotFound,
	} {
		res, err := http.PostForm(p.url+path, nil)
		require.NoError(t, err)
		page := p.read(res, status)
		if status == http.StatusConflict {
			assert.Contains(t, page, "This was not possible any more", path)
		}
	}
	for _, path := range []string{"/phone/sess_unknown", "/sign/link_unknown", "/phone/" + signing.ID + "/qr.png", "/static/", "/favicon.ico"} {
		res, err := http.Get(p.url + path)
		require.NoError(t, err)
		p.read(res, http.StatusNotFound)
	}
	res, err := http.Post(p.url+"/phone/"+session.ID+"/scan", "application/x-www-form-urlencoded", strings.NewReader(strings.Repeat("x", maxForm+1)))
	require.NoError(t, err)
	p.read(res, http.StatusBadRequest)
}

func TestTheQRCodeIsAPicture(t *testing.T) {
	p := start(t)
	session := p.session(p.client(), mid.CreateAuthSessionParams{})
	res, err := http.Get(p.url + "/phone/" + session.ID + "/qr.png")
	require.NoError(t, err)
	defer res.Body.Close()
	assert.Equal(t, "image/png", res.Header.Get("Content-Type"))
	_, err = png.Decode(res.Body)
	require.NoError(t, err)
}

func TestPolicyHoldsForEveryPage(t *testing.T) {
	p := start(t)
	c := p.client()
	session := p.session(c, mid.CreateAuthSessionParams{})
	v := p.verification(c, nil)
	signing := p.signing(c, "Lease", ada)
	forbidden := regexp.MustCompile(`(?i)<style|\sstyle=|\son\w+=|<script(?: [^>]*)?>[^<]|(?:src|href)="(?:https?:)?//|javascript:`)
	for _, path := range []string{
		"/", "/phone/" + session.ID, "/phone/" + v.ID, "/phone/" + signing.ID,
		strings.TrimPrefix(signing.Signers[0].SignURL, p.url),
		"/nothing", "/static/mid-mock.css", "/static/mid-mock.js", "/static/icon.svg",
	} {
		res, err := http.Get(p.url + path)
		require.NoError(t, err)
		status := http.StatusOK
		if path == "/nothing" {
			status = http.StatusNotFound
		}
		page := p.read(res, status)
		assert.Equal(t, policy, res.Header.Get("Content-Security-Policy"), path)
		assert.Equal(t, "nosniff", res.Header.Get("X-Content-Type-Options"), path)
		if strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") {
			assert.Empty(t, forbidden.FindString(page), path)
			assert.Regexp(t, `^<!DOCTYPE html>`, page)
		}
	}
	assert.NotContains(t, policy, "unsafe")
}

func TestHostileNamesAreText(t *testing.T) {
	p := start(t)
	c := p.client()
	const attack = `</dd><script>alert("x")</script><img src=x onerror=alert(1)>'"`
	metadata := map[string]string{attack: attack}
	session := p.session(c, mid.CreateAuthSessionParams{Metadata: metadata})
	v := p.verification(c, metadata)
	signing := p.signing(c, attack, mid.SignerParams{Name: attack, Email: "ada@example.com"})
	sign := strings.TrimPrefix(signing.Signers[0].SignURL, p.url)
	approved := p.press("/phone/"+session.ID, "/approve", "user_id", attack)
	assert.Contains(t, approved, "&lt;script&gt;")
	for _, page := range []string{approved, p.see("/"), p.see("/phone/" + v.ID), p.see("/phone/" + signing.ID), p.see(sign)} {
		assert.Contains(t, page, "&lt;script&gt;")
		assert.NotContains(t, page, "<script>")
		assert.NotContains(t, page, "<img src=x")
		assert.NotContains(t, page, `'"`)
	}
}

func TestOtherSitesCanNotDecide(t *testing.T) {
	p := start(t)
	session := p.session(p.client(), mid.CreateAuthSessionParams{})
	for name, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"} {
		req, err := http.NewRequest(http.MethodPost, p.url+"/phone/"+session.ID+"/approve", nil)
		require.NoError(t, err)
		req.Header.Set(name, value)
		res, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		p.read(res, http.StatusForbidden)
	}
	assert.Contains(t, p.see("/phone/"+session.ID), ">pending<")
}

func TestReboundDomainsReachNothing(t *testing.T) {
	p := start(t)
	session := p.session(p.client(), mid.CreateAuthSessionParams{})
	for _, tc := range []struct{ method, path string }{
		{http.MethodGet, "/"}, {http.MethodGet, "/live"}, {http.MethodPost, "/phone/" + session.ID + "/approve"}, {http.MethodPost, "/v1/auth/token"},
	} {
		req, err := http.NewRequest(tc.method, p.url+tc.path, nil)
		require.NoError(t, err)
		req.Host = "evil.example:8700"
		res, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		assert.Contains(t, p.read(res, http.StatusForbidden), "-public-url")
	}
	assert.Contains(t, p.see("/phone/"+session.ID), ">pending<")
}

func TestPagesAreToldOfChanges(t *testing.T) {
	p := start(t)
	c := p.client()
	res, err := http.Get(p.url + "/live")
	require.NoError(t, err)
	defer res.Body.Close()
	assert.Equal(t, "text/event-stream", res.Header.Get("Content-Type"))
	stream := bufio.NewScanner(res.Body)
	next := func() string {
		for stream.Scan() {
			if version, ok := strings.CutPrefix(stream.Text(), "data: "); ok {
				return version
			}
		}
		return "the end"
	}
	shown := func() string {
		return regexp.MustCompile(`data-version="(\w+)"`).FindStringSubmatch(p.see("/"))[1]
	}
	first := next()
	assert.Equal(t, shown(), first)
	p.session(c, mid.CreateAuthSessionParams{})
	second := next()
	assert.NotEqual(t, first, second)
	assert.Equal(t, shown(), second)
	p.press("/", "/scan")
	assert.Equal(t, shown(), next())

	p.stop()
	assert.Equal(t, 0, p.wait())
	assert.Equal(t, "the end", next())
}
