package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

// exposed is the warning if mid-mock listens on more than loopback.
const exposed = `mid-mock: warning: %s is not a loopback address. Anyone who reaches it can use the API
mid-mock: warning: and decide every session, over plain HTTP. From other machines the Go SDK takes
mid-mock: warning: only https: put a proxy with TLS in front for it.
`

// reachable is the warning if other machines reach mid-mock.
const reachable = `mid-mock: warning: Events go to any callback_url that a client names, from this machine: also to
mid-mock: warning: hosts that only this machine reaches.
`

func banner(srv *midtest.Server) string {
	return fmt.Sprintf(`mid-mock %s: a fake MID server. Nothing here reaches MID or a real phone.

  Base URL        %s
  Client id       %s
  Client secret   %s
  Webhook secret  %s

Point the SDK at it, with mid.NewClientFromEnv in your program:

%s
Play the phone, the verifier and the signers:

  %s/

Ctrl-C stops it.
`, mid.Version, srv.URL, srv.ClientID, srv.ClientSecret, srv.WebhookSecret,
		indent(environment(srv)), origin(srv))
}

// environment is what to paste into a shell.
func environment(srv *midtest.Server) string {
	return "export MID_BASE_URL=" + quote(srv.URL) +
		"\nexport MID_CLIENT_ID=" + quote(srv.ClientID) +
		"\nexport MID_CLIENT_SECRET=" + quote(srv.ClientSecret) +
		"\nexport MID_WEBHOOK_SECRET=" + quote(srv.WebhookSecret) + "\n"
}

// quote keeps shells from reading an IPv6 address as a pattern. No value has a
// quote in it.
func quote(value string) string {
	if strings.ContainsAny(value, "[]%") {
		return "'" + value + "'"
	}
	return value
}

func indent(lines string) string {
	var b strings.Builder
	for line := range strings.Lines(lines) {
		b.WriteString("  " + line)
	}
	return b.String()
}

func origin(srv *midtest.Server) string { return strings.TrimSuffix(srv.URL, "/v1") }

// say writes to the terminal. If that fails, there is no other place for it.
func say(w io.Writer, text string) { _, _ = io.WriteString(w, text) }
