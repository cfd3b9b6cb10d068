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

// required reports whether there is a value to look at more closely.
func (d *details) required(field, value string) bool {
	if value == "" {
		d.add(field, "is required")
	}
	return value != ""
}

// The checks below leave an absent value alone: whether it may be absent is
// for required to say.

func (d *details) oneOf(field, value string, allowed ...string) {
	if value != "" && !slices.Contains(allowed, value) {
		d.add(field, "must be one of: "+strings.Join(allowed, ", "))
	}
}

func (d *details) recipient(field, value string) {
	if value != "" && !e164.MatchString(value) {
		d.add(field, "must be a mobile number in E.164 form")
	}
}

func (d *details) country(field, value string) {
	if value != "" && !country.MatchString(value) {
		d.add(field, "must be an ISO 3166-1 alpha-2 code in upper case")
	}
}

func (d *details) email(field, value string) {
	if value == "" {
		return
	}
	if a, err := mail.ParseAddress(value); err != nil || a.Address != value {
		d.add(field, "must be an e-mail address")
	}
}

func (d *details) callbackURL(field, value string) {
	if value == "" {
		return
	}
	u, err := url.Parse(value)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		d.add(field, "must be an absolute http or https URL")
	}
}
