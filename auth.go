package mid

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"time"

	"github.com/mobid-io/mid-go/internal/jsonwire"
)

// AuthenticationService signs users in on their phone. It is reached through
// [Client.Authentication] and is safe for concurrent use.
type AuthenticationService struct {
	pipeline *pipeline
	notifier Notifier // wakes the waits
}

// Intent is what a user is asked to approve. The set is open: values that the
// SDK does not know are sent and received unchanged.
type Intent string

// The intents of POST /auth/sessions.
const (
	IntentLogin   Intent = "login"   // sign in
	IntentPayment Intent = "payment" // confirm a payment
	IntentConsent Intent = "consent" // give consent
)

// AuthStatus is the state of an [AuthSession]. The set is open.
type AuthStatus string

// The states of an authentication session, in the order in which they occur;
// the last three are final.
const (
	AuthPending  AuthStatus = "pending"  // the QR code has not been scanned
	AuthScanned  AuthStatus = "scanned"  // scanned, not decided yet
	AuthApproved AuthStatus = "approved" // the user approved
	AuthRejected AuthStatus = "rejected" // the user declined
	AuthExpired  AuthStatus = "expired"  // the user did not decide in time
)

// Final reports whether the session can no longer change. It is false for a
// status that the SDK does not know.
func (s AuthStatus) Final() bool {
	return s == AuthApproved || s == AuthRejected || s == AuthExpired
}

// CreateAuthSessionParams are the parameters of
// [AuthenticationService.CreateSession]. Only Intent is required.
type CreateAuthSessionParams struct {
	// Intent is what the user is asked to approve. Required.
	Intent Intent `json:"intent"`
	// Recipient is the user's mobile number in E.164 form, like +14155550123. The
	// SDK checks the form, not whether the number is assigned. If empty, anyone
	// who scans the QR code may approve. Personal data.
	Recipient string `json:"recipient,omitempty"`
	// CallbackURL is the absolute http or https URL that the
	// authentication.completed event is sent to. If empty, no event is sent.
	CallbackURL string `json:"callback_url,omitempty"`
	// Metadata comes back unchanged with the session. If nil, it is not sent.
	Metadata map[string]string `json:"metadata,omitempty"`
}

func (p CreateAuthSessionParams) validate() error {
	return firstError(
		required("Intent", string(p.Intent)),
		phoneNumber("Recipient", p.Recipient),
		callbackURL("CallbackURL", p.CallbackURL),
	)
}

func (p CreateAuthSessionParams) personal() []string {
	return append(mapValues(p.Metadata), p.Recipient)
}

// LogValue shows the intent only: the recipient and the metadata are personal
// data.
func (p CreateAuthSessionParams) LogValue() slog.Value { return shownTexts("intent", string(p.Intent)) }

// Format writes what LogValue shows, whatever the verb.
func (p CreateAuthSessionParams) Format(f fmt.State, _ rune) {
	writeShown(f, "mid.CreateAuthSessionParams", p.LogValue())
}

// AuthSession is one request to a user to approve something on the phone, as
// GET /auth/sessions/{id} answers it.
type AuthSession struct {
	ID     string     `json:"id"`
	Status AuthStatus `json:"status"`
	Intent Intent     `json:"intent"`
	// Recipient is the number that the session was created for, in E.164 form.
	// It is empty if there was no number. Personal data.
	Recipient string `json:"recipient,omitempty"`
	// QRCode is the QR code as a PNG image in a data URL (RFC 2397), ready for
	// the src attribute of an img element. For package html/template, convert it
	// to template.URL.
	QRCode string `json:"qr_code"`
	// QRData is the text that the QR code holds. On a phone it is the link that
	// opens the MID app.
	QRData string `json:"qr_data"`
	// UserID is the user who approved. It is empty until the session is approved.
	UserID string `json:"user_id,omitempty"`
	// Method is how the phone recognised the user: face, fingerprint or pin. It
	// is empty until the session is approved.
	Method    string    `json:"method,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	// ExpiresAt is when an undecided session expires, by the server's clock.
	ExpiresAt time.Time `json:"expires_at"`
	// CompletedAt is when the session reached its final state. It is the zero
	// time until then.
	CompletedAt time.Time         `json:"completed_at,omitzero"`
	Metadata    map[string]string `json:"metadata,omitempty"`
}

func (s *AuthSession) identity() (id, status string) { return s.ID, string(s.Status) }

// LogValue shows the session's id and status only.
func (s AuthSession) LogValue() slog.Value {
	return shownTexts("id", s.ID, "status", string(s.Status))
}

// Format writes what LogValue shows, whatever the verb.
func (s AuthSession) Format(f fmt.State, _ rune) { writeShown(f, "mid.AuthSession", s.LogValue()) }

// VerifyAuthenticationParams are the parameters of
// [AuthenticationService.Verify].
type VerifyAuthenticationParams struct {
	// SessionID is the session's id. Required.
	SessionID string `json:"session_id"`
	// Expect says which session it must be. If nil, any approved session of the
	// account verifies, of any user and for any intent.
	Expect *AuthExpectation `json:"-"`
}

// defaultMaxAge is how long ago a session may have been approved.
const defaultMaxAge = 5 * time.Minute

// AuthExpectation says which session [AuthenticationService.Verify] accepts. A
// field with its zero value expects nothing, except for MaxAge. All fields but
// Intent and MaxAge may be personal data.
type AuthExpectation struct {
	// Intent is what the user was asked to approve. Without it a session that
	// was approved as a payment can sign its user in.
	Intent Intent
	// UserID is the user who must have approved. If empty, it may be any user, but
	// a session that names no user is refused.
	UserID string
	// Recipient is the mobile number that the session was created for, in E.164
	// form.
	Recipient string
	// Metadata are entries that the session must have been created with. It may
	// have others. To refuse the sessions of others, give an entry that this
	// application made for this very sign-in, such as a random number that is kept
	// in the browser's own server-side session.
	Metadata map[string]string
	// MaxAge is how long ago the session may have been approved, by the server's
	// clock. A session without a time of completion is refused. If zero, it is 5
	// minutes. It must not be negative.
	MaxAge time.Duration
}

// LogValue shows the intent and the age only.
func (e AuthExpectation) LogValue() slog.Value {
	return slog.GroupValue(slog.String("intent", string(e.Intent)), slog.Duration("max_age", e.MaxAge))
}

// Format writes what LogValue shows, whatever the verb.
func (e AuthExpectation) Format(f fmt.State, _ rune) {
	writeShown(f, "mid.AuthExpectation", e.LogValue())
}

// check compares the session with what is expected. The error names the first
// field that differs. now is the server's time.
func (e *AuthExpectation) check(id string, s *AuthSession, result *AuthenticationResult, now time.Time) error {
	maxAge := e.MaxAge
	if maxAge == 0 {
		maxAge = defaultMaxAge
	}
	switch {
	case s.ID != id || result.SessionID != id:
		return unexpectedSession("id")
	case s.Status != AuthApproved:
		return unexpectedSession("status")
	case e.Intent != "" && s.Intent != e.Intent:
		return unexpectedSession("intent")
	case s.UserID == "", s.UserID != result.UserID, e.UserID != "" && s.UserID != e.UserID:
		return unexpectedSession("user id")
	case e.Recipient != "" && s.Recipient != e.Recipient:
		return unexpectedSession("recipient")
	case s.CompletedAt.IsZero(), now.Sub(s.CompletedAt) > maxAge:
		return unexpectedSession("time of completion")
	}
	for key, want := range e.Metadata {
		if got, ok := s.Metadata[key]; !ok || got != want {
			return unexpectedSession("metadata")
		}
	}
	return nil
}

// unexpectedSession quotes no value, which may be personal data.
func unexpectedSession(field string) error {
	return fmt.Errorf("%w: its %s differs", ErrUnexpectedSession, field)
}

// AuthenticationResult is the answer of POST /auth/verify.
type AuthenticationResult struct {
	SessionID string `json:"session_id"`
	// Verified is true only for a session that was really approved. Sign a user
	// in only on this.
	Verified bool       `json:"verified"`
	Status   AuthStatus `json:"status"`
	// UserID and Method are empty unless Verified.
	UserID string `json:"user_id,omitempty"`
	Method string `json:"method,omitempty"`
	// VerifiedAt is the zero time unless Verified.
	VerifiedAt time.Time `json:"verified_at,omitzero"`
}

// UnmarshalJSON decodes what MID sends. It reads Verified under exactly the name
// verified; package json would accept VERIFIED as well.
func (r *AuthenticationResult) UnmarshalJSON(data []byte) error {
	type plain AuthenticationResult
	if err := jsonwire.Unmarshal(data, (*plain)(r)); err != nil {
		return err
	}
	if r.Verified {
		r.Verified = string(parseObject(data)["verified"]) == "true"
	}
	return nil
}

func (r *AuthenticationResult) identity() (id, status string) { return r.SessionID, string(r.Status) }

// LogValue shows the session's id and status only.
func (r AuthenticationResult) LogValue() slog.Value {
	return shownTexts("id", r.SessionID, "status", string(r.Status))
}

// Format writes what LogValue shows, whatever the verb.
func (r AuthenticationResult) Format(f fmt.State, _ rune) {
	writeShown(f, "mid.AuthenticationResult", r.LogValue())
}

// CreateSession creates a session to be shown to the user as a QR code. It
// expires after five minutes unless the user decides before. If a parameter is
// invalid, the error is a [*ValidationError], and nothing is sent. Other errors
// are as for [Client.Call].
//
// POST /auth/sessions
func (s *AuthenticationService) CreateSession(ctx context.Context, params CreateAuthSessionParams, opts ...RequestOption) (*AuthSession, error) {
	return post[AuthSession](ctx, s.pipeline, opCreateAuthSession, params, opts)
}

// GetSession returns the session with the given id. An unknown id is an
// [*APIError] that matches [ErrNotFound]; an empty one is a [*ValidationError].
//
// GET /auth/sessions/{id}
func (s *AuthenticationService) GetSession(ctx context.Context, id string, opts ...RequestOption) (*AuthSession, error) {
	return get[AuthSession](ctx, s.pipeline, opGetAuthSession, id, opts)
}

// Verify asks MID, from the backend, whether a session was really approved and
// by whom. What a browser, an app or an event says about a session is only a
// reason to call Verify. A session that is not approved is not an error: its
// result has Verified false.
//
// An approved session need not be the right one. With
// [VerifyAuthenticationParams].Expect, Verify also fetches an approved session and
// compares it. If it differs, the error matches [ErrUnexpectedSession] and names
// the field. opts apply to the verification, not to the fetch.
//
// A session can be verified more than once, so remember which ones were used. An
// [EventStore] is a place for that.
//
// POST /auth/verify, GET /auth/sessions/{id}
func (s *AuthenticationService) Verify(ctx context.Context, params VerifyAuthenticationParams, opts ...RequestOption) (*AuthenticationResult, error) {
	result, err := post[AuthenticationResult](ctx, s.pipeline, opVerifyAuth, params, opts)
	if err != nil || params.Expect == nil || !result.Verified {
		return result, err
	}
	var r Response
	session, err := s.GetSession(ctx, params.SessionID, WithResponse(&r))
	if err != nil {
		return nil, err
	}
	if err := params.Expect.check(params.SessionID, session, result, r.serverTime()); err != nil {
		return nil, err
	}
	return result, nil
}

func (p VerifyAuthenticationParams) validate() error {
	if err := required("SessionID", p.SessionID); err != nil || p.Expect == nil {
		return err
	}
	if p.Expect.MaxAge < 0 {
		return invalid("Expect.MaxAge", "is negative")
	}
	return phoneNumber("Expect.Recipient", p.Expect.Recipient)
}

func (VerifyAuthenticationParams) personal() []string { return nil }

// LogValue shows the session's id only.
func (p VerifyAuthenticationParams) LogValue() slog.Value { return shownTexts("id", p.SessionID) }

// Format writes what LogValue shows, whatever the verb.
func (p VerifyAuthenticationParams) Format(f fmt.State, _ rune) {
	writeShown(f, "mid.VerifyAuthenticationParams", p.LogValue())
}

// WaitForSession polls until the session's status is final and returns the
// session. If the session's expiry passes first, it looks once more and returns
// the session as it then is, so check Status.
//
// A 429, a 5xx and a network failure are waited out. An error that can't pass, such
// as [ErrNotFound], is returned at once. When ctx ends, the error matches ctx's.
//
// GET /auth/sessions/{id}
func (s *AuthenticationService) WaitForSession(ctx context.Context, id string, opts PollOptions) (*AuthSession, error) {
	return s.poller(id).wait(ctx, opts)
}

// WatchSession polls like [AuthenticationService.WaitForSession]. It yields the
// session as first seen, and then once for every change of its status. An error is
// yielded last. If the session's expiry passes, WatchSession ends after one last
// look, even if the status is not final.
//
// GET /auth/sessions/{id}
func (s *AuthenticationService) WatchSession(ctx context.Context, id string, opts PollOptions) iter.Seq2[*AuthSession, error] {
	return s.poller(id).watch(ctx, opts)
}

func (s *AuthenticationService) poller(id string) poller[AuthSession] {
	return poller[AuthSession]{
		id:       id,
		notifier: s.notifier,
		get: func(ctx context.Context, opts ...RequestOption) (*AuthSession, error) {
			return s.GetSession(ctx, id, opts...)
		},
		state:   func(a *AuthSession) string { return string(a.Status) },
		final:   func(a *AuthSession) bool { return a.Status.Final() },
		expires: func(a *AuthSession) time.Time { return a.ExpiresAt },
	}
}
