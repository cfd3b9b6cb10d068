package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

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
