package main

import (
	"flag"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

func TestBadFlags(t *testing.T) {
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"-addr", "localhost"}, "give a host and a port"},
		{[]string{"-addr", "localhost:"}, "give a host and a port"},
		{[]string{"-addr", ":99999"}, "invalid port"},
		{[]string{"-plan", "gold"}, "give sandbox, standard, starter or professional"},
		{[]string{"-latency", "300"}, "with its unit"},
		{[]string{"-latency", "-1s"}, "give 0s or more"},
		{[]string{"-error-rate", "10%"}, "from 0 to 1"},
		{[]string{"-error-rate", "1.1"}, "from 0 to 1"},
		{[]string{"-error-rate", "NaN"}, "from 0 to 1"},
		{[]string{"-auto-complete", "soon"}, "with its unit"},
		{[]string{"-token-lifetime", "10ms"}, "give 1s or more"},
		{[]string{"-public-url", "mock.example"}, "give a scheme and a host"},
		{[]string{"-public-url", "ftp://mock.example"}, "give a scheme and a host"},
		{[]string{"-public-url", "https://mock.example/v1"}, "give a scheme and a host"},
		{[]string{"-public-url", "https://ada@mock.example"}, "give a scheme and a host"},
		{[]string{"-port", "80"}, "not defined: -port"},
		{[]string{"serve"}, `unexpected argument "serve"`},
	} {
		var stdout, stderr output
		assert.Equal(t, 2, run(t.Context(), tc.args, &stdout, &stderr), tc.args)
		assert.Contains(t, stderr.String(), tc.want)
		assert.True(t, strings.HasPrefix(stderr.String(), "mid-mock: "), stderr.String())
		assert.True(t, strings.HasSuffix(stderr.String(), "\nRun mid-mock -h for help.\n"), stderr.String())
		assert.Empty(t, stdout.String())
	}
}

func TestHelpTellsEveryFlag(t *testing.T) {
	var stdout, stderr output
	assert.Equal(t, 0, run(t.Context(), []string{"-h"}, &stdout, &stderr))
	new(config).flags().VisitAll(func(f *flag.Flag) {
		assert.Contains(t, stdout.String(), "\n  -"+f.Name)
	})
	assert.Empty(t, stderr.String())
}

func TestVersion(t *testing.T) {
	var stdout, stderr output
	assert.Equal(t, 0, run(t.Context(), []string{"-version"}, &stdout, &stderr))
	assert.Equal(t, "mid-mock "+mid.Version+"\n", stdout.String())
}

func TestPlans(t *testing.T) {
	for plan, limit := range map[string]string{"sandbox": "60", "standard": "100", "starter": "300", "professional": "1000"} {
		p := start(t, "-plan", plan)
		res, err := http.Get(p.url + "/v1/nothing")
		require.NoError(t, err)
		p.read(res, http.StatusNotFound)
		assert.Equal(t, limit, res.Header.Get("X-RateLimit-Limit"), plan)
	}
}

func TestABadDay(t *testing.T) {
	p := start(t, "-error-rate", "1", "-latency", "30ms")
	begin := time.Now()
	res, err := http.Get(p.url + "/v1/nothing")
	require.NoError(t, err)
	assert.Contains(t, p.read(res, http.StatusServiceUnavailable), "service_unavailable")
	assert.GreaterOrEqual(t, time.Since(begin), 30*time.Millisecond)
	p.see("/") // the page has no bad days

	p = start(t, "-latency", "30ms")
	begin = time.Now()
	res, err = http.Get(p.url + "/v1/nothing")
	require.NoError(t, err)
	p.read(res, http.StatusNotFound)
	assert.GreaterOrEqual(t, time.Since(begin), 30*time.Millisecond)
}

func TestAutoCompleteAndTokenLifetime(t *testing.T) {
	p := start(t, "-auto-complete", "0s", "-token-lifetime", "7s")
	client := p.client()
	session, err := client.Authentication.CreateSession(t.Context(), mid.CreateAuthSessionParams{Intent: mid.IntentLogin})
	require.NoError(t, err)
	session, err = client.Authentication.WaitForSession(t.Context(), session.ID, mid.PollOptions{MinInterval: time.Millisecond})
	require.NoError(t, err)
	assert.Equal(t, mid.AuthApproved, session.Status)

	res, err := http.Post(p.url+"/v1/auth/token", "application/json", strings.NewReader(
		`{"client_id":"midtest-client","client_secret":"midtest-client-secret","grant_type":"client_credentials"}`))
	require.NoError(t, err)
	assert.Contains(t, p.read(res, http.StatusOK), `"expires_in":7`)
}
