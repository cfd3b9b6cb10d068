package midtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/mobid-io/mid-go"
)

// maxItems bounds the arrays of a request. The contract has no bound; this one
// keeps a request of 1 MiB from taking hundreds.
const maxItems = 1000

// object is a JSON object that was sent. It is read member by member, because
// encoding/json would take INTENT for intent, and null or an empty text for an
// absent one; the contract does not.
type object struct {
	names   mid.FieldNames // of its members; callers give the contract's
	at      string         // where it is in the request, like signers[0]. with the dot
	members map[string]json.RawMessage
	details *details // what is wrong so far, with the whole request
}

func newObject(names mid.FieldNames, text []byte) (object, error) {
	if !utf8.Valid(text) {
		return object{}, newProblem(mid.CodeInvalidRequest, "the body is not valid UTF-8")
	}
	members, ok := decode[map[string]json.RawMessage](text)
	switch {
	case ok:
		return object{names: names, members: members, details: &details{}}, nil
	case json.Valid(text):
		return object{}, newProblem(mid.CodeInvalidRequest, "the body must be a JSON object")
	}
	return object{}, newProblem(mid.CodeInvalidRequest, "the body is not valid JSON")
}

// invalid is nil if nothing is wrong with the request.
func (o object) invalid() error { return invalid(*o.details) }

// complain notes what is wrong with a member, or an item of one.
func (o object) complain(name, message string) {
	o.details.add(o.at+spelled(o.names, name), message)
}

// require notes a member that is missing.
func (o object) require(name string) {
	if _, sent := o.members[spelled(o.names, name)]; !sent {
		o.complain(name, "is required")
	}
}

// required reads a text that must be there.
func (o object) required(name string, c check) string {
	o.require(name)
	return o.optional(name, c)
}

// optional reads a text that may be absent.
func (o object) optional(name string, c check) string {
	text, ok := member[string](o, name, "a string")
	if ok {
		o.check(name, text, c)
	}
	return text
}

// check notes what c finds wrong with a member, or an item of one.
func (o object) check(name, text string, c check) {
	if complaint := c(text); complaint != "" {
		o.complain(name, complaint)
	}
}

// member reads what may be absent, and is not ok then. It notes what is of
// another type, or in the other spelling.
func member[T any](o object, name, kind string) (v T, ok bool) {
	if other := misspelled(o.names, name); other != "" && o.members[other] != nil {
		o.details.add(o.at+other, "is spelled "+spelled(o.names, name)+" here")
	}
	raw, sent := o.members[spelled(o.names, name)]
	if !sent {
		return v, false
	}
	return value[T](o, name, raw, kind)
}

// value reads a member, or an item of one.
func value[T any](o object, name string, raw json.RawMessage, kind string) (v T, ok bool) {
	v, ok = decode[T](raw)
	if !ok {
		o.complain(name, "must be "+kind)
	}
	return v, ok
}

// items reads an array that must be there, with something in it.
func (o object) items(name string) (items []json.RawMessage) {
	o.require(name)
	raw, ok := member[json.RawMessage](o, name, "an array")
	if !ok {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	if start, _ := d.Token(); start != json.Delim('[') { // it is valid JSON
		o.complain(name, "must be an array")
		return nil
	}
	for d.More() && len(items) < maxItems {
		var item json.RawMessage
		_ = d.Decode(&item) // it is valid JSON
		items = append(items, item)
	}
	switch {
	case len(items) == 0:
		o.complain(name, "must have at least one item")
	case d.More():
		o.complain(name, fmt.Sprintf("must not have more than %d items", maxItems))
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
			o.check(at, text, c)
		}
		texts = append(texts, text)
	}
	return texts
}

// objects reads an array of objects, leaving out the items of another type.
func (o object) objects(name string) []object {
	var objects []object
	for i, raw := range o.items(name) {
		at := fmt.Sprintf("%s[%d]", name, i)
		if members, ok := value[map[string]json.RawMessage](o, at, raw, "an object"); ok {
			objects = append(objects, object{o.names, o.at + spelled(o.names, at) + ".", members, o.details})
		}
	}
	return objects
}

func (o object) metadata() map[string]string {
	metadata, _ := member[textsByKey](o, metadataName, "an object whose values are strings")
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
			return errors.New("midtest: null is not a string")
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
