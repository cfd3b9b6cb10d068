package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/mobid-io/mid-go"
)

const (
	maxFlows   = 1000             // at the same time: the bound on memory, and on the polling of MID
	maxStreams = 4                // of one flow: windows of one browser, which allows a host six connections
	maxLife    = 10 * time.Minute // of a code, whatever MID says
	keep       = 2 * time.Minute  // how long a flow is known after its end
)

// flows are the attempts to sign in that are under way, in this process alone:
// several processes need sticky sessions, or a store that they share.
type flows struct {
	config
	ctx     context.Context
	running sync.WaitGroup // one goroutine for each flow
	slots   chan struct{}  // holds one element for each flow

	mu        sync.Mutex
	byBrowser map[browser]*flow
	bySession map[string]*flow
}

// browser is the SHA-256 of a flow cookie: what is looked up tells nothing
// about cookies by the time it takes, and what is kept is good for no request.
type browser [sha256.Size]byte

func browserOf(cookie string) browser { return sha256.Sum256([]byte(cookie)) }

func newFlows(ctx context.Context, cfg config) *flows {
	return &flows{
		config:    cfg,
		ctx:       ctx,
		slots:     make(chan struct{}, maxFlows),
		byBrowser: make(map[browser]*flow),
		bySession: make(map[string]*flow),
	}
}

var errTooMany = errors.New("too many sign-ins at the same time")

// start begins a flow and returns the cookie that it is bound to. The slot is
// taken before MID is asked, so that the bound holds for requests that come at
// the same time.
func (fs *flows) start(ctx context.Context) (cookie string, err error) {
	select {
	case fs.slots <- struct{}{}:
	default:
		return "", errTooMany
	}
	begun := false
	defer func() {
		if !begun {
			<-fs.slots
		}
	}()

	var answer mid.Response
	session, err := fs.client.Authentication.CreateSession(ctx, mid.CreateAuthSessionParams{
		Intent:      mid.IntentLogin,
		CallbackURL: fs.callbackURL,
	}, mid.WithResponse(&answer))
	if err != nil {
		return "", err
	}
	f, err := newFlow(session, answer.Timestamp)
	if err != nil {
		return "", fmt.Errorf("session %s: %w", session.ID, err)
	}
	cookie = rand.Text()
	begun = fs.add(browserOf(cookie), f)
	if !begun {
		return "", context.Canceled
	}
	return cookie, nil
}

// add has f followed, unless the app has stopped.
func (fs *flows) add(b browser, f *flow) bool {
	ctx, cancel := context.WithCancel(fs.ctx)
	f.cancel = cancel
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if ctx.Err() != nil {
		cancel()
		return false
	}
	fs.byBrowser[b] = f
	fs.bySession[f.session] = f
	fs.running.Go(func() {
		defer cancel()
		fs.follow(ctx, f)
		// A page that is loaded again should still tell how it ended.
		select {
		case <-ctx.Done():
		case <-time.After(keep):
		}
		fs.remove(b, f)
	})
	return true
}

func (fs *flows) remove(b browser, f *flow) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	delete(fs.byBrowser, b)
	delete(fs.bySession, f.session)
	<-fs.slots
}

// of returns the flow of the browser with the given flow cookie, or nil.
func (fs *flows) of(cookie string) *flow {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	return fs.byBrowser[browserOf(cookie)]
}

// take ends the approved flow of a browser and returns what was approved: once,
// so that a flow cookie that leaks afterwards signs nobody in.
func (fs *flows) take(cookie string) (*mid.AuthenticationResult, bool) {
	b := browserOf(cookie)
	fs.mu.Lock()
	defer fs.mu.Unlock()
	f := fs.byBrowser[b]
	if f == nil {
		return nil, false
	}
	if s, _ := f.look(); s != approved {
		return nil, false
	}
	delete(fs.byBrowser, b)
	f.cancel()
	return f.result, true
}

// drop ends a browser's flow, if it has one.
func (fs *flows) drop(cookie string) {
	if f := fs.of(cookie); f != nil {
		f.cancel()
	}
}

// join admits a stream to the flow, unless it has enough of them.
func (f *flow) join() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.streams == maxStreams {
		return false
	}
	f.streams++
	return true
}

func (f *flow) leave() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.streams--
}
