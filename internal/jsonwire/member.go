package jsonwire

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Member returns the value that json.Unmarshal decodes into a field of the name:
// the last member of this name, in any case of its letters. It is nil if there is
// none or it is null. The object, of which the value is a part, must be valid
// JSON: Member then takes a fraction of the time of a parser.
func Member(object []byte, name string) json.RawMessage {
	var found []byte
	at := bytes.IndexByte(object, '{') + 1
	if at == 0 || len(bytes.TrimLeft(object[:at], whitespace)) > 1 {
		return nil // another kind of value
	}
	for at < len(object) && object[at] != '}' {
		if object[at] != '"' {
			at++ // white space or a comma
			continue
		}
		key := object[at:valueEnd(object, at)]
		at += len(key)
		at += bytes.IndexByte(object[at:], ':') + 1
		at = len(object) - len(bytes.TrimLeft(object[at:], whitespace))
		end := valueEnd(object, at)
		if isName(key, name) {
			found = object[at:end:end]
		}
		at = end
	}
	if string(found) == "null" {
		return nil
	}
	return found
}

const whitespace = " \t\r\n"

func isName(key []byte, name string) bool {
	if len(key) < len(`""`) {
		return false // the text is cut off
	}
	if bytes.IndexByte(key, '\\') < 0 {
		return strings.EqualFold(string(key[1:len(key)-1]), name)
	}
	var text string
	return json.Unmarshal(key, &text) == nil && strings.EqualFold(text, name)
}

// valueEnd returns where the value ends that begins at a place of a valid text.
func valueEnd(data []byte, at int) int {
	depth := 0
	for at < len(data) {
		switch data[at] {
		case '"':
			at = stringEnd(data, at)
			if depth == 0 {
				return at
			}
			continue
		case '{', '[':
			depth++
		case '}', ']', ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return at // of a number or a literal
			}
			if data[at] == '}' || data[at] == ']' {
				depth--
				if depth == 0 {
					return at + 1
				}
			}
		}
		at++
	}
	return at
}

// stringEnd returns where the string ends that begins at a place of a valid text.
func stringEnd(data []byte, at int) int {
	begin := at + 1
	for at = begin; at < len(data); at++ {
		quote := bytes.IndexByte(data[at:], '"')
		if quote < 0 {
			break
		}
		at += quote
		text := data[begin:at]
		if escapes := len(text) - len(bytes.TrimRight(text, `\`)); escapes%2 == 0 {
			return at + 1
		}
	}
	return len(data)
}
