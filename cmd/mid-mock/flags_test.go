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
		{[]string{"-quota", "60"}, "give a number of requests and a duration"},
		{[]string{"-quota", "60/60"}, "give a number of requests and a duration"},
		{[]string{"-quota", "-1/1m"}, "give a number of requests and a duration"},
		{[]string{"-quota", "60/0s"}, "give a number of requests and a duration"},
		{[]string{"-names", "kebab"}, "give snake or camel"},
		{[]string{"-envelope", "plain"}, "give success or code"},
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

func TestPlansAndQuotas(t *testing.T) {
	for _, tc := range []struct {
		args             string
		limit, remaining string
	}{
		{"-plan sandbox", "120", "119"},
		{"-plan standard", "100", "99"},
		{"-plan starter", "600", "599"},
		{"-plan professional", "2000", "1999"},
		{"-quota 60/1h", "60", "59"},
		{"-quota 0/1m", "0", "0"},
	} {
		p := start(t, strings.Fields(tc.args)...)
		res, err := http.Get(p.url + "/v1/nothing")
		require.NoError(t, err)
		res.Body.Close()
		assert.Equal(t, tc.limit, res.Header.Get("X-RateLimit-Limit"), tc.args)
		assert.Equal(t, tc.remaining, res.Header.Get("X-RateLimit-Remaining"), tc.args)
	}
}

func TestNamesAndEnvelope(t *testing.T) {
	for _, tc := range []struct {
		args    string
		pattern string
	}{
		{"", `^\{"success":false,"error":\{"code":"unauthorized",.*"meta":\{"request_id":`},
		{"-names snake -envelope success", `"request_id":`},
		{"-names camel", `^\{"error":\{"code":"unauthorized",.*"meta":\{"requestId":`},
		{"-envelope code", `^\{"error":true,"code":"unauthorized","message":`},
		{"-names camel -envelope code", `^\{"code":"unauthorized","error":true,"message":`},
	} {
		p := start(t, strings.Fields(tc.args)...)
		res, err := http.Get(p.url + "/v1/auth/sessions/sess_1")
		require.NoError(t, err)
		assert.Regexp(t, tc.pattern, p.read(res, http.StatusUnauthorized), tc.args)
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
