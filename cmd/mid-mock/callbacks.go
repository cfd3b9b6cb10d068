package main

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/mobid-io/mid-go/midtest"
)

const (
	callbacksEvery = time.Second
	maxWarnings    = 100 // hosts; more of them are a load test
)

// callbacks warns of events that went to other hosts. The clients that reach an
// exposed mid-mock choose those, and have this machine send requests for them.
type callbacks struct {
	srv    *midtest.Server
	stderr io.Writer
	warned map[string]bool // hosts
}

// watch warns until ctx ends.
func (c *callbacks) watch(ctx context.Context) {
	ticker := time.NewTicker(callbacksEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			c.look()
		case <-ctx.Done():
			return
		}
	}
}

// look warns once of every host.
func (c *callbacks) look() {
	for _, d := range c.srv.Events() {
		host := otherHost(d.URL)
		if host == "" || c.warned[host] || len(c.warned) >= maxWarnings {
			continue
		}
		c.warned[host] = true
		say(c.stderr, fmt.Sprintf("mid-mock: warning: an event went to another host, %q: a client of the API named it in a callback_url.\n", host))
	}
}

// otherHost is the host of a callback URL, or empty if that is this machine.
func otherHost(callbackURL string) string {
	u, err := url.Parse(callbackURL)
	if err != nil {
		return ""
	}
	if isThisMachine(hostname(u.Host)) {
		return ""
	}
	return u.Host
}
