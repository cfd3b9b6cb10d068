package midtest

import (
	"io"
	"mime"

	"github.com/mobid-io/mid-go"
)

const maxJSON = 1 << 20

// readID is the reader of a GET by id.
func readID(get func(id string) (any, error)) reader {
	return func(c *call) (prepared, error) {
		return prepared{do: func() (any, error) { return get(c.pathID) }}, nil
	}
}

// readJSON is the reader of a POST with JSON, whose members have these names.
func readJSON(names mid.FieldNames, do func(object) (any, error)) reader {
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
		o, err := newObject(names, text)
		if err != nil {
			return prepared{}, err
		}
		return prepared{
			request: c.fingerprint(text),
			do:      func() (any, error) { return do(o) },
		}, nil
	}
}
