package jsonwire

import (
	"reflect"
	"strings"
)

// fieldNamed returns the field that json.Unmarshal decodes the member of the
// name into: the one of exactly this name, else of another case.
func fieldNamed(t reflect.Type, name string) (reflect.StructField, bool) {
	var other reflect.StructField
	found := false
	for _, f := range reflect.VisibleFields(t) {
		switch known, ok := jsonName(f); {
		case !ok:
		case known == name:
			return f, true
		case !found && strings.EqualFold(known, name):
			other, found = f, true
		}
	}
	return other, found
}

// jsonName returns a field's name in JSON. ok is false if it has no such name.
func jsonName(f reflect.StructField) (name string, ok bool) {
	tag := f.Tag.Get("json")
	name, _, _ = strings.Cut(tag, ",")
	switch {
	case tag == "-", !f.IsExported(), name == "" && f.Anonymous:
		return "", false
	case name == "":
		return f.Name, true
	}
	return name, true
}

// names collects the names that a type's fields have in JSON, at every depth,
// by their lower-case forms. The names of embedded fields, which are no names
// in JSON, are empty.
func names(t reflect.Type, into map[string]string, seen map[reflect.Type]bool) {
	for {
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
			t = t.Elem()
			continue
		}
		break
	}
	if t.Kind() != reflect.Struct || seen[t] {
		return
	}
	seen[t] = true
	for _, f := range reflect.VisibleFields(t) {
		switch name, ok := jsonName(f); {
		case ok:
			into[strings.ToLower(name)] = name
		case f.Anonymous:
			if _, taken := into[strings.ToLower(f.Name)]; !taken {
				into[strings.ToLower(f.Name)] = ""
			}
		default:
			continue
		}
		names(f.Type, into, seen)
	}
}
