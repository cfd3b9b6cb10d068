package mid

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/mobid-io/mid-go/internal/jsonwire"
)

// FieldNames is how the names of fields are spelled on the wire.
type FieldNames int

const (
	// SnakeCase is the spelling of the MID API v1 overview, like session_id. It
	// is the default.
	SnakeCase FieldNames = iota
	// CamelCase is the spelling of the vendor's other pages, like sessionId.
	CamelCase
)

// What follows reads other spellings than the contract's. It runs only when an
// answer or an event, read strictly, lacks what it must have, so that the usual one
// costs nothing more. Names that are spelled as in the contract win. Metadata stays
// as it is, because its keys are the application's.
//
//	sessionId                                     session_id, as any name in camelCase
//	session_id, verification_id, document_id,
//	signature_request_id, signing_session_id      id, of the resource that it names
//	{code, message, data}, error a bool           the envelope
//	"APPROVED"                                    "approved", where the status is in capitals
//	{sessionId, status, timestamp, data}          an event, see foldEvent
//
// The result of a verification, verified, is read under no other name.

// idAliases are other names of a resource's id, by the kind of the resource.
var idAliases = map[resourceKind][]string{
	kindAuthSession:    {"session_id", "auth_session_id"},
	kindVerification:   {"verification_id"},
	kindDocument:       {"document_id"},
	kindSigningSession: {"signature_request_id", "signing_session_id", "session_id"},
}

// object is a JSON object whose members have not been decoded.
type object map[string]json.RawMessage

// parseObject returns nil for anything but a JSON object.
func parseObject(data []byte) object {
	var o object
	if json.Unmarshal(jsonwire.TrimMark(data), &o) != nil {
		return nil
	}
	return o
}

func (o object) encoded() []byte {
	data, err := json.Marshal(o)
	if err != nil {
		return nil // can't happen: the members are JSON that was decoded
	}
	return data
}

// text returns a member that is a JSON string, else an empty text.
func (o object) text(name string) string {
	var text string
	_ = json.Unmarshal(o[name], &text) // leaves text empty for anything else
	return text
}

// scalar returns a member that is a JSON string or a number.
func (o object) scalar(name string) string {
	var number json.Number
	if text := o.text(name); text != "" || json.Unmarshal(o[name], &number) != nil {
		return text
	}
	return number.String()
}

// rename gives a member another name, unless there is one of that name.
func (o object) rename(from, to string) {
	if _, exact := o[to]; exact || from == to {
		return
	}
	if member, ok := o[from]; ok {
		o[to] = member
		delete(o, from)
	}
}

// foldResource returns a resource as the contract spells it.
func foldResource(data []byte, kind resourceKind) []byte {
	o := parseObject(foldNames(data))
	if o == nil {
		return data
	}
	for _, alias := range idAliases[kind] {
		o.rename(alias, "id")
	}
	return o.encoded()
}

// foldAnswer returns a success in the contract's envelope and spelling. A kind of
// kindOther leaves the data as it came.
func foldAnswer(body []byte, kind resourceKind) []byte {
	o := foldEnvelope(body)
	if o == nil {
		return body
	}
	if data, ok := o["data"]; ok && kind != kindOther {
		o["data"] = foldResource(data, kind)
	}
	return o.encoded()
}

// foldError returns an answer that is not a success in the contract's envelope and
// spelling. If its error is only a bool, or absent, the error is what stands beside.
func foldError(body []byte) []byte {
	o := foldEnvelope(body)
	if o == nil {
		return body
	}
	if _, is := o["error"]; !is {
		problem := object{"code": jsonText(o.scalar("code")), "message": jsonText(o.text("message"))}
		if details, ok := o["details"]; ok {
			problem["details"] = details
		}
		o["error"] = problem.encoded()
	}
	return o.encoded()
}

// foldEnvelope folds all names but those in the data, and drops an error that is
// only a bool.
func foldEnvelope(body []byte) object {
	o := parseObject(body)
	if o == nil {
		return nil
	}
	data, hasData := o["data"]
	delete(o, "data")
	o = parseObject(foldNames(o.encoded()))
	if failed := string(o["error"]); failed == "true" || failed == "false" {
		delete(o, "error")
	}
	if hasData {
		o["data"] = data
	}
	return o
}

// subjects are the names that the id of a resource has in an event of the other
// shape, each with the resource's name in the event's type.
var subjects = [...][2]string{
	{"session_id", "session"},
	{"verification_id", "verification"},
	{"signature_request_id", "signature_request"},
}

// foldEvent returns an event as the contract spells it, with its data as it came.
//
// An event of the other shape has no id and no type, but the id of a resource, its
// status, a timestamp and data. The event's id is made of the resource's id and
// status, so that all deliveries have the same id. Its type is session.status,
// verification.status or signature_request.status, and its data is all of it.
func foldEvent(payload []byte) []byte {
	came := parseObject(payload)
	if came == nil {
		return payload
	}
	data := came["data"]
	delete(came, "data")
	o := parseObject(foldNames(came.encoded()))
	for _, subject := range subjects {
		id := o.text(subject[0])
		if o.text("id") != "" || o.text("type") != "" || id == "" {
			continue
		}
		o["id"] = jsonText(id + ":" + o.text("status"))
		o["type"] = jsonText(subject[1] + ".status")
		data = payload
	}
	if data != nil {
		o["data"] = data
	}
	millis, ok := unixMillis(o.scalar("timestamp"))
	delete(o, "timestamp")
	if ok {
		o["timestamp"] = strconv.AppendInt(nil, millis, 10)
	}
	return o.encoded()
}

// unixMillis reads a time of RFC 3339, or seconds or milliseconds since 1970.
func unixMillis(text string) (int64, bool) {
	if t, ok := jsonwire.ParseTime(text); ok {
		return t.UnixMilli(), true
	}
	const earliest = 1e11 // in 1973, as milliseconds; as seconds, thousands of years from now
	n, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil || n < 1 || n > 1e15:
		return 0, false
	case n < earliest:
		n *= 1000
	}
	return int64(n), true
}

// foldSubject returns the id of what data of any kind is about, or empty.
func foldSubject(data []byte) string {
	o := parseObject(foldNames(data))
	if id := o.text("id"); id != "" {
		return id
	}
	for _, subject := range subjects {
		if id := o.text(subject[0]); id != "" {
			return id
		}
	}
	return ""
}

func jsonText(text string) json.RawMessage {
	data, _ := json.Marshal(text) // a string always encodes
	return data
}

// valueSets are the fields whose values are words of the contract.
var valueSets = map[string]bool{
	"status": true, "intent": true, "method": true, "document_type": true, "side": true,
	"document_authenticity": true, "face_match": true, "liveness_detection": true, "data_extraction": true,
}

// foldNames spells the names in a JSON text in snake_case, and the words of the
// contract in lower case.
func foldNames(data []byte) []byte {
	return mapObjects(data, maxLevels, func(o object) {
		for _, name := range slices.Sorted(maps.Keys(o)) { // so that of two names always the same one is read
			o.rename(name, snakeCase(name))
		}
		for name := range o {
			if text := o.text(name); valueSets[name] && isUpper(text) {
				o[name] = jsonText(strings.ToLower(text))
			}
		}
	})
}

// camelNames spells the names in a JSON text in camelCase.
func camelNames(data []byte) []byte {
	return mapObjects(data, maxLevels, func(o object) {
		for _, name := range slices.Collect(maps.Keys(o)) {
			o.rename(name, camelCase(name))
		}
	})
}

// maxLevels is more than any answer of MID has. Each level is decoded and encoded
// anew, so that without a bound a deep text would take minutes.
const maxLevels = 16

// mapObjects changes all objects in so many levels of a JSON text but the
// metadata, the inner ones first.
func mapObjects(data json.RawMessage, levels int, change func(object)) json.RawMessage {
	data = bytes.TrimSpace(data)
	if len(data) == 0 || levels == 0 {
		return data
	}
	switch data[0] {
	case '{':
		o := parseObject(data)
		if o == nil {
			return data
		}
		for name, member := range o {
			if name != "metadata" {
				o[name] = mapObjects(member, levels-1, change)
			}
		}
		change(o)
		return o.encoded()
	case '[':
		var list []json.RawMessage
		if json.Unmarshal(data, &list) != nil {
			return data
		}
		for i, element := range list {
			list[i] = mapObjects(element, levels-1, change)
		}
		if out, err := json.Marshal(list); err == nil {
			return out
		}
	}
	return data
}

// snakeCase turns sessionId into session_id. A name that is not camelCase stays
// as it is.
func snakeCase(name string) string {
	if name == "" || !isLower(name[0]) || strings.Contains(name, "_") {
		return name
	}
	var b strings.Builder
	for i := range len(name) {
		c := name[i]
		// An acronym is one word, as in callbackURL.
		if 'A' <= c && c <= 'Z' && (isLower(name[i-1]) || i+1 < len(name) && isLower(name[i+1])) {
			b.WriteByte('_')
		}
		b.WriteByte(c)
	}
	return strings.ToLower(b.String())
}

// camelCase turns session_id into sessionId.
func camelCase(name string) string {
	words := strings.Split(name, "_")
	for i, word := range words[1:] {
		if word != "" {
			words[i+1] = strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return strings.Join(words, "")
}

func isLower(c byte) bool { return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' }

// isUpper reports whether a text has capitals and no small letters.
func isUpper(text string) bool {
	return strings.ContainsFunc(text, unicode.IsUpper) && strings.ToUpper(text) == text && strings.ToLower(text) != text
}
