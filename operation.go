package mid

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/mobid-io/mid-go/internal/transport"
)

// Operation says which call a wire send belongs to. Name and Path hold no id and
// no personal data, so they suit metrics and traces.
type Operation struct {
	// Name is one of
	//
	//	token · auth.sessions.create · auth.sessions.get · auth.verify
	//	identity.documents.upload · identity.verifications.start · identity.verifications.get
	//	signing.documents.upload · signing.sessions.create · signing.sessions.get
	//	call, for Client.Call
	Name string
	// Path is the path template of the contract, like /auth/sessions/{id}. It
	// is empty for [Client.Call], whose path may hold ids.
	Path string
	// Attempt counts the wire sends of the call, including the present one. It is
	// 0 before the first.
	Attempt int
}

// OperationFrom returns the operation that ctx belongs to. Such a context reaches
// middleware ([http.Request.Context]), the handler of the logger given to
// [WithLogger], and a [Limiter], a [TokenCache] or a [TokenSource]. ok is false for
// any other context.
func OperationFrom(ctx context.Context) (op Operation, ok bool) {
	origin, ok := transport.OriginOf(ctx)
	return Operation{Name: origin.Operation, Path: origin.Template, Attempt: origin.Attempt}, ok
}

// QueueTime returns how long the wire send that ctx belongs to waited for its turn
// in the limiter's queue. The time for a token and the pauses between retries are
// not part of it. Such a context reaches middleware and the handler of the logger.
// For any other context, QueueTime returns zero.
func QueueTime(ctx context.Context) time.Duration {
	origin, _ := transport.OriginOf(ctx)
	return origin.Queued
}

// operation is one entry of the contract.
type operation struct {
	name, method, path string
	answers            resourceKind
}

// resourceKind is the kind of the data in an answer or an event.
type resourceKind int

const (
	kindOther resourceKind = iota // such as that of Client.Call
	kindAuthSession
	kindAuthResult
	kindDocument
	kindVerification
	kindSigningSession
)

// needs are the fields that data of a kind must have. Without them a caller could
// neither find the resource again nor act on it.
var needs = [...][]string{
	kindAuthSession:    {"id", "status"},
	kindAuthResult:     {"session_id", "status"},
	kindDocument:       {"id"},
	kindVerification:   {"id", "status"},
	kindSigningSession: {"id", "status"},
}

// prefix returns the path up to the id at its end.
func (o operation) prefix() string { return strings.TrimSuffix(o.path, "{id}") }

var (
	opToken             = operation{"token", http.MethodPost, "/auth/token", kindOther}
	opCreateAuthSession = operation{"auth.sessions.create", http.MethodPost, "/auth/sessions", kindAuthSession}
	opGetAuthSession    = operation{"auth.sessions.get", http.MethodGet, "/auth/sessions/{id}", kindAuthSession}
	opVerifyAuth        = operation{"auth.verify", http.MethodPost, "/auth/verify", kindAuthResult}

	opUploadIdentityDocument = operation{"identity.documents.upload", http.MethodPost, "/identity/documents", kindDocument}
	opStartVerification      = operation{"identity.verifications.start", http.MethodPost, "/identity/verify", kindVerification}
	opGetVerification        = operation{"identity.verifications.get", http.MethodGet, "/identity/verifications/{id}", kindVerification}

	opUploadSigningDocument = operation{"signing.documents.upload", http.MethodPost, "/signing/documents", kindDocument}
	opCreateSigningSession  = operation{"signing.sessions.create", http.MethodPost, "/signing/sessions", kindSigningSession}
	opGetSigningSession     = operation{"signing.sessions.get", http.MethodGet, "/signing/sessions/{id}", kindSigningSession}
)
