package midtest

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/mobid-io/mid-go"
)

// object is a JSON object that was sent. It is read member by member, because
// encoding/json would take INTENT for intent, and null or an empty text for
// nothing at all; the contract does not.
type object struct {
	at      string // where it is in the request, like signers[0]. with the dot
	members map[string]json.RawMessage
	details *details // what is wrong so far, with the whole request
}

func newObject(text []byte) (object, error) {
	members, ok := decode[map[string]json.RawMessage](text)
	switch {
	case ok:
		return object{members: members, details: &details{}}, nil
	case json.Valid(text):
		return object{}, newProblem(mid.CodeInvalidRequest, "the body must be a JSON object")
	}
	return object{}, newProblem(mid.CodeInvalidRequest, "the body is not valid JSON")
}

// invalid is nil if nothing is wrong with the request.
func (o object) invalid() error { return invalid(*o.details) }

// required reads a text that must be there.
func (o object) required(name string, c check) string {
	if !o.has(name) {
		return ""
	}
	return o.optional(name, c)
}

// optional reads a text that may be absent.
func (o object) optional(name string, c check) string {
	text, ok := member[string](o, name, "a string")
	if ok {
		o.details.check(o.at+name, text, c)
	}
	return text
}

// has reports whether a required member is there, and notes it if not.
func (o object) has(name string) bool {
	_, sent := o.members[name]
	if !sent {
		o.details.add(o.at+name, "is required")
	}
	return sent
}

// member reads what may be absent, and is not ok then. It notes what is of
// another type.
func member[T any](o object, name, kind string) (v T, ok bool) {
	raw, sent := o.members[name]
	if !sent {
		return v, false
	}
	return value[T](o, name, raw, kind)
}

// value reads a member, or an item of one.
func value[T any](o object, name string, raw json.RawMessage, kind string) (v T, ok bool) {
	v, ok = decode[T](raw)
	if !ok {
		o.details.add(o.at+name, "must be "+kind)
	}
	return v, ok
}

// items reads an array that must be there, with something in it.
func (o object) items(name string) []json.RawMessage {
	if !o.has(name) {
		return nil
	}
	items, ok := member[[]json.RawMessage](o, name, "an array")
	if ok && len(items) == 0 {
		o.details.add(o.at+name, "must have at least one item")
	}
	return items
}

// texts reads an array of texts.
func (o object) texts(name string, c check) []string {
	var texts []string
	for i, raw := range o.items(name) {
		at := fmt.Sprintf("%s[%d]", name, i)
		text, ok := value[string](o, at, raw, "a string")
		if ok {
			o.details.check(o.at+at, text, c)
		}
		texts = append(texts, text)
	}
	return texts
}

// objects reads an array of objects, leaving out what is none.
func (o object) objects(name string) []object {
	var objects []object
	for i, raw := range o.items(name) {
		at := fmt.Sprintf("%s[%d]", name, i)
		if members, ok := value[map[string]json.RawMessage](o, at, raw, "an object"); ok {
			objects = append(objects, object{o.at + at + ".", members, o.details})
		}
	}
	return objects
}

func (o object) metadata() map[string]string {
	metadata, _ := member[textsByKey](o, "metadata", "an object whose values are strings")
	return metadata
}

type textsByKey map[string]string

// UnmarshalJSON implements json.Unmarshaler.
func (t *textsByKey) UnmarshalJSON(data []byte) error {
	var values map[string]*string
	if err := json.Unmarshal(data, &values); err != nil {
		return err
	}
	*t = make(textsByKey, len(values))
	for k, v := range values {
		if v == nil {
			return errors.New("midtest: null is no string")
		}
		(*t)[k] = *v
	}
	return nil
}

// decode fails on null too.
func decode[T any](raw json.RawMessage) (v T, ok bool) {
	var p *T
	if err := json.Unmarshal(raw, &p); err != nil || p == nil {
		return v, false
	}
	return *p, true
}
