package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/mobid-io/mid-go/midtest"
)

// alone makes the environment that of nobody's MID account.
func alone(t *testing.T) {
	for _, name := range []string{"MID_CLIENT_ID", "MID_CLIENT_SECRET", "MID_BASE_URL", "MID_WEBHOOK_SECRET", "WEBLOGIN_CALLBACK_URL", "WEBLOGIN_COOKIE_KEY"} {
		t.Setenv(name, "")
	}
}

// running starts the program and returns what it printed, and what stops it.
func running(t *testing.T, args ...string) (printed string, stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	reader, writer := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, args, writer)
		writer.Close()
		ended <- err
	}()
	buffer := make([]byte, 4096)
	n, err := reader.Read(buffer)
	if err != nil {
		t.Fatalf("it printed nothing: %v; %v", err, <-ended)
	}
	return string(buffer[:n]), func() error {
		cancel()
		select {
		case err := <-ended:
			return err
		case <-time.After(patience):
			t.Fatal("it does not stop")
			return nil
		}
	}
}

func printedAfter(t *testing.T, printed, label string) string {
	t.Helper()
	m := regexp.MustCompile(label + `:\s+(\S+)`).FindStringSubmatch(printed)
	if m == nil {
		t.Fatalf("no %q in what it printed:\n%s", label, printed)
	}
	return m[1]
}

// press presses a button of the demonstration's phone.
func press(t *testing.T, phone string, form url.Values) screen {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, phone, strings.NewReader(form.Encode()))
	must(t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := http.DefaultClient.Do(r)
	must(t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	must(t, err)
	return screen{answer.StatusCode, answer.Request.URL.Path, answer.Header, string(body)}
}

func TestDemonstration(t *testing.T) {
	alone(t)
	printed, stop := running(t, "-addr", "127.0.0.1:0")
	site, phone := printedAfter(t, printed, "Sign-in page"), printedAfter(t, printed, "Demo phone")
	v := visit(t, strings.TrimSuffix(site, "/"), http.DefaultClient)
	session := v.start()
	events := v.listen()
	events.want(waiting)

	handset := visit(t, strings.TrimSuffix(phone, phonePath), http.DefaultClient)
	if p := handset.do(http.MethodGet, phonePath); p.match(`(session=`+session+`)`) == "" {
		t.Errorf("the phone does not list the code:\n%s", p.body)
	}
	p := handset.do(http.MethodGet, phonePath+"?session="+url.QueryEscape("mid://auth?session="+session))
	p.find(t, `(id="scan")`)
	p = press(t, phone, url.Values{"session": {session}, "action": {"scan"}})
	p.find(t, `(id="approve")`)
	events.want(scanned)
	p = press(t, phone, url.Values{"session": {session}, "action": {"approve"}, "user": {"user_noor_haddad"}})
	p.find(t, `data-status="(approved)"`)
	events.want(approved)
	if got := v.do(http.MethodGet, "/signin").user(); got != "user_noor_haddad" {
		t.Errorf("the user is %q", got)
	}

	session = v.start()
	p = press(t, phone, url.Values{"session": {session}, "action": {"reject"}})
	p.find(t, `data-status="(rejected)"`)
	p = press(t, phone, url.Values{"session": {session}, "action": {"approve"}}) // too late
	p.find(t, `data-status="(rejected)"`)
	handset.do(http.MethodGet, phonePath+"?session=sess_unknown").find(t, `(That code is of no session)`)

	v.start()
	v.listen().want(waiting) // an open stream must not hold it up
	must(t, stop())
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for _, left := range []string{"(*flows)", "(*app)", "midtest.(*Server)"} {
		if bytes.Contains(stacks, []byte(left)) {
			t.Errorf("a goroutine of %s is left over:\n%s", left, stacks)
		}
	}
}

func TestWithCredentials(t *testing.T) {
	alone(t)
	srv := midtest.NewServer()
	defer srv.Close()
	t.Setenv("MID_CLIENT_ID", srv.ClientID)
	t.Setenv("MID_CLIENT_SECRET", srv.ClientSecret)
	t.Setenv("MID_BASE_URL", srv.URL)
	t.Setenv("WEBLOGIN_COOKIE_KEY", base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("k"), keySize)))
	printed, stop := running(t, "-addr", "127.0.0.1:0")
	if strings.Contains(printed, "Demo") {
		t.Errorf("a demonstration, with credentials:\n%s", printed)
	}
	v := visit(t, strings.TrimSuffix(printedAfter(t, printed, "Sign-in page"), "/"), http.DefaultClient)
	session := v.start()
	events := v.listen()
	events.want(waiting)
	must(t, srv.Approve(session, "user_ada_marsh"))
	events.want(approved)
	if got := v.do(http.MethodGet, "/signin").user(); got != "user_ada_marsh" {
		t.Errorf("the user is %q", got)
	}
	must(t, stop())
}

func TestPlainHTTPOffLoopback(t *testing.T) {
	for _, unsafe := range []bool{true, false} {
		var b strings.Builder
		must(t, greet(&b, "http://192.0.2.1:8080", "", unsafe))
		if got := strings.Contains(b.String(), "Warning"); got != unsafe {
			t.Errorf("unsafe %v:\n%s", unsafe, b.String())
		}
	}
	if isLoopback(&net.TCPAddr{IP: net.IPv4zero}) || !isLoopback(&net.TCPAddr{IP: net.IPv6loopback}) {
		t.Error("an address is taken for what it is not")
	}
}

func TestRunRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		env  map[string]string
		args []string
		want string
	}{
		"half of the credentials": {map[string]string{"MID_CLIENT_ID": "client"}, nil, "MID_CLIENT_SECRET"},
		"a short key":             {map[string]string{"WEBLOGIN_COOKIE_KEY": "c2hvcnQ="}, nil, "WEBLOGIN_COOKIE_KEY"},
		"a callback URL without a host": {map[string]string{
			"MID_CLIENT_ID": "client", "MID_CLIENT_SECRET": "secret", "WEBLOGIN_CALLBACK_URL": "/webhooks/mid",
		}, nil, "WEBLOGIN_CALLBACK_URL"},
		"an unknown flag": {nil, []string{"-none"}, "-none"},
		"an argument":     {nil, []string{"none"}, "none"},
		"no such address": {nil, []string{"-addr", "256.0.0.1:1"}, "256.0.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			alone(t)
			for k, v := range test.env {
				t.Setenv(k, v)
			}
			err := run(t.Context(), append([]string{"-addr", "127.0.0.1:0"}, test.args...), io.Discard)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error about %s", err, test.want)
			}
		})
	}
	if err := run(t.Context(), []string{"-help"}, io.Discard); err != nil {
		t.Errorf("-help: %v", err)
	}
}
