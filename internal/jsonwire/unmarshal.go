// Package jsonwire reads JSON as servers really write it, and says what is
// wrong with it without quoting it.
package jsonwire

import (
	"bytes"
	"encoding"
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

var byteOrderMark = []byte("\ufeff")

// Unmarshal is [json.Unmarshal] that also accepts what other languages' encoders
// write: a byte order mark, an empty array for an empty object, an integer with a
// fraction of zero or an exponent, and every time of RFC 3339. An invalid time is
// read as null.
//
// A text that json.Unmarshal accepts costs nothing more.
func Unmarshal(data []byte, into any) error {
	data = TrimMark(data)
	err := json.Unmarshal(data, into)
	if err == nil || !json.Valid(data) {
		return err
	}
	// What the first pass has decoded, the second decodes again.
	return json.Unmarshal(mend(data, reflect.TypeOf(into), maxDepth), into)
}

// TrimMark returns data without a byte order mark at its start.
func TrimMark(data []byte) []byte { return bytes.TrimPrefix(data, byteOrderMark) }

// maxDepth bounds the work for types that contain themselves, each level of
// which is parsed anew.
const maxDepth = 32

// mend returns a JSON text as json.Unmarshal accepts it for the type, where it
// knows how.
func mend(data json.RawMessage, t reflect.Type, depth int) json.RawMessage {
	// A pointer is to what may be absent, which an empty array is not.
	optional := t.Kind() == reflect.Pointer
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == reflect.TypeFor[time.Time]() {
		return mendTime(data)
	}
	if depth == 0 || decodesItself(t) {
		return data
	}
	switch kind := t.Kind(); kind {
	case reflect.Struct, reflect.Map:
		if !optional && isEmptyArray(data) {
			return json.RawMessage("{}") // PHP has one word for both
		}
		if kind == reflect.Map {
			return mendObject(data, func(_ string, value json.RawMessage) json.RawMessage {
				return mend(value, t.Elem(), depth-1)
			})
		}
		return mendObject(data, func(name string, value json.RawMessage) json.RawMessage {
			if f, ok := fieldNamed(t, name); ok {
				return mend(value, f.Type, depth-1)
			}
			return value
		})
	case reflect.Slice, reflect.Array:
		return mendArray(data, func(value json.RawMessage) json.RawMessage {
			return mend(value, t.Elem(), depth-1)
		})
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return mendInteger(data)
	}
	return data
}

func decodesItself(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(reflect.TypeFor[json.Unmarshaler]()) || p.Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

func isEmptyArray(data json.RawMessage) bool {
	var array []json.RawMessage
	return json.Unmarshal(data, &array) == nil && array != nil && len(array) == 0
}

func mendObject(data json.RawMessage, mend func(string, json.RawMessage) json.RawMessage) json.RawMessage {
	var members map[string]json.RawMessage
	if json.Unmarshal(data, &members) != nil || len(members) == 0 {
		return data
	}
	for name, value := range members {
		members[name] = mend(name, value)
	}
	return encoded(members, data)
}

func mendArray(data json.RawMessage, mend func(json.RawMessage) json.RawMessage) json.RawMessage {
	var elements []json.RawMessage
	if json.Unmarshal(data, &elements) != nil || len(elements) == 0 {
		return data
	}
	for i, value := range elements {
		elements[i] = mend(value)
	}
	return encoded(elements, data)
}

// mendInteger rewrites a whole number with digits only.
func mendInteger(data json.RawMessage) json.RawMessage {
	whole, fraction, _ := strings.Cut(string(data), ".")
	if strings.Trim(fraction, "0") == "" && !strings.ContainsAny(whole, "eE") {
		return json.RawMessage(whole) // with all its digits, which a float64 may not have
	}
	f, err := strconv.ParseFloat(string(data), 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) >= 1<<63 {
		return data
	}
	return strconv.AppendInt(nil, int64(f), 10)
}

func mendTime(data json.RawMessage) json.RawMessage {
	var text string
	if json.Unmarshal(data, &text) == nil {
		if t, ok := ParseTime(text); ok {
			return encoded(t, data)
		}
	}
	return json.RawMessage("null")
}

// encoded returns v as JSON, or the text that it was made of.
func encoded(v any, original json.RawMessage) json.RawMessage {
	data, err := json.Marshal(v)
	if err != nil {
		return original
	}
	return data
}
