package mid

import (
	"crypto/fips140"
	"net/mail"
	"net/url"
	"strconv"
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

// credential refuses what a token request can't hold: JSON is UTF-8.
func credential(field, value string) error {
	if err := unadorned(field, value); err != nil {
		return err
	}
	if !utf8.ValidString(value) {
		return invalid(field, "is not valid UTF-8")
	}
	return nil
}

// unadorned refuses what is empty, and what a file or an environment variable
// adds to a secret: white space, quotes and a byte order mark.
func unadorned(field, value string) error {
	const mark = "\uFEFF"
	trimmed := strings.TrimSpace(value)
	switch {
	case strings.HasPrefix(trimmed, mark):
		return invalid(field, "begins with a byte order mark; save the file without one")
	case trimmed != "" && trimmed != value:
		return invalid(field, "begins or ends with white space, such as a file's last line break")
	case quoted(trimmed):
		return invalid(field, "is in quotes; give it without them")
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

// webhookSecret takes a key of any bytes. Under GODEBUG=fips140=only it refuses
// one of less than 112 bits, because package hmac would panic at every delivery.
func webhookSecret(field, value string) error {
	if err := unadorned(field, value); err != nil {
		return err
	}
	if len(value) < 112/8 && fips140.Enforced() {
		return invalid(field, "is shorter than 14 bytes, which GODEBUG=fips140=only does not allow for the key of webhooks")
	}
	return nil
}

// phoneNumber checks the form of E.164, which the contract asks for. Only the
// server can know whether the number is assigned.
func phoneNumber(field, value string) error {
	if value == "" {
		return nil
	}
	digits, plus := strings.CutPrefix(value, "+")
	if !plus || len(digits) < 2 || len(digits) > 15 || digits[0] == '0' || strings.Trim(digits, "0123456789") != "" {
		return invalid(field, "must be a plus sign and 2 to 15 digits, the first not zero, like +14155550123")
	}
	return nil
}

// country checks the form only, because ISO assigns codes faster than an SDK is
// updated, and passports have some that it does not assign, such as XK.
func country(field, value string) error {
	if value == "" {
		return nil
	}
	if len(value) != 2 || strings.Trim(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return invalid(field, "must be two upper-case letters, like DE")
	}
	return nil
}

func callbackURL(field, value string) error {
	if value == "" {
		return nil
	}
	u, err := url.Parse(value)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Hostname() == "" || !isPort(u.Port()) || strings.Contains(value, " ") {
		return invalid(field, "must be an absolute http or https URL")
	}
	return nil
}

// isPort accepts the empty port of a URL without one.
func isPort(port string) bool {
	if port == "" {
		return true // the scheme's
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0
}

func email(field, value string) error {
	if addr, err := mail.ParseAddress(value); err != nil || addr.Address != value {
		return invalid(field, "must be a plain e-mail address, like ada@example.com")
	}
	return nil
}
