package mid

import (
	"net/mail"
	"net/url"
	"strings"
	"unicode/utf8"
)

func invalid(field, reason string) error { return &ValidationError{Field: field, Reason: reason} }

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func required(field, value string) error {
	if strings.TrimSpace(value) == "" {
		return invalid(field, "is empty")
	}
	return nil
}

// credential refuses what is empty, and what a file or an environment variable
// adds to a credential: white space, quotes and a byte order mark.
func credential(field, value string) error {
	const mark = "\uFEFF"
	trimmed := strings.TrimSpace(value)
	switch {
	case strings.HasPrefix(trimmed, mark):
		return invalid(field, "begins with a byte order mark; save the file without one")
	case trimmed != "" && trimmed != value:
		return invalid(field, "begins or ends with white space, such as a file's last line break")
	case quoted(trimmed):
		return invalid(field, "is in quotes; give it without them")
	case !utf8.ValidString(value):
		return invalid(field, "is not valid UTF-8")
	}
	return required(field, value)
}

// quoted reports whether a text begins and ends with the same kind of quotes.
func quoted(text string) bool {
	for _, pair := range []string{`""`, "''", "``", "“”", "‘’"} {
		opening, size := utf8.DecodeRuneInString(pair)
		closing, _ := utf8.DecodeRuneInString(pair[size:])
		if strings.HasPrefix(text, string(opening)) && strings.HasSuffix(text, string(closing)) && text != string(opening) {
			return true
		}
	}
	return false
}

// e164 refuses what the contract's pattern does: a plus sign and 2 to 15
// digits, the first not zero.
func e164(field, value string) error {
	if value == "" {
		return nil
	}
	digits, plus := strings.CutPrefix(value, "+")
	if !plus || len(digits) < 2 || len(digits) > 15 || digits[0] == '0' || strings.Trim(digits, "0123456789") != "" {
		return invalid(field, "must be a phone number in E.164 form, like +14155550123")
	}
	return nil
}

func country(field, value string) error {
	if value == "" {
		return nil
	}
	if len(value) != 2 || strings.Trim(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return invalid(field, "must be an ISO 3166-1 alpha-2 country code in upper case, like DE")
	}
	return nil
}

func callbackURL(field, value string) error {
	if value == "" {
		return nil
	}
	u, err := url.Parse(value)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Hostname() == "" {
		return invalid(field, "must be an absolute http or https URL")
	}
	return nil
}

func email(field, value string) error {
	if addr, err := mail.ParseAddress(value); err != nil || addr.Address != value {
		return invalid(field, "must be a plain e-mail address, like ada@example.com")
	}
	return nil
}
