package main

import (
	"context"
	"errors"
	"html/template"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/mobid-io/mid-go"
)

// state is how far a flow is. Page, stream and style sheet use the same words.
type state string

const (
	waiting  state = "waiting"  // the code is on the screen
	scanned  state = "scanned"  // the phone asks its user
	approved state = "approved" // MID confirmed who approved
	rejected state = "rejected" // the user declined
	expired  state = "expired"  // nobody decided in time
	failed   state = "failed"   // MID could not be asked
)

func (s state) final() bool { return s != waiting && s != scanned }

// flow is one attempt of one browser to sign in.
type flow struct {
	session string // MID's id; worth nothing without the browser's flow cookie
	qr      template.URL
	link    template.URL       // opens the app, for who looks at the page on the phone
	life    time.Duration      // of the code, from its creation
	expires time.Time          // by this machine's clock
	cancel  context.CancelFunc // ends the flow early

	mu      sync.Mutex
	state   state
	changed chan struct{}             // closed when state changes
	result  *mid.AuthenticationResult // of an approved flow
	streams int
}

// newFlow returns the flow of a session that MID has just created, at the time
// that its answer told.
func newFlow(session *mid.AuthSession, serverNow time.Time) (*flow, error) {
	// Both end in attributes that can run scripts, if they are not what they
	// should be.
	if !strings.HasPrefix(session.QRCode, "data:image/png;base64,") {
		return nil, errors.New("the QR code is no PNG image in a data URL")
	}
	if u, err := url.Parse(session.QRData); err != nil || u.Scheme != "mid" {
		return nil, errors.New("the QR code holds no mid: URL")
	}
	// Clocks differ, so trust the length of the session's life alone, and that
	// within reason.
	if serverNow.IsZero() {
		serverNow = session.CreatedAt
	}
	left := min(max(session.ExpiresAt.Sub(serverNow), 0), maxLife)
	return &flow{
		session: session.ID,
		qr:      template.URL(session.QRCode), //nolint:gosec // checked above
		link:    template.URL(session.QRData), //nolint:gosec // checked above
		life:    left,
		expires: time.Now().Add(left),
		state:   waiting,
		changed: make(chan struct{}),
	}, nil
}

// look returns the state and a channel that is closed when it changes.
func (f *flow) look() (state, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.state, f.changed
}

// minutes is how long a new code is good for, in words.
func (f *flow) minutes() string {
	if n := int(f.life.Round(time.Minute).Minutes()); n > 1 {
		return strconv.Itoa(n) + " minutes"
	}
	return "a minute"
}

// remaining is how long the code is still good for.
func (f *flow) remaining() time.Duration {
	return max(time.Until(f.expires), 0)
}

// set moves the flow on. A final state stays.
func (f *flow) set(s state) { f.end(s, nil) }

func (f *flow) end(s state, result *mid.AuthenticationResult) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.state.final() || f.state == s {
		return
	}
	f.state, f.result = s, result
	close(f.changed)
	f.changed = make(chan struct{})
}

// follow moves the flow on until its state is final.
func (fs *flows) follow(ctx context.Context, f *flow) {
	// A safety net under the session's own expiry, should MID not answer.
	ctx, cancel := context.WithTimeout(ctx, f.remaining()+time.Minute)
	defer cancel()
	// Whatever else happens, a flow that nobody follows is over.
	defer f.set(expired)

	for session, err := range fs.client.Authentication.WatchSession(ctx, f.session, fs.poll) {
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			fs.log.Error("can't follow a sign-in", slog.String("session", f.session), slog.Any("error", err))
			f.set(failed)
			return
		}
		switch session.Status {
		case mid.AuthScanned:
			f.set(scanned)
		case mid.AuthApproved:
			fs.verify(ctx, f)
		case mid.AuthRejected:
			f.set(rejected)
		}
	}
}

// verify asks MID who approved. Nothing but its answer signs anybody in.
func (fs *flows) verify(ctx context.Context, f *flow) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	result, err := fs.client.Authentication.Verify(ctx, mid.VerifyAuthenticationParams{SessionID: f.session})
	switch {
	case err != nil:
		fs.log.Error("can't verify a sign-in", slog.String("session", f.session), slog.Any("error", err))
		f.set(failed)
	case !result.Verified || result.SessionID != f.session || result.UserID == "":
		fs.log.Warn("an approval did not verify", slog.Any("result", result))
		f.set(rejected)
	default:
		f.end(approved, result)
	}
}
