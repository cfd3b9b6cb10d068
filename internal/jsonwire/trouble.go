package jsonwire

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// Trouble says what is wrong with a JSON text, or with the value v that was to
// become one or to be made of one, by the error that package json returned. It
// quotes nothing and names no field that is not v's own: the path in an
// [json.UnmarshalTypeError] may have keys of a map, which may be personal data.
func Trouble(err error, v any) string {
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && e.Type != nil {
		what := "it, or a value in it,"
		if field := knownPath(e.Field, v); field != "" {
			what = "its field " + field
		} else if e.Field == "" && e.Type.Kind() == reflect.Struct {
			what = "it"
		}
		return what + " is not " + kind(e.Type)
	}
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		if e.Offset <= 1 {
			return "it is not JSON"
		}
		return fmt.Sprintf("it is not JSON, or only its first %d bytes are", e.Offset-1)
	}
	// Which of the two it is differs between releases of Go.
	_, badType := errors.AsType[*json.UnsupportedTypeError](err)
	if _, badValue := errors.AsType[*json.UnsupportedValueError](err); badType || badValue {
		return "it holds a value that JSON can't express, like a channel, NaN or a cycle"
	}
	if e, ok := errors.AsType[*json.MarshalerError](err); ok {
		t := e.Type
		for t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		return fmt.Sprintf("the encoder of %v fails", t)
	}
	return "one of its values has a form that the SDK does not know"
}

// knownPath returns the path to a field as far as v's own fields go.
func knownPath(path string, v any) string {
	known := make(map[string]string)
	if t := reflect.TypeOf(v); t != nil {
		names(t, known, make(map[reflect.Type]bool))
	}
	var shown []string
	for segment := range strings.SplitSeq(path, ".") {
		name, ok := known[strings.ToLower(segment)]
		if !ok {
			break
		}
		if name != "" {
			shown = append(shown, name)
		}
	}
	return strings.Join(shown, ".")
}

// kind names what JSON has for a Go type.
func kind(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Struct, reflect.Map:
		return "a JSON object"
	case reflect.Slice, reflect.Array:
		return "a JSON array"
	case reflect.String:
		return "a JSON string"
	case reflect.Bool:
		return "true or false"
	}
	return "a number that fits into " + t.String()
}
