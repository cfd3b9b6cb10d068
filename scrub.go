package mid

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/mobid-io/mid-go/internal/transport"
)

// scrub takes the client secret and the call's tokens out of a text that came
// from outside: a proxy may have echoed the request.
func (p *pipeline) scrub(call *transport.Call, text string) string {
	secrets := append(call.Tokens(), p.secret())
	// No spelling is shorter than the secret itself, so that a text like a
	// request id need not be looked at.
	if !slices.ContainsFunc(secrets, func(s string) bool { return s != "" && len(s) <= len(text) }) {
		return text
	}
	// The longest first: one may be the beginning of another.
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	clean := scrubAll(text, secrets)
	// A character that nobody sees, or a zero of UTF-16, parts a secret.
	if visible := strings.Map(visibleRune, clean); visible != clean {
		if scrubbed := scrubAll(visible, secrets); scrubbed != visible {
			return scrubbed
		}
	}
	return clean
}

// scrubTold scrubs what an error's text tells. The contract's own codes are left
// alone: programs act by them, and a secret of a test may be a part of one, such
// as client or id.
func (p *pipeline) scrubTold(call *transport.Call, e *APIError) {
	if !slices.Contains(contractCodes, e.Code) {
		e.Code = ErrorCode(p.scrub(call, string(e.Code)))
	}
	e.Message = p.scrub(call, e.Message)
	e.RequestID = p.scrub(call, e.RequestID)
	for i, d := range e.Details {
		e.Details[i] = FieldError{p.scrub(call, d.Field), p.scrub(call, d.Message)}
	}
}

// isScrubbed reports whether an error is one that the SDK has made of scrubbed
// texts. Its fixed words and paths are no secrets, whatever the secret is.
func isScrubbed(err error) bool {
	switch err.(type) { //nolint:errorlint // what wraps one may say more
	case *APIError, *RateLimitError, *ValidationError, *sendError:
		return true
	}
	return false
}

func visibleRune(r rune) rune {
	if unicode.IsPrint(r) || unicode.IsSpace(r) {
		return r
	}
	return -1
}

func scrubAll(text string, secrets []string) string {
	for _, secret := range secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, redacted)
			text = scrubSpellings(text, secret)
		}
	}
	return text
}

// tidy makes one short line of a text that came from outside, for the log.
func (p *pipeline) tidy(call *transport.Call, text string) string {
	return line(p.scrub(call, text), maxLine)
}

// scrubSpellings takes out what a secret has become in JSON, in a URL, in HTML
// or in Go's quotes, or in several of them, one in the other.
func scrubSpellings(text, secret string) string {
	// Letters and digits read the same everywhere. A text without the longest
	// run of them, which is nearly every text, is done with quickly.
	longest := ""
	for run := range strings.FieldsFuncSeq(secret, isEscaped) {
		if len(run) > len(longest) {
			longest = run
		}
	}
	if longest == secret || !strings.Contains(text, longest) {
		return text
	}
	var pattern strings.Builder
	for _, r := range secret {
		char := string(r)
		if !isEscaped(r) {
			pattern.WriteString(char)
			continue
		}
		fmt.Fprintf(&pattern, `(?:\\*%s|(?i)\\+u%04x|%s|&#0*%d;|&#x0*%x;`, regexp.QuoteMeta(char), r,
			regexp.QuoteMeta(url.QueryEscape(char)), r, r)
		if name, ok := htmlNames[r]; ok {
			pattern.WriteString("|" + name)
		}
		pattern.WriteByte(')')
	}
	spelled, err := regexp.Compile(pattern.String())
	if err != nil {
		return redacted // what can't be scrubbed is not shown
	}
	return spelled.ReplaceAllLiteralString(text, redacted)
}

// htmlNames are the character references that escaping makes. Package html
// would bring the names of all others into every program.
var htmlNames = map[rune]string{'&': "&amp;", '<': "&lt;", '>': "&gt;", '"': "&quot;", '\'': "&apos;"}

func isEscaped(r rune) bool {
	return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
}
