// Package bench sets the SDK beside its peers and beside two floors: what a
// careful user builds of the usual parts, and bare net/http with encoding/json.
//
// Every contestant is one value in [Contestants]; the suites run each of them
// in what it can do. See README.md.
package bench

import (
	"context"
	"fmt"
	"net/http"
	"strings"
)

const (
	// AnswerSize is the size of every JSON answer, and EventSize that of every
	// webhook event, in bytes. Shapes differ between APIs; sizes do not.
	AnswerSize = 500
	EventSize  = 600

	// Floor is the contestant that does the least.
	Floor = "raw"
	// FairFloor is the contestant that does what the SDK does, as far as one
	// gets by hand: the others are compared with it.
	FairFloor = "hand-assembled"
)

// What every call sends.
const (
	token      = "tok_0123456789abcdef0123456789abcdef"
	hookSecret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
	createName = "example widget"
	createDesc = "A small thing, made to be measured."
	createMail = "noor.haddad@example.com"
)

// Contestants are in the order of the tables.
var Contestants = []Contestant{
	floorContestant,
	floorTimeoutContestant,
	midContestant,
	midResponseContestant,
	midBareContestant,
	retryableContestant,
	assembledContestant,
	githubContestant,
	stripeContestant,
	openaiContestant,
	godoContestant,
	standardWebhooksContestant,
	svixContestant,
}

// Contestant is one client library, set up as its documentation says. What it
// can't do is left out.
type Contestant struct {
	Name string
	// Note tells how it was set up and what is called.
	Note string

	// Answer is the JSON that Get is answered with, and PostAnswer that of Post
	// if it differs. A %PAD% in it is filled up to AnswerSize.
	Answer, PostAnswer string

	Get  Maker // gets one resource
	Post Maker // creates one resource

	// Target is a new value for Answer to be decoded into, of the type that Get
	// decodes into.
	Target func() any

	// Webhook verifies and decodes an event of EventSize bytes.
	Webhook func() (Op, error)
}

// Op makes one call and checks what it returned. Those that call a server are
// safe for concurrent use.
type Op func(ctx context.Context) error

// Maker sets a client up and returns the call to be measured.
type Maker func(Env) (Op, error)

// Env is what a client is set up for.
type Env struct {
	// BaseURL is the server's, without a path.
	BaseURL string
	// Transport is nil where the contestant's own HTTP client is measured.
	// Otherwise it takes the place of that client's transport, and nothing
	// else is changed.
	Transport http.RoundTripper
}

// client returns an HTTP client of the environment's transport or, without one,
// of net/http's default in a connection pool of its own.
func (e Env) client() *http.Client {
	if e.Transport != nil {
		return &http.Client{Transport: e.Transport}
	}
	return &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}
}

func (c *Contestant) answer() string { return pad(c.Answer, AnswerSize) }

func (c *Contestant) postAnswer() string {
	if c.PostAnswer == "" {
		return c.answer()
	}
	return pad(c.PostAnswer, AnswerSize)
}

// pad fills the %PAD% in text so that the whole is size bytes long.
func pad(text string, size int) string {
	const mark, filler = "%PAD%", "the quick brown fox jumps over the lazy dog and "
	before, after, found := strings.Cut(text, mark)
	missing := size - len(before) - len(after)
	if !found || missing < 0 {
		panic(fmt.Sprintf("a body of %d bytes can't be padded to %d", len(text), size))
	}
	return before + strings.Repeat(filler, missing/len(filler)+1)[:missing] + after
}

// want is the check of an answer: the id is its last word that could be wrong
// without an error.
func want(got, id string) error {
	if got != id {
		return fmt.Errorf("the answer's id is %q, not %q", got, id)
	}
	return nil
}
