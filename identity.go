package mid

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"log/slog"
	"time"

	"github.com/mobid-io/mid-go/internal/jsonwire"
)

// IdentityService verifies identities from documents and biometrics. It is
// reached through [Client.Identity] and is safe for concurrent use.
type IdentityService struct {
	pipeline *pipeline
	notifier Notifier // wakes the waits
}

// DocumentType is the kind of an identity document. The set is open.
type DocumentType string

// The document types of POST /identity/documents. A verification takes the
// first three; a selfie goes with them.
const (
	DocumentPassport       DocumentType = "passport"
	DocumentNationalID     DocumentType = "national_id"
	DocumentDriversLicense DocumentType = "drivers_license"
	DocumentSelfie         DocumentType = "selfie"
)

// DocumentSide is the side of a document that an image shows. The set is open.
type DocumentSide string

// The sides of a document.
const (
	SideFront DocumentSide = "front"
	SideBack  DocumentSide = "back"
)

// VerificationStatus is the state of a [Verification]. The set is open.
type VerificationStatus string

// The states of a verification; the last three are final.
const (
	VerificationProcessing VerificationStatus = "processing"
	VerificationVerified   VerificationStatus = "verified"
	VerificationRejected   VerificationStatus = "rejected"
	VerificationExpired    VerificationStatus = "expired"
)

// Final reports whether the verification can no longer change. It is false for
// a status that the SDK does not know.
func (s VerificationStatus) Final() bool {
	return s == VerificationVerified || s == VerificationRejected || s == VerificationExpired
}

// UploadIdentityDocumentParams are the parameters of
// [IdentityService.UploadDocument]. File and Type are required.
type UploadIdentityDocumentParams struct {
	// File is the image: JPEG, PNG, WebP, HEIC or PDF. Required.
	File File
	// Type is the kind of document. Required.
	Type DocumentType
	// Side is the side that the image shows. If empty, it is not sent.
	Side DocumentSide
	// Country is the issuing country as an ISO 3166-1 alpha-2 code, like DE. The
	// SDK checks that it is two upper-case letters. If empty, it is not sent.
	Country string
	// Progress is called as the file is sent. sent is how many bytes of the file
	// were sent so far, and total is its size, or -1 if that is unknown. A retry
	// starts again at a smaller number. Progress is called from another
	// goroutine, one call at a time. The upload stands still while it runs, even
	// beyond the attempt timeout. It may be nil.
	Progress func(sent, total int64)
}

func (p UploadIdentityDocumentParams) validate() error {
	return firstError(
		p.File.validate(),
		required("Type", string(p.Type)),
		country("Country", p.Country),
	)
}

func (p UploadIdentityDocumentParams) personal() []string { return p.File.names() }

// LogValue shows the kind of document only: a file name may be personal data.
func (p UploadIdentityDocumentParams) LogValue() slog.Value {
	return shownTexts("type", string(p.Type))
}

// Format writes what LogValue shows, whatever the verb.
func (p UploadIdentityDocumentParams) Format(f fmt.State, _ rune) {
	writeShown(f, "mid.UploadIdentityDocumentParams", p.LogValue())
}

// IdentityDocument is an uploaded document, as POST /identity/documents
// answers it.
type IdentityDocument struct {
	ID          string       `json:"id"`
	Type        DocumentType `json:"type"`
	Side        DocumentSide `json:"side,omitempty"`
	Country     string       `json:"country,omitempty"`
	FileName    string       `json:"file_name"`
	ContentType string       `json:"content_type"`
	Size        int64        `json:"size"` // bytes
	// SHA256 is the file's SHA-256 as MID received it, in lower-case
	// hexadecimal.
	SHA256    string    `json:"sha256"`
	CreatedAt time.Time `json:"created_at"`
}

func (d *IdentityDocument) identity() (id, status string) { return d.ID, "" }

// LogValue shows the document's id only: its file name may be personal data.
func (d IdentityDocument) LogValue() slog.Value { return shownTexts("id", d.ID) }

// Format writes what LogValue shows, whatever the verb.
func (d IdentityDocument) Format(f fmt.State, _ rune) {
	writeShown(f, "mid.IdentityDocument", d.LogValue())
}

// StartVerificationParams are the parameters of
// [IdentityService.StartVerification]. DocumentType, Country, DocumentFrontID
// and SelfieID are required.
type StartVerificationParams struct {
	// DocumentType is the kind of document, not DocumentSelfie. Required.
	DocumentType DocumentType `json:"document_type"`
	// Country is the issuing country as an ISO 3166-1 alpha-2 code, like DE.
	// The SDK checks that it is two upper-case letters. Required.
	Country string `json:"country"`
	// DocumentFrontID, DocumentBackID and SelfieID are ids of uploaded
	// documents. The front and the selfie are required.
	DocumentFrontID string `json:"document_front_id"`
	DocumentBackID  string `json:"document_back_id,omitempty"`
	SelfieID        string `json:"selfie_id"`
	// CallbackURL is the absolute http or https URL that the
	// verification.completed event is sent to. If empty, no event is sent.
	CallbackURL string `json:"callback_url,omitempty"`
	// Metadata comes back unchanged with the verification. If nil, it is not sent.
	Metadata map[string]string `json:"metadata,omitempty"`
}

func (p StartVerificationParams) validate() error {
	if p.DocumentType == DocumentSelfie {
		return invalid("DocumentType", "must be the kind of the identity document; the selfie goes with it as SelfieID")
	}
	return firstError(
		required("DocumentType", string(p.DocumentType)),
		required("Country", p.Country),
		country("Country", p.Country),
		required("DocumentFrontID", p.DocumentFrontID),
		required("SelfieID", p.SelfieID),
		callbackURL("CallbackURL", p.CallbackURL),
	)
}

func (p StartVerificationParams) personal() []string { return mapValues(p.Metadata) }

// LogValue shows the kind of document and its country only.
func (p StartVerificationParams) LogValue() slog.Value {
	return shownTexts("document_type", string(p.DocumentType), "country", p.Country)
}

// Format writes what LogValue shows, whatever the verb.
func (p StartVerificationParams) Format(f fmt.State, _ rune) {
	writeShown(f, "mid.StartVerificationParams", p.LogValue())
}

// Verification is the verification of one identity, as
// GET /identity/verifications/{id} answers it.
type Verification struct {
	ID           string             `json:"id"`
	Status       VerificationStatus `json:"status"`
	DocumentType DocumentType       `json:"document_type"`
	Country      string             `json:"country"`
	// EstimatedTime is how long the verification should take. It is zero if the
	// answer does not say, or says it in a form that the SDK does not know.
	EstimatedTime time.Duration `json:"-"`
	// Confidence is between 0 and 1. It is nil until the verification has ended.
	Confidence *float64           `json:"confidence,omitempty"`
	Checks     VerificationChecks `json:"checks,omitzero"`
	// ExtractedData is what the document says. It is the zero value until the
	// verification has ended. Personal data.
	ExtractedData ExtractedData `json:"extracted_data,omitzero"`
	// RejectionReason is why the verification was rejected. It is empty if it was
	// not rejected.
	RejectionReason string    `json:"rejection_reason,omitempty"`
	CreatedAt       time.Time `json:"created_at"`
	// CompletedAt is when the verification reached its final state. It is the
	// zero time until then.
	CompletedAt time.Time         `json:"completed_at,omitzero"`
	Metadata    map[string]string `json:"metadata,omitempty"`
}

func (v *Verification) identity() (id, status string) { return v.ID, string(v.Status) }

// LogValue shows the verification's id and status only.
func (v Verification) LogValue() slog.Value {
	return shownTexts("id", v.ID, "status", string(v.Status))
}

// Format writes what LogValue shows, whatever the verb.
func (v Verification) Format(f fmt.State, _ rune) { writeShown(f, "mid.Verification", v.LogValue()) }

// plainVerification has Verification's fields but not its methods, which package
// json would call again.
type plainVerification Verification

type wireVerification struct {
	*plainVerification
	EstimatedTime estimatedTime `json:"estimated_time,omitzero"`
}

// MarshalJSON encodes the verification as MID does.
func (v Verification) MarshalJSON() ([]byte, error) {
	return json.Marshal(wireVerification{(*plainVerification)(&v), estimatedTime(v.EstimatedTime)})
}

// UnmarshalJSON decodes what MID sends.
func (v *Verification) UnmarshalJSON(data []byte) error {
	wire := wireVerification{plainVerification: (*plainVerification)(v)}
	if err := jsonwire.Unmarshal(data, &wire); err != nil {
		return err
	}
	v.EstimatedTime = time.Duration(wire.EstimatedTime)
	return nil
}

// The results of a verification's checks. The set is open.
const (
	CheckPending   = "pending"
	CheckPassed    = "passed"
	CheckFailed    = "failed"
	CheckCompleted = "completed" // only of DataExtraction
)

// VerificationChecks are the parts of a verification, each with its result,
// like [CheckPassed]. A check that the answer does not name is empty.
type VerificationChecks struct {
	DocumentAuthenticity string `json:"document_authenticity,omitempty"`
	FaceMatch            string `json:"face_match,omitempty"`
	LivenessDetection    string `json:"liveness_detection,omitempty"`
	DataExtraction       string `json:"data_extraction,omitempty"`
}

// ExtractedData is what an identity document says. A field that the document does
// not have is empty. It is personal data, so it is a fixed text in package fmt,
// under every verb, and in package log/slog. JSON shows it: log no slice, map or
// struct that holds it with a [slog.JSONHandler].
type ExtractedData struct {
	FirstName      string `json:"first_name,omitempty"`
	LastName       string `json:"last_name,omitempty"`
	DateOfBirth    string `json:"date_of_birth,omitempty"` // ISO 8601 date
	DocumentNumber string `json:"document_number,omitempty"`
	ExpiryDate     string `json:"expiry_date,omitempty"` // ISO 8601 date
	Nationality    string `json:"nationality,omitempty"`
}

// LogValue is a fixed text in place of the data.
func (ExtractedData) LogValue() slog.Value { return hidden() }

// Format writes a fixed text in place of the data, whatever the verb.
func (d ExtractedData) Format(f fmt.State, _ rune) { writeShown(f, "mid.ExtractedData", d.LogValue()) }

// UploadDocument uploads an image of an identity document, or a selfie. The
// file is streamed: it is never held in memory as a whole. It is sent again on
// a retry only if it can be read again, see [File].
//
// POST /identity/documents
func (s *IdentityService) UploadDocument(ctx context.Context, params UploadIdentityDocumentParams, opts ...RequestOption) (*IdentityDocument, error) {
	return upload[IdentityDocument](ctx, s.pipeline, opUploadIdentityDocument, params, opts)
}

func (p UploadIdentityDocumentParams) form() form {
	return form{
		file:     p.File,
		progress: p.Progress,
		fields: [][2]string{
			{"type", string(p.Type)},
			{"side", string(p.Side)},
			{"country", p.Country},
		},
	}
}

// StartVerification starts the verification of an identity from uploaded
// documents. It does not wait for the end: the verification that it returns is
// [VerificationProcessing]. Wait with [IdentityService.WaitForVerification], or
// for a webhook.
//
// POST /identity/verify
func (s *IdentityService) StartVerification(ctx context.Context, params StartVerificationParams, opts ...RequestOption) (*Verification, error) {
	return post[Verification](ctx, s.pipeline, opStartVerification, params, opts)
}

// GetVerification returns the verification with the given id. An unknown id is
// an [*APIError] that matches [ErrNotFound]; an empty one is a
// [*ValidationError].
//
// GET /identity/verifications/{id}
func (s *IdentityService) GetVerification(ctx context.Context, id string, opts ...RequestOption) (*Verification, error) {
	return get[Verification](ctx, s.pipeline, opGetVerification, id, opts)
}

// WaitForVerification polls until the verification's status is final and returns
// the verification. A verification has no expiry of its own, so give ctx a
// deadline. Errors are as for [AuthenticationService.WaitForSession].
//
// GET /identity/verifications/{id}
func (s *IdentityService) WaitForVerification(ctx context.Context, id string, opts PollOptions) (*Verification, error) {
	return s.poller(id).wait(ctx, opts)
}

// WatchVerification polls like [IdentityService.WaitForVerification]. It yields the
// verification as first seen, and then once for every change of its status or its
// checks. An error is yielded last.
//
// GET /identity/verifications/{id}
func (s *IdentityService) WatchVerification(ctx context.Context, id string, opts PollOptions) iter.Seq2[*Verification, error] {
	return s.poller(id).watch(ctx, opts)
}

func (s *IdentityService) poller(id string) poller[Verification] {
	return poller[Verification]{
		id:       id,
		notifier: s.notifier,
		get: func(ctx context.Context, opts ...RequestOption) (*Verification, error) {
			return s.GetVerification(ctx, id, opts...)
		},
		state:   func(v *Verification) string { return fmt.Sprint(v.Status, v.Checks) },
		final:   func(v *Verification) bool { return v.Status.Final() },
		expires: func(*Verification) time.Time { return time.Time{} },
	}
}
