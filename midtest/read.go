package midtest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"reflect"
	"strings"

	"github.com/mobid-io/mid-go"
)

const maxJSON = 1 << 20

// readID is the reader of a GET by id.
func readID(get func(id string) (any, error)) reader {
	return func(c *call) (prepared, error) {
		return prepared{do: func() (any, error) { return get(c.pathID) }}, nil
	}
}

// readJSON is the reader of a POST with JSON.
func readJSON[P any](do func(P) (any, error)) reader {
	return func(c *call) (prepared, error) {
		if mediaType, _, _ := mime.ParseMediaType(c.r.Header.Get("Content-Type")); mediaType != jsonType {
			return prepared{}, newProblem(mid.CodeUnsupportedMediaType, "the Content-Type must be application/json")
		}
		text, err := io.ReadAll(io.LimitReader(c.body, maxJSON+1))
		if err != nil {
			return prepared{}, newProblem(mid.CodeInvalidRequest, "the body ended early")
		}
		if len(text) > maxJSON {
			return prepared{}, newProblem(mid.CodePayloadTooLarge, "the body must not be longer than 1 MiB")
		}
		var params P
		if err := json.Unmarshal(text, &params); err != nil {
			return prepared{}, badJSON(err)
		}
		return prepared{
			request: c.fingerprint(text),
			do:      func() (any, error) { return do(params) },
		}, nil
	}
}

// fingerprint tells requests with the same idempotency key apart.
func (c *call) fingerprint(content []byte) string {
	sum := sha256.Sum256(content)
	return c.r.Method + " " + c.path + " " + hex.EncodeToString(sum[:])
}

// badJSON tells the field whose type is wrong, if that is all.
func badJSON(err error) error {
	var wrong *json.UnmarshalTypeError
	if !errors.As(err, &wrong) {
		return newProblem(mid.CodeInvalidRequest, "the body is not valid JSON")
	}
	field := wireField(wrong.Field)
	if field == "" {
		return newProblem(mid.CodeInvalidRequest, "the body must be a JSON object")
	}
	return invalid([]mid.FieldError{{Field: field, Message: "must be " + jsonKind(wrong.Type)}})
}

// wireField drops the names of embedded Go structs, which encoding/json puts
// into a field's path. Wire names have no upper case.
func wireField(path string) string {
	var wire []string
	for name := range strings.SplitSeq(path, ".") {
		if name == strings.ToLower(name) {
			wire = append(wire, name)
		}
	}
	return strings.Join(wire, ".")
}

func jsonKind(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64:
		return "a whole number"
	case reflect.Slice:
		return "an array"
	case reflect.Map, reflect.Struct:
		return "an object"
	default:
		return "a string"
	}
}
