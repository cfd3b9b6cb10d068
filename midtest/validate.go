package midtest

import (
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/mobid-io/mid-go"
)

var (
	e164    = regexp.MustCompile(`^\+[1-9][0-9]{1,14}$`)
	country = regexp.MustCompile(`^[A-Z]{2}$`)
)

// details collects what is wrong with a request. Fields have their wire names;
// messages never quote the value, which may be personal data.
type details []mid.FieldError

func (d *details) add(field, message string) {
	*d = append(*d, mid.FieldError{Field: field, Message: message})
}

// check says what is wrong with a text that was sent, or nothing. Whether it
// may be absent is another question.
type check func(text string) (complaint string)

func (d *details) check(field, text string, c check) {
	if complaint := c(text); complaint != "" {
		d.add(field, complaint)
	}
}

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
	ok := err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
	return complainUnless(ok, "must be an absolute http or https URL")
}
