package mid

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"log/slog"
	"strings"
	"time"
)

// SigningService has documents signed. It is reached through [Client.Signing]
// and is safe for concurrent use.
type SigningService struct {
	pipeline *pipeline
	notifier Notifier // wakes the waits
}

// SigningStatus is the state of a [SigningSession]. The set is open.
type SigningStatus string

// The states of a signing session; the last three are final.
const (
	SigningPending   SigningStatus = "pending"   // signatures are missing
	SigningCompleted SigningStatus = "completed" // all have signed
	SigningDeclined  SigningStatus = "declined"  // someone declined
	SigningExpired   SigningStatus = "expired"   // signatures were missing at its end
)

// Final reports whether the session can no longer change. It is false for a
// status that the SDK does not know.
func (s SigningStatus) Final() bool {
	return s == SigningCompleted || s == SigningDeclined || s == SigningExpired
}

// SignerStatus is the state of a [Signer]. The set is open.
type SignerStatus string

// The states of a signer.
const (
	SignerAwaiting SignerStatus = "awaiting_signature"
	SignerSigned   SignerStatus = "signed"
	SignerDeclined SignerStatus = "declined"
)

// UploadSigningDocumentParams are the parameters of
// [SigningService.UploadDocument]. Only File is required.
type UploadSigningDocumentParams struct {
	// File is a PDF file. Required.
	File File
	// Name is the title that signers see. If empty, it is the file's name.
	Name string
	// Progress is called as the file is sent. sent is how many bytes of the file
	// were sent so far, and total is its size, or -1 if that is unknown. A retry
	// starts again at a smaller number. Progress is called from another
	// goroutine, one call at a time. The upload stands still while it runs, even
	// beyond the attempt timeout. It may be nil.
	Progress func(sent, total int64)
}

func (p UploadSigningDocumentParams) validate() error { return p.File.validate() }

func (p UploadSigningDocumentParams) personal() []string { return append(p.File.names(), p.Name) }

// LogValue is a fixed text: a title or a file name may be personal data.
func (UploadSigningDocumentParams) LogValue() slog.Value { return hidden() }

// Format writes what LogValue shows, whatever the verb.
func (p UploadSigningDocumentParams) Format(f fmt.State, _ rune) {
	writeShown(f, "mid.UploadSigningDocumentParams", p.LogValue())
}

// SigningDocument is an uploaded document, as POST /signing/documents answers
// it.
type SigningDocument struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	ContentType string `json:"content_type"`
	Size        int64  `json:"size"` // bytes
	// SHA256 is the file's SHA-256 as MID received it, in lower-case
	// hexadecimal.
	SHA256    string    `json:"sha256"`
	CreatedAt time.Time `json:"created_at"`
}

func (d *SigningDocument) identity() (id, status string) { return d.ID, "" }

// LogValue shows the document's id only: its name may be personal data.
func (d SigningDocument) LogValue() slog.Value { return shownTexts("id", d.ID) }

// Format writes what LogValue shows, whatever the verb.
func (d SigningDocument) Format(f fmt.State, _ rune) {
	writeShown(f, "mid.SigningDocument", d.LogValue())
}

// SignerParams name one person who is asked to sign. Both fields are required
// and are personal data.
type SignerParams struct {
	Name  string `json:"name"`
	Email string `json:"email"` // RFC 5322 addr-spec, like ada@example.com
}

// LogValue is a fixed text: both fields are personal data.
func (SignerParams) LogValue() slog.Value { return hidden() }

// Format writes what LogValue shows, whatever the verb.
func (p SignerParams) Format(f fmt.State, _ rune) { writeShown(f, "mid.SignerParams", p.LogValue()) }

// CreateSigningSessionParams are the parameters of
// [SigningService.CreateSession]. DocumentIDs and Signers are required.
type CreateSigningSessionParams struct {
	// DocumentIDs are ids of uploaded documents, at least one.
	DocumentIDs []string `json:"document_ids"`
	// Signers are the people who are asked to sign, at least one.
	Signers []SignerParams `json:"signers"`
	// CallbackURL is the absolute http or https URL that the signing.completed
	// event is sent to. If empty, no event is sent.
	CallbackURL string `json:"callback_url,omitempty"`
	// ExpiresIn is how long the signers have, in whole hours. If zero, the
	// server's default of 72 hours applies.
	ExpiresIn time.Duration `json:"-"`
	// RequireBiometric says whether signers must pass a biometric check. If nil,
	// the server's default applies, which is true.
	RequireBiometric *bool `json:"require_biometric,omitempty"`
	// Metadata comes back unchanged with the session. If nil, it is not sent.
	Metadata map[string]string `json:"metadata,omitempty"`
}

func (p CreateSigningSessionParams) validate() error {
	if len(p.DocumentIDs) == 0 {
		return invalid("DocumentIDs", "is empty; give the id of at least one uploaded document")
	}
	for i, id := range p.DocumentIDs {
		if err := required(fmt.Sprintf("DocumentIDs[%d]", i), id); err != nil {
			return err
		}
	}
	if len(p.Signers) == 0 {
		return invalid("Signers", "is empty; name at least one signer")
	}
	for i, s := range p.Signers {
		field := fmt.Sprintf("Signers[%d].", i)
		if err := firstError(required(field+"Name", s.Name), required(field+"Email", s.Email), email(field+"Email", s.Email)); err != nil {
			return err
		}
	}
	if p.ExpiresIn < 0 || p.ExpiresIn%time.Hour != 0 {
		return invalid("ExpiresIn", "must be a whole number of hours, at least one, like 48*time.Hour")
	}
	return callbackURL("CallbackURL", p.CallbackURL)
}

func (p CreateSigningSessionParams) personal() []string {
	values := mapValues(p.Metadata)
	for _, s := range p.Signers {
		values = append(values, s.Name, s.Email)
	}
	return values
}

// LogValue shows how many documents and signers there are: who they are is
// personal data.
func (p CreateSigningSessionParams) LogValue() slog.Value {
	return slog.GroupValue(slog.Int("documents", len(p.DocumentIDs)), slog.Int("signers", len(p.Signers)))
}

// Format writes what LogValue shows, whatever the verb.
func (p CreateSigningSessionParams) Format(f fmt.State, _ rune) {
	writeShown(f, "mid.CreateSigningSessionParams", p.LogValue())
}

type plainSigningParams CreateSigningSessionParams

type wireSigningParams struct {
	*plainSigningParams
	ExpiresIn int64 `json:"expires_in,omitempty"` // hours
}

// MarshalJSON encodes the parameters as MID expects them, with ExpiresIn in
// hours.
func (p CreateSigningSessionParams) MarshalJSON() ([]byte, error) {
	return json.Marshal(wireSigningParams{(*plainSigningParams)(&p), int64(p.ExpiresIn / time.Hour)})
}

// Signer is one person who was asked to sign. Name, Email and IPAddress are
// personal data.
type Signer struct {
	Name   string       `json:"name"`
	Email  string       `json:"email"`
	Status SignerStatus `json:"status"`
	// SignURL is where this signer signs. Anyone who has it can sign, so treat it
	// like a password.
	SignURL string `json:"sign_url"`
	// SignedAt is the zero time until the signer signed.
	SignedAt time.Time `json:"signed_at,omitzero"`
	// IPAddress is where the signature came from. It is empty until the signer
	// signed.
	IPAddress string `json:"ip_address,omitempty"`
	// BiometricVerified says whether the signer passed a biometric check.
	BiometricVerified bool `json:"biometric_verified,omitempty"`
}

// LogValue shows the signer's status only.
func (s Signer) LogValue() slog.Value { return shownTexts("status", string(s.Status)) }

// Format writes what LogValue shows, whatever the verb.
func (s Signer) Format(f fmt.State, _ rune) { writeShown(f, "mid.Signer", s.LogValue()) }

// SigningSession is one request to sign documents, as
// GET /signing/sessions/{id} answers it.
type SigningSession struct {
	ID               string        `json:"id"`
	Status           SigningStatus `json:"status"`
	DocumentIDs      []string      `json:"document_ids"`
	Signers          []Signer      `json:"signers"`
	RequireBiometric bool          `json:"require_biometric"`
	CreatedAt        time.Time     `json:"created_at"`
	// ExpiresAt is when an unfinished session expires, by the server's clock.
	ExpiresAt time.Time `json:"expires_at"`
	// CompletedAt is when the session reached its final state. It is the zero
	// time until then.
	CompletedAt time.Time         `json:"completed_at,omitzero"`
	Metadata    map[string]string `json:"metadata,omitempty"`
}

func (s *SigningSession) identity() (id, status string) { return s.ID, string(s.Status) }

// LogValue shows the session's id and status only.
func (s SigningSession) LogValue() slog.Value {
	return shownTexts("id", s.ID, "status", string(s.Status))
}

// Format writes what LogValue shows, whatever the verb.
func (s SigningSession) Format(f fmt.State, _ rune) {
	writeShown(f, "mid.SigningSession", s.LogValue())
}

// UploadDocument uploads a PDF document to be signed. The file is streamed: it
// is never held in memory as a whole. It is sent again on a retry only if it
// can be read again, see [File].
//
// POST /signing/documents
func (s *SigningService) UploadDocument(ctx context.Context, params UploadSigningDocumentParams, opts ...RequestOption) (*SigningDocument, error) {
	return upload[SigningDocument](ctx, s.pipeline, opUploadSigningDocument, params, opts)
}

func (p UploadSigningDocumentParams) form() form {
	return form{
		file:     p.File,
		progress: p.Progress,
		fields:   [][2]string{{"name", p.Name}},
	}
}

// CreateSession asks people to sign uploaded documents. Each
// signer of the result has a link of its own, [Signer.SignURL].
//
// POST /signing/sessions
func (s *SigningService) CreateSession(ctx context.Context, params CreateSigningSessionParams, opts ...RequestOption) (*SigningSession, error) {
	return post[SigningSession](ctx, s.pipeline, opCreateSigningSession, params, opts)
}

// GetSession returns the session with the given id. An unknown id is an
// [*APIError] that matches [ErrNotFound]; an empty one is a [*ValidationError].
//
// GET /signing/sessions/{id}
func (s *SigningService) GetSession(ctx context.Context, id string, opts ...RequestOption) (*SigningSession, error) {
	return get[SigningSession](ctx, s.pipeline, opGetSigningSession, id, opts)
}

// WaitForSession polls until the session's status is final and returns the
// session. If the session's expiry passes first, it looks once more and returns
// the session as it then is, so check Status. Signing may take days, so prefer
// webhooks, or give ctx a deadline. Errors are as for
// [AuthenticationService.WaitForSession].
//
// GET /signing/sessions/{id}
func (s *SigningService) WaitForSession(ctx context.Context, id string, opts PollOptions) (*SigningSession, error) {
	return s.poller(id).wait(ctx, opts)
}

// WatchSession polls like [SigningService.WaitForSession]. It yields the session as
// first seen, and then once for every change of its status or of a signer's. An
// error is yielded last. If the session's expiry passes, WatchSession ends after
// one last look, even if the status is not final.
//
// GET /signing/sessions/{id}
func (s *SigningService) WatchSession(ctx context.Context, id string, opts PollOptions) iter.Seq2[*SigningSession, error] {
	return s.poller(id).watch(ctx, opts)
}

func (s *SigningService) poller(id string) poller[SigningSession] {
	return poller[SigningSession]{
		id:       id,
		notifier: s.notifier,
		get: func(ctx context.Context, opts ...RequestOption) (*SigningSession, error) {
			return s.GetSession(ctx, id, opts...)
		},
		state:   signingState,
		final:   func(s *SigningSession) bool { return s.Status.Final() },
		expires: func(s *SigningSession) time.Time { return s.ExpiresAt },
	}
}

func signingState(s *SigningSession) string {
	var b strings.Builder
	b.WriteString(string(s.Status))
	for _, signer := range s.Signers {
		b.WriteByte(' ')
		b.WriteString(string(signer.Status))
	}
	return b.String()
}
