package midtest

import (
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/mobid-io/mid-go"
)

var (
	e164    = regexp.MustCompile(`^\+[1-9][0-9]{1,14}$`)
	country = regexp.MustCompile(`^[A-Z]{2}$`)
	// uri is what a URL may consist of (RFC 3986, appendix A): url.Parse takes
	// more.
	uri = regexp.MustCompile(`^([A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*$`)
)

// details collects what is wrong with a request. Fields have their wire names;
// messages never quote the value, which may be personal data.
type details []mid.FieldError

// maxDetails is how many complaints a client gets to read at once.
const maxDetails = 100

func (d *details) add(field, message string) {
	if len(*d) < maxDetails {
		*d = append(*d, mid.FieldError{Field: field, Message: message})
	}
}

// check says what is wrong with a text that was sent; it is empty if the text
// is fine. Whether it may be absent is another question.
type check func(text string) (complaint string)

func complainUnless(ok bool, complaint string) string {
	if ok {
		return ""
	}
	return complaint
}

func anyText(string) string { return "" }

func notEmpty(text string) string {
	return complainUnless(text != "", "must not be empty")
}

func oneOf[T ~string](allowed ...T) check {
	return func(text string) string {
		if slices.Contains(allowed, T(text)) {
			return ""
		}
		names := make([]string, len(allowed))
		for i, a := range allowed {
			names[i] = string(a)
		}
		return "must be one of: " + strings.Join(names, ", ")
	}
}

func isRecipient(text string) string {
	return complainUnless(e164.MatchString(text), "must be a mobile number in E.164 form")
}

func isCountry(text string) string {
	return complainUnless(country.MatchString(text), "must be an ISO 3166-1 alpha-2 code in upper case")
}

func isEmail(text string) string {
	a, err := mail.ParseAddress(text)
	return complainUnless(err == nil && a.Address == text, "must be an e-mail address")
}

func isCallbackURL(text string) string {
	u, err := url.Parse(text)
	ok := err == nil && uri.MatchString(text) && isPort(u) && u.Hostname() != "" && (u.Scheme == "http" || u.Scheme == "https")
	return complainUnless(ok, "must be an absolute http or https URL")
}

// isPort reports whether a URL's port is one that can be dialled, or absent.
func isPort(u *url.URL) bool {
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	return u.Port() == "" || err == nil && port > 0
}
