package main

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

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
