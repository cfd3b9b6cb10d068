package midweb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"log/slog"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/mobid-io/mid-go"
)

const (
	maxBody     = 4 << 10 // of forms, in bytes
	lookTimeout = 10 * time.Second
	renewAhead  = 45 * time.Second // of a code's end
)

// SignIn serves the sign-in of a site. It is safe for concurrent use.
type SignIn struct {
	cfg     Config
	log     *slog.Logger
	origins *http.CrossOriginProtection
	flows   *cookie[flow]
	begins  *beginner
	brake   *brake
	watches *watches
	finish  *finisher
	pages   *pages
}

// New returns the sign-in of a site that uses client. It sends nothing. A
// config that is invalid is a [*mid.ValidationError], and a template that does
// not fit is an error of package html/template.
func New(client *mid.Client, cfg Config) (*SignIn, error) {
	if client == nil {
		return nil, &mid.ValidationError{Field: "midweb.New: client", Reason: "is nil"}
	}
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &SignIn{cfg: cfg, log: cfg.Logger, origins: http.NewCrossOriginProtection()}
	if cfg.Origin != "" {
		if err := s.origins.AddTrustedOrigin(cfg.Origin); err != nil {
			return nil, wrong("Origin", "must be an origin, like https://shop.example")
		}
	}
	secure := !strings.HasPrefix(cfg.Origin, "http:")
	name := "midweb-" + string(cfg.Intent)
	if s.flows, err = newCookie[flow](name, secure, cfg.Keys); err != nil {
		return nil, err
	}
	if s.pages, err = newPages(cfg.Name, cfg.Templates, cfg.Texts); err != nil {
		return nil, err
	}
	s.brake = newBrake(cfg.Brake, client.RateLimit)
	if s.begins, err = newBeginner(client.Authentication, cfg, s.brake, name+"-wait", secure); err != nil {
		return nil, err
	}
	s.watches = newWatches(client.Authentication, cfg.Poll, s.brake.pace, cfg.Logger)
	s.finish = &finisher{auth: client.Authentication, intent: cfg.Intent, store: cfg.Store}
	if cfg.Store == nil {
		s.finish.store = &onceHere{}
	}
	return s, nil
}

// Close ends the open streams and all pollers, and returns when the pollers
// have ended. It is for [http.Server.RegisterOnShutdown]: Shutdown would wait
// for the streams. Pages and sign-ins go on in another process.
func (s *SignIn) Close() { s.watches.close() }

// Format writes a fixed text, whatever the verb: a SignIn holds keys.
func (*SignIn) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hiddenSignIn) }

// LogValue is the same for package log/slog.
func (*SignIn) LogValue() slog.Value { return slog.StringValue(hiddenSignIn) }

const hiddenSignIn = "midweb.SignIn{…}"

// ServeHTTP serves the page, the stream of its state and the finish.
func (s *SignIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	protect(w.Header())
	if err := s.origins.Check(r); err != nil {
		http.Error(w, http.StatusText(http.StatusForbidden), http.StatusForbidden)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if asked, _, _ := strings.Cut(r.RequestURI, "?"); r.URL.Path == "" && !strings.HasSuffix(asked, "/") {
		redirect(w, path.Base(asked)+"/") // relative addresses need the slash
		return
	}
	route := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	read := r.Method == http.MethodGet || r.Method == http.MethodHead
	switch {
	case route == "" && r.Method == http.MethodPost:
		s.start(w, r)
	case route == "renew" && r.Method == http.MethodPost:
		s.renew(w, r)
	case (route == "" || route == "finish") && read:
		s.page(w, r, route == "finish")
	case route == "again" && read:
		s.again(w, r)
	case route == "events" && r.Method == http.MethodGet:
		s.events(w, r)
	case (route == "midweb.css" || route == "midweb.js") && read:
		s.pages.static(w, r, route)
	default:
		http.NotFound(w, r)
	}
}

// start begins a flow, in place of one that the browser had. It is a POST:
// prefetching browsers and crawlers begin nothing.
func (s *SignIn) start(w http.ResponseWriter, r *http.Request) {
	next := localPath(r.PostFormValue("next"), "")
	s.begin(w, r, next, ticket{})
}

// again begins a flow for a browser that has waited in the queue. It needs the
// ticket of a start: following a link is not enough.
func (s *SignIn) again(w http.ResponseWriter, r *http.Request) {
	turn, ok := s.begins.turn(r)
	if !ok || r.Method != http.MethodGet {
		redirect(w, "./")
		return
	}
	s.begin(w, r, turn.Next, turn)
}

func (s *SignIn) begin(w http.ResponseWriter, r *http.Request, next string, turn ticket) {
	f, session, err := s.begins.begin(r, next, turn, nil)
	if err != nil {
		s.refuse(w, r, next, turn, err)
		return
	}
	s.watches.seed(session)
	if err := s.flows.set(w, f, f.life()+grace); err != nil {
		s.fail(w, r, next, err)
		return
	}
	if turn.Nonce != "" {
		s.begins.tickets.drop(w)
	}
	redirect(w, "./")
}

// refuse has the browser wait for its turn, if that helps.
func (s *SignIn) refuse(w http.ResponseWriter, r *http.Request, next string, turn ticket, cause error) {
	passes := errors.Is(cause, errBraked) || errors.Is(cause, mid.ErrRateLimited) || errors.Is(cause, context.DeadlineExceeded)
	if !passes || r.Context().Err() != nil {
		s.fail(w, r, next, cause)
		return
	}
	wait, err := s.begins.queue(w, turn, next, cause)
	if err != nil {
		s.fail(w, r, next, err)
		return
	}
	s.wait(w, r, http.StatusTooManyRequests, s.pages.page(r, busy), wait)
}

// wait sends a page that tries again by itself.
func (s *SignIn) wait(w http.ResponseWriter, r *http.Request, status int, page Page, d time.Duration) {
	page.Retry = int((d + time.Second - 1) / time.Second)
	w.Header().Set("Retry-After", strconv.Itoa(page.Retry))
	s.render(w, r, status, page)
}

// fail says that it did not work, and the log why.
func (s *SignIn) fail(w http.ResponseWriter, r *http.Request, next string, err error) {
	if r.Context().Err() != nil {
		return // the browser went away
	}
	s.log.ErrorContext(r.Context(), "midweb: a sign-in can't begin", slog.Any("error", err))
	page := s.pages.page(r, problem)
	page.Next = next
	w.Header().Set("Retry-After", "10")
	s.render(w, r, http.StatusServiceUnavailable, page)
}

func (s *SignIn) render(w http.ResponseWriter, r *http.Request, status int, page Page) {
	if err := s.pages.render(w, r, status, page); err != nil {
		s.log.ErrorContext(r.Context(), "midweb: can't render a page", slog.Any("error", err))
	}
}

// redirect sends the browser to an address that it resolves by itself: this
// process may not know the prefix by which it is reached.
func redirect(w http.ResponseWriter, to string) {
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
}

// page shows the browser's flow and, once it is approved, signs it in. The page
// comes here again by script or, without scripts, by refreshing itself. With
// goOn it does so by itself: a browser whose sign-in is over goes on then,
// because another of its tabs was quicker.
func (s *SignIn) page(w http.ResponseWriter, r *http.Request, goOn bool) {
	f, ok := s.flows.get(r)
	if !ok || f.over(time.Now()) {
		if goOn {
			redirect(w, s.cfg.Next)
			return
		}
		page := s.pages.page(r, atStart)
		page.Next = localPath(r.FormValue("next"), "")
		s.render(w, r, http.StatusOK, page)
		return
	}
	// What only looks ahead takes nothing.
	if r.Method == http.MethodHead {
		s.render(w, r, http.StatusOK, s.pages.page(r, waiting))
		return
	}
	if r.Header.Get("Sec-Purpose") != "" {
		http.Error(w, http.StatusText(http.StatusServiceUnavailable), http.StatusServiceUnavailable)
		return
	}
	if !s.mayLook(r, f) {
		s.waitForLook(w, r, http.StatusTooManyRequests, f)
		return
	}
	session, current := s.look(r.Context(), f)
	switch {
	case current == "":
		s.waitForLook(w, r, http.StatusServiceUnavailable, f)
	case current != approved || !s.take(w, r, f):
		s.show(w, r, f, session, current)
	}
}

// waitForLook sends a page that comes again for the flow.
func (s *SignIn) waitForLook(w http.ResponseWriter, r *http.Request, status int, f flow) {
	page := s.pages.page(r, busy)
	page.Of = f.tag()
	s.wait(w, r, status, page, maxWait)
}

// mayLook reports whether a request may have this process begin to follow a
// session. Those that it follows already cost nothing more.
func (s *SignIn) mayLook(r *http.Request, f flow) bool {
	return s.watches.follows(f.Session) || s.brake.look(addressOf(r, s.cfg.Brake.TrustedProxies))
}

// show renders the page of a flow.
func (s *SignIn) show(w http.ResponseWriter, r *http.Request, f flow, session *mid.AuthSession, current state) {
	var shown code
	if session != nil {
		var err error
		if shown, err = codeOf(session); err != nil && current == waiting {
			s.log.ErrorContext(r.Context(), "midweb: a code can't be shown", slog.String("session", f.Session), slog.Any("error", err))
			current = failed
		}
	}
	page := s.pages.page(r, current)
	page.show(current, f, shown)
	s.render(w, r, http.StatusOK, page)
}

// look returns how far a flow is. It waits for the first look of this process,
// but not for ever: if MID does not answer, the state is empty.
func (s *SignIn) look(ctx context.Context, f flow) (*mid.AuthSession, state) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	w := s.watches.join(f.Session)
	defer s.watches.leave(w)
	for {
		session, current, changed := w.look()
		if current != "" {
			return session, current
		}
		select {
		case <-changed:
		case <-s.watches.closing():
			return nil, ""
		case <-ctx.Done():
			return nil, ""
		}
	}
}

// take signs the browser in as the person who approved, and reports whether it
// has answered.
func (s *SignIn) take(w http.ResponseWriter, r *http.Request, f flow) bool {
	result, err := s.finish.finish(r.Context(), f)
	next := f.Next
	if next == "" {
		next = s.cfg.Next
	}
	switch {
	case errors.Is(err, mid.ErrEventInHand):
		return false // another tab is about to; the page asks again
	case errors.Is(err, mid.ErrEventHandled):
		s.flows.drop(w)
		redirect(w, next)
	case err != nil:
		s.log.ErrorContext(r.Context(), "midweb: a sign-in can't be finished", slog.String("session", f.Session), slog.Any("error", err))
		s.show(w, r, f, nil, failed)
	default:
		s.flows.drop(w)
		answer := &answer{ResponseWriter: w}
		s.cfg.SignedIn(answer, r, result)
		if !answer.begun {
			redirect(w, next)
		}
	}
	return true
}

// events sends the page how the browser's flow goes on.
func (s *SignIn) events(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	f, ok := s.flows.get(r)
	switch {
	case !ok || f.over(time.Now()):
		_ = newStream(w).event(gone, 0) // a browser that went away asks again
		return
	case query.Get("of") != f.tag():
		_ = newStream(w).event(moved, 0) // as above
		return
	}
	var watch *watch
	if s.mayLook(r, f) {
		watch = s.watches.stream(f.Session)
	}
	if watch == nil {
		w.Header().Set("Retry-After", "5")
		http.Error(w, http.StatusText(http.StatusTooManyRequests), http.StatusTooManyRequests)
		return
	}
	defer s.watches.leaveStream(watch)
	if err := newStream(w).tell(r, watch, f, query.Get("seen"), s.watches.closing()); err != nil && r.Context().Err() == nil {
		s.log.DebugContext(r.Context(), "midweb: a stream broke", slog.Any("error", err))
	}
}

// renewal is the answer to a page that gets itself a new code.
type renewal struct {
	QR        template.URL `json:"qr"`
	Link      template.URL `json:"link"`
	Number    string       `json:"number"`
	Of        string       `json:"of"`
	Renew     bool         `json:"renew"`
	Life      int          `json:"life"`      // seconds
	Remaining int          `json:"remaining"` // seconds
}

// renew replaces a code that is about to expire, unless it has been scanned.
func (s *SignIn) renew(w http.ResponseWriter, r *http.Request) {
	f, ok := s.flows.get(r)
	left := f.remaining(time.Now())
	if ok = ok && f.Renewals > 0 && 0 < left && left <= renewAhead && s.mayLook(r, f); ok {
		_, current := s.look(r.Context(), f)
		ok = current == waiting
	}
	if !ok {
		http.Error(w, http.StatusText(http.StatusConflict), http.StatusConflict)
		return
	}
	f, session, err := s.begins.begin(r, f.Next, ticket{}, &f)
	if err == nil {
		err = s.flows.set(w, f, f.life()+grace)
	}
	if err != nil {
		http.Error(w, http.StatusText(http.StatusServiceUnavailable), http.StatusServiceUnavailable)
		return
	}
	s.watches.seed(session)
	shown, _ := codeOf(session) // begin has checked it
	page := Page{}
	page.show(waiting, f, shown)
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(renewal{
		QR: page.QR, Link: page.Link, Number: page.Number, Of: page.Of, Renew: page.Renew, Life: page.Life, Remaining: page.Remaining,
	}); err != nil {
		s.log.DebugContext(r.Context(), "midweb: a browser went away", slog.Any("error", err))
	}
}
