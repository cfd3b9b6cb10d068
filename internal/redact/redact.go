// Package redact takes secrets and personal data out of texts that came from
// outside, such as the error page of a proxy that echoes the request.
package redact

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Mark stands in a text for what was taken out.
const Mark = "[REDACTED]"

// shortSecret is the length in bytes under which a secret may be an everyday
// word, as in tests. It is then taken out as a whole word only.
const shortSecret = 8

// Texts replaces secrets and personal values in a text by [Mark], in every
// spelling that JSON, URLs, HTML and Go's quotes have for them. A personal value
// is found in either case, and as a whole word only, because it may be as short
// as a name. Empty values are ignored.
func Texts(text string, secrets, personal []string) string {
	var room [8]value // on the stack: this runs for every log line
	values := room[:0]
	for _, s := range secrets {
		if s != "" && !utf8.ValidString(s) { // it may begin or end within a character
			text = strings.ReplaceAll(text, s, Mark)
		}
		if v := (value{text: s, whole: len(s) < shortSecret}); s != "" && v.mayStandIn(text) {
			values = append(values, v)
		}
	}
	for _, p := range personal {
		if v := (value{text: p, whole: true, anyCase: true}); utf8.RuneCountInString(p) > 1 && v.mayStandIn(text) {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return text
	}
	clean := replace(text, values)
	// An invisible character, or a zero of UTF-16, can part a value.
	if visible := strings.Map(visibleRune, clean); visible != clean {
		if cleaner := replace(visible, values); cleaner != visible {
			return cleaner
		}
	}
	return clean
}

// value is a text to take out.
type value struct {
	text    string
	whole   bool // only where no letter or digit stands beside it
	anyCase bool
}

// mayStandIn reports whether a text could hold the value, so that nearly every text
// is done with quickly. Every character takes a byte at least, however it is
// spelled. All spellings keep the value's longest run of letters and digits, unless
// invisible characters part it.
func (v value) mayStandIn(text string) bool {
	if utf8.RuneCountInString(v.text) > len(text) {
		return false
	}
	longest := ""
	for run := range strings.FieldsFuncSeq(v.text, isSpecial) {
		if len(run) > len(longest) {
			longest = run
		}
	}
	return !isPlain(text) || containsFold(text, longest)
}

// isPlain reports whether a text has printable characters of ASCII only. No other
// character is the same as one of them in another case, or invisible.
func isPlain(text string) bool {
	for _, b := range []byte(text) {
		if b < ' ' || b > '~' {
			return false
		}
	}
	return true
}

// containsFold reports whether a text holds another one in either case.
func containsFold(text, part string) bool {
	for at := 0; at+len(part) <= len(text); at++ {
		if strings.EqualFold(text[at:at+len(part)], part) {
			return true
		}
	}
	return false
}

// replace takes the longest value at each place, because one may be the
// beginning of another.
func replace(text string, values []value) string {
	var b strings.Builder
	copied := 0
	for at := 0; at < len(text); {
		longest := 0
		for _, v := range values {
			longest = max(longest, v.spelledAt(text, at))
		}
		if longest == 0 {
			_, size := utf8.DecodeRuneInString(text[at:])
			at += size
			continue
		}
		b.WriteString(text[copied:at])
		b.WriteString(Mark)
		at += longest
		copied = at
	}
	if copied == 0 {
		return text
	}
	b.WriteString(text[copied:])
	return b.String()
}

// spelledAt returns the length of the value's spelling at a place of the text,
// zero if it does not stand there.
func (v value) spelledAt(text string, at int) int {
	rest, ok := v.spelled(text[at:], v.text)
	if !ok {
		return 0
	}
	if v.whole {
		before, _ := utf8.DecodeLastRuneInString(text[:at])
		after, _ := utf8.DecodeRuneInString(rest)
		if isWord(before) || isWord(after) {
			return 0
		}
	}
	return len(text) - at - len(rest)
}

// spelled returns what follows the characters of want at the start of a text. One
// spelling may be the beginning of another, as & is of &amp;, so all are tried.
func (v value) spelled(text, want string) (rest string, ok bool) {
	if want == "" {
		return text, true
	}
	char, size := utf8.DecodeRuneInString(want)
	for _, n := range spellings(text, char, v.anyCase) {
		if n == 0 {
			continue
		}
		if rest, ok := v.spelled(text[n:], want[size:]); ok {
			return rest, true
		}
	}
	return "", false
}

// isWord takes the underscore in, so that a word is not taken out of an error
// code such as not_found.
func isWord(r rune) bool {
	return r == '_' || r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r))
}

func visibleRune(r rune) rune {
	if isInvisible(r) {
		return -1
	}
	return r
}

func isInvisible(r rune) bool { return !unicode.IsPrint(r) && !unicode.IsSpace(r) }
