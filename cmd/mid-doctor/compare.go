package main

import (
	"encoding/json"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// members are those of a JSON object that have not been compared yet.
type members map[string]json.RawMessage

// compare looks for the fields of a schema in an answer's raw JSON. decoded is
// what the SDK made of it, and the zero Value if nothing: a field is read if it
// is not zero there. The result has no value of the answer's.
func compare(s *schema, raw json.RawMessage, decoded reflect.Value) []field {
	var object members
	if json.Unmarshal(raw, &object) != nil || object == nil {
		return []field{{Name: s.name, Verdict: missing, Note: "it is " + kindOfJSON(raw) + ", not an object"}}
	}
	var found []field
	for i := range s.fields {
		found = append(found, compareField(s, &s.fields[i], object, decoded)...)
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		found = append(found, field{Name: shownName(name), Verdict: unknown, Type: kindOfJSON(object[name])})
	}
	return found
}

// compareField takes a field out of the object.
func compareField(s *schema, p *part, object members, decoded reflect.Value) []field {
	f := field{Name: p.name, Type: p.kind, Inferred: p.inferred}
	name := locate(s, p, object)
	raw := object[name]
	delete(object, name)
	if name == "" || kindOfJSON(raw) == "null" {
		f.Verdict = missing
		if p.required {
			return []field{f}
		}
		return nil
	}
	var value reflect.Value
	if decoded.IsValid() {
		value = decoded.FieldByIndex(p.index)
	}
	f.Verdict = asContract
	if name != p.name {
		f.Verdict, f.CameAs = otherSpelling, shownName(name)
	}
	lost := value.IsValid() && value.IsZero() && !isZeroJSON(raw)
	switch kind := kindOfJSON(raw); {
	case !fits(kind, p.kind):
		f.Note = "it came as " + kind
		f.Verdict = otherSpelling
		if lost || !value.IsValid() {
			f.Verdict = unreadable
		}
	case lost:
		f.Verdict = unreadable
		if p.kind == "time" && name == p.name {
			f.Note = "it is no time of RFC 3339"
		}
	case p.object != nil:
		return append([]field{f}, compareInner(p, raw, value)...)
	}
	return []field{f}
}

// compareInner compares an object in an object, or the first element of a list.
func compareInner(p *part, raw json.RawMessage, value reflect.Value) []field {
	prefix := p.name + "."
	if p.kind == "list" {
		prefix = p.name + "[]."
		var list []json.RawMessage
		if json.Unmarshal(raw, &list) != nil || len(list) == 0 {
			return nil
		}
		raw = list[0]
		if value.IsValid() {
			value = value.Index(0)
		}
	}
	inner := compare(p.object, raw, value)
	for i := range inner {
		inner[i].Name = prefix + inner[i].Name
		inner[i].Inferred = inner[i].Inferred || p.inferred
	}
	return inner
}

// locate returns the name that a field has in an object, or the empty text.
func locate(s *schema, p *part, object members) string {
	if _, ok := object[p.name]; ok {
		return p.name
	}
	if p.name == "verified" {
		return "" // the SDK reads it under no other name
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if s.has(name) {
			continue
		}
		if letters(name) == letters(p.name) {
			return name
		}
		if p.name == "id" && slices.ContainsFunc(s.idNames, func(id string) bool { return letters(id) == letters(name) }) {
			return name
		}
	}
	return ""
}

// has reports whether a name is the contract's.
func (s *schema) has(name string) bool {
	return slices.ContainsFunc(s.fields, func(p part) bool { return p.name == name })
}

// letters is what two spellings of a name have in common.
func letters(name string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(name))
}

func kindOfJSON(raw json.RawMessage) string {
	if len(raw) == 0 {
		return "nothing"
	}
	switch raw[0] {
	case '{':
		return "object"
	case '[':
		return "list"
	case '"':
		return "text"
	case 't', 'f':
		return "bool"
	case 'n':
		return "null"
	}
	return "number"
}

func fits(kind, want string) bool {
	return kind == want || want == "any" || kind == "text" && want == "time"
}

// isZeroJSON reports whether a value is the zero value of its kind, which looks
// the same in Go whether it was read or not.
func isZeroJSON(raw json.RawMessage) bool {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return true
	}
	switch v := v.(type) {
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	}
	return v == nil || reflect.ValueOf(v).IsZero()
}

var plainName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]{0,63}$`)

// shownName keeps a name to itself that may be a value, such as an address that
// is the key of a map.
func shownName(name string) string {
	if plainName.MatchString(name) {
		return name
	}
	return "(a name that is not shown)"
}
