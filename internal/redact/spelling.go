package redact

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// spellings returns the lengths of what may spell a character at the start of a
// text, the longer ones first; zero is for a spelling that does not stand there. Letters and digits of
// ASCII read the same everywhere. Any other character is read
//
//	as it is, after any number of backslashes (JSON and Go, also one in the other)
//	as \u0022, or as \n for a line break, after any number of backslashes (JSON and Go)
//	as %22, byte by byte, or as + for a space (RFC 3986, forms)
//	as &#34;, &#x22; or &quot; (HTML)
func spellings(text string, char rune, anyCase bool) [5]int {
	if !isSpecial(char) {
		return [5]int{literal(text, char, anyCase)}
	}
	unescaped := strings.TrimLeft(text, `\`)
	escapes := len(text) - len(unescaped)
	plain := literal(text, char, anyCase)
	switch {
	case escapes > 0 && char == '\\':
		return [5]int{after(escapes, fold(unescaped, "u005c")), escapes, plain}
	case escapes > 0:
		letter := 0
		if l := controlLetters[char]; l != "" && strings.HasPrefix(unescaped, l) {
			letter = 1
		}
		return [5]int{
			after(escapes, fold(unescaped, "u"+hex(uint64(char), 4))),
			after(escapes, literal(unescaped, char, anyCase)), after(escapes, letter),
		}
	case char == ' ' && strings.HasPrefix(text, "+"):
		return [5]int{1}
	}
	return [5]int{percent(text, char), named(text, char), numbered(text, char), plain}
}

func literal(text string, char rune, anyCase bool) int {
	r, size := utf8.DecodeRuneInString(text)
	if r == char || anyCase && unicode.ToLower(r) == unicode.ToLower(char) {
		return size
	}
	return 0
}

// after is the length of what was found behind a number of bytes.
func after(n, found int) int {
	if found == 0 {
		return 0
	}
	return n + found
}

// percent is the length of a percent-encoding of RFC 3986 section 2.1.
func percent(text string, char rune) int {
	if !strings.HasPrefix(text, "%") {
		return 0 // before a spelling is made that it can't have
	}
	n := 0
	for _, b := range []byte(string(char)) {
		size := fold(text[n:], "%"+hex(uint64(b), 2))
		if size == 0 {
			return 0
		}
		n += size
	}
	return n
}

var controlLetters = map[rune]string{'\t': "t", '\n': "n", '\r': "r"}

// htmlNames are the character references that escaping makes. Package html
// would bring the names of all others into every program.
var htmlNames = map[rune]string{'&': "&amp;", '<': "&lt;", '>': "&gt;", '"': "&quot;", '\'': "&apos;"}

// named is the length of a character reference of HTML by name.
func named(text string, char rune) int {
	if name := htmlNames[char]; name != "" && strings.HasPrefix(text, name) {
		return len(name)
	}
	return 0
}

// numbered is the length of a character reference of HTML by number.
func numbered(text string, char rune) int {
	digits, ok := strings.CutPrefix(text[:min(len(text), len("&#x0000000022;"))], "&#")
	if !ok {
		return 0
	}
	digits, _, ok = strings.Cut(digits, ";")
	if !ok || digits == "" {
		return 0
	}
	base, length := 10, len("&#;")+len(digits)
	if digits[0] == 'x' || digits[0] == 'X' {
		base, digits = 16, digits[1:]
	}
	if n, err := strconv.ParseUint(digits, base, 32); err != nil || rune(n) != char {
		return 0
	}
	return length
}

// fold is the length of a prefix that the text has in either case.
func fold(text, prefix string) int {
	if len(text) >= len(prefix) && strings.EqualFold(text[:len(prefix)], prefix) {
		return len(prefix)
	}
	return 0
}

func hex(n uint64, digits int) string {
	s := strconv.FormatUint(n, 16)
	return strings.Repeat("0", max(digits-len(s), 0)) + s
}

func isSpecial(r rune) bool {
	return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
}
