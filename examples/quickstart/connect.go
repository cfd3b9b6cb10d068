package main

import (
	"cmp"
	"context"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/mobid-io/mid-go"
)

// app is what the chapters of the story share.
type app struct {
	client *mid.Client
	out    *console
	events *receiver // nil if MID sends no events
	people *people   // nil if they are real
	poll   mid.PollOptions
	// callbackURL is where MID sends its events. If empty, it sends none.
	callbackURL string
}

// connect makes the client: of MID if there are credentials, else of a fake.
func connect(out *console) (*app, error) {
	options := []mid.Option{
		mid.WithAppInfo("mid-quickstart", mid.Version),
		mid.WithMiddleware(trace(out)),
	}
	if os.Getenv("MID_CLIENT_ID") == "" && os.Getenv("MID_CLIENT_SECRET") == "" {
		return connectFake(out, options)
	}
	client, err := mid.NewClientFromEnv(options...)
	if err != nil {
		return nil, err
	}
	out.headline("MID quickstart", "talking to "+cmp.Or(os.Getenv("MID_BASE_URL"), mid.ProductionURL))
	a := &app{client: client, out: out, callbackURL: os.Getenv("MID_CALLBACK_URL")}
	if a.callbackURL == "" {
		return a, nil
	}
	a.events, err = receive(client, out, listenAddress(a.callbackURL))
	if err != nil {
		return nil, err
	}
	out.say("Events to %s are received at http://%s.", a.callbackURL, a.events.address)
	return a, nil
}

// listenAddress is where the receiver listens. A callback URL is usually that of
// a tunnel or a proxy, which leads to port 8080 here. One on loopback is for a
// server on this machine, so the receiver listens at just that address.
func listenAddress(callbackURL string) string {
	u, err := url.Parse(callbackURL)
	if err == nil && u.Port() != "" && net.ParseIP(u.Hostname()).IsLoopback() {
		return u.Host
	}
	return "127.0.0.1:8080"
}

// connectFake also starts the people who use MID. It polls more often than a
// real server should be polled, because these people are quick.
func connectFake(out *console, options []mid.Option) (*app, error) {
	out.headline("MID quickstart", "with a fake MID server on this machine, which also plays the people")
	out.whisper("No account and no network are needed. One request will fail on purpose.")
	people := invitePeople()
	client := people.server.Client(options...)
	events, err := receive(client, out, "127.0.0.1:0")
	if err != nil {
		people.leave()
		return nil, err
	}
	return &app{
		client:      client,
		out:         out,
		events:      events,
		people:      people,
		poll:        mid.PollOptions{MinInterval: 100 * time.Millisecond, MaxInterval: 150 * time.Millisecond},
		callbackURL: "http://" + events.address + "/mid/events",
	}, nil
}

func (a *app) close() {
	if a.people != nil {
		a.people.leave()
	}
	if a.events != nil {
		a.events.close()
	}
}

// sumUp closes the story with the quota that is left, and with what to do next.
func (a *app) sumUp(ctx context.Context) {
	if a.events != nil {
		a.events.await(ctx, 3)
		a.out.headline("Done", plural(a.events.handled(), "webhook event")+", each verified by its signature")
	} else {
		a.out.headline("Done", "without webhooks: set MID_CALLBACK_URL to receive them")
	}
	if quota := a.client.RateLimit(); quota.Limit > 0 {
		a.out.say("%d of %d requests are left until %s.", quota.Remaining, quota.Limit, quota.Reset.Local().Format(time.TimeOnly))
	}
	if a.people != nil {
		a.out.next("Read the code", "examples/quickstart/auth.go, identity.go, signing.go and events.go")
		a.out.next("Play the phone", "go run ./cmd/mid-mock, and open its page")
		a.out.next("Use an account", "set MID_CLIENT_ID and MID_CLIENT_SECRET, and run this again")
	}
}

// trace shows the requests as they go over the wire, token requests included.
// It leaves out the polling, which would fill the screen.
func trace(out *console) func(http.RoundTripper) http.RoundTripper {
	return func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			res, err := next.RoundTrip(r)
			if r.Method != http.MethodGet && err == nil {
				note := ""
				if res.StatusCode == http.StatusServiceUnavailable {
					note = "  (this may pass, so the SDK tries again)"
				}
				out.whisper("%s %s → %s%s", r.Method, r.URL.Path, res.Status, note)
			}
			return res, err
		})
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
