package main

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/mobid-io/mid-go"
)

// schema is a part of the contract: the fields of an object, or of the elements
// of a list.
type schema struct {
	name    string // in the contract
	fields  []part
	idNames []string // other names of the id that the SDK reads
}

// part is one field of a schema.
type part struct {
	name     string
	kind     string  // text, number, bool, time, object, list or any
	object   *schema // of an object or a list whose fields are known
	index    []int   // in the SDK's type; nil if that has no such field
	required bool
	inferred bool
}

// required are the fields that the contract requires, by schema. A test holds
// this table and the next to the contract.
var required = map[string][]string{
	"Token":                {"access_token", "token_type", "expires_in"},
	"AuthSession":          {"id", "status", "intent", "qr_code", "qr_data", "created_at", "expires_at"},
	"AuthenticationResult": {"session_id", "verified", "status"},
	"IdentityDocument":     {"id", "type", "file_name", "content_type", "size", "sha256", "created_at"},
	"Verification":         {"id", "status", "document_type", "country", "created_at"},
	"SigningDocument":      {"id", "name", "content_type", "size", "sha256", "created_at"},
	"SigningSession":       {"id", "status", "document_ids", "signers", "require_biometric", "created_at", "expires_at"},
	"Signer":               {"name", "email", "status", "sign_url"},
	"Event":                {"id", "type", "timestamp", "data"},
	"Meta":                 {"request_id", "timestamp"},
	"Error":                {"code", "message"},
	"Error.details":        {"field", "message"},
	"ErrorResponse":        {"error"},
	"AuthSessionResponse":  {"success", "data", "meta"}, // as of every other answer

	"code envelope":              {"code", "data"}, // the vendor's, not the contract's
	"code envelope of a failure": {"code", "message"},
	"event of the other shape":   {"session_id", "status", "timestamp"},
}

// inferred are the fields that no page of the vendor's states; a schema without
// fields is inferred as a whole.
var inferred = map[string][]string{
	"Token": nil, "AuthenticationResult": nil, "IdentityDocument": nil, "SigningDocument": nil, "Event": nil,
	"Error":        {"details"},
	"Verification": {"rejection_reason"},
}

// What the contract has and the SDK has no exported type with tags for.
type (
	wireToken struct {
		AccessToken string `json:"access_token"`
		TokenType   string `json:"token_type"`
		ExpiresIn   int64  `json:"expires_in"`
		Scope       string `json:"scope"`
	}
	wireMeta struct {
		RequestID string    `json:"request_id"`
		Timestamp time.Time `json:"timestamp"`
	}
	wireSuccess struct {
		Success bool            `json:"success"`
		Data    json.RawMessage `json:"data"`
		Meta    wireMeta        `json:"meta"`
	}
	wireError struct {
		Code       string       `json:"code"`
		Message    string       `json:"message"`
		RetryAfter int64        `json:"retry_after"`
		Details    []wireDetail `json:"details"`
	}
	wireDetail struct {
		Field   string `json:"field"`
		Message string `json:"message"`
	}
	wireFailure struct {
		Success bool      `json:"success"`
		Error   wireError `json:"error"`
		Meta    wireMeta  `json:"meta"`
	}
	wireEvent struct {
		ID        string          `json:"id"`
		Type      string          `json:"type"`
		Timestamp int64           `json:"timestamp"`
		Data      json.RawMessage `json:"data"`
	}
)

var (
	authSession          = schemaOf[mid.AuthSession]("AuthSession", "session_id", "auth_session_id")
	authenticationResult = schemaOf[mid.AuthenticationResult]("AuthenticationResult")
	identityDocument     = schemaOf[mid.IdentityDocument]("IdentityDocument", "document_id")
	verification         = schemaOf[mid.Verification]("Verification", "verification_id")
	signingDocument      = schemaOf[mid.SigningDocument]("SigningDocument", "document_id")
	signingSession       = schemaOf[mid.SigningSession]("SigningSession", "signature_request_id", "signing_session_id", "session_id")

	tokenAnswer   = schemaOf[wireToken]("Token")
	successAnswer = schemaOf[wireSuccess]("AuthSessionResponse")
	failureAnswer = schemaOf[wireFailure]("ErrorResponse")
	eventBody     = schemaOf[wireEvent]("Event")
)

// nested are the contract's names of the types that others are made of. One that
// is not here has no name of its own in the contract.
var nested = map[reflect.Type]string{
	reflect.TypeFor[mid.Signer](): "Signer",
	reflect.TypeFor[wireMeta]():   "Meta",
	reflect.TypeFor[wireError]():  "Error",
	reflect.TypeFor[wireDetail](): "Error.details",
}

// schemaOf takes the names of the fields from the tags of T, so that they are
// those that the SDK reads.
func schemaOf[T any](name string, idNames ...string) *schema {
	s := structSchema(reflect.TypeFor[T](), name)
	s.idNames = idNames
	return s
}

func structSchema(t reflect.Type, name string) *schema {
	s := &schema{name: name}
	whole, isInferred := inferred[name]
	for f := range t.Fields() {
		wire, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		kind, element := kindOf(f.Type)
		if wire == "-" { // a duration, which the SDK decodes by itself
			wire, kind = "estimated_time", "text"
		}
		p := part{
			name: wire, kind: kind, index: f.Index,
			required: slices.Contains(required[name], wire),
			inferred: isInferred && (whole == nil || slices.Contains(whole, wire)),
		}
		if element != nil {
			p.object = structSchema(element, nested[element])
		}
		s.fields = append(s.fields, p)
	}
	return s
}

// kindOf returns the JSON kind of a Go type, and the struct that it holds.
func kindOf(t reflect.Type) (kind string, element reflect.Type) {
	if t == reflect.TypeFor[json.RawMessage]() {
		return "object", nil
	}
	if t == reflect.TypeFor[time.Time]() {
		return "time", nil
	}
	switch t.Kind() {
	case reflect.Pointer:
		return kindOf(t.Elem())
	case reflect.Struct:
		return "object", t
	case reflect.Map:
		return "object", nil
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Struct {
			return "list", t.Elem()
		}
		return "list", nil
	case reflect.Interface:
		return "any", nil
	case reflect.Bool:
		return "bool", nil
	case reflect.String:
		return "text", nil
	}
	return "number", nil
}
