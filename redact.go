package mid

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"unicode"
)

const redacted = "[REDACTED]"

func writeRedacted(w fmt.State, name string) { _, _ = io.WriteString(w, name+"{"+redacted+"}") }

func logIDStatus(id, status string) slog.Value {
	var attrs []slog.Attr
	if id != "" {
		attrs = append(attrs, slog.String("id", id))
	}
	if status != "" {
		attrs = append(attrs, slog.String("status", status))
	}
	return slog.GroupValue(attrs...)
}

// line makes one line of a text that came from outside, at most so many
// characters long, without what could steer a terminal or forge a log.
func line(text string, most int) string {
	if len(text) <= most && !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return text // as most request ids are
	}
	var b strings.Builder
	n, space := 0, false
	for _, r := range text {
		if unicode.IsSpace(r) {
			space = n > 0
			continue
		}
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			continue
		}
		if n >= most {
			b.WriteString("…")
			break
		}
		if space {
			b.WriteByte(' ')
			n, space = n+1, false
		}
		b.WriteRune(r)
		n++
	}
	return b.String()
}

// LogValue shows the kind of document alone: a file name may be personal data.
func (p UploadIdentityDocumentParams) LogValue() slog.Value {
	return slog.GroupValue(slog.String("type", string(p.Type)))
}

// LogValue shows the kind of document and its country alone.
func (p StartVerificationParams) LogValue() slog.Value {
	return slog.GroupValue(slog.String("document_type", string(p.DocumentType)), slog.String("country", p.Country))
}

// LogValue is a fixed text: a title or a file name may be personal data.
func (UploadSigningDocumentParams) LogValue() slog.Value { return slog.StringValue(redacted) }

// LogValue shows how many documents and signers there are: who they are is
// personal data.
func (p CreateSigningSessionParams) LogValue() slog.Value {
	return slog.GroupValue(slog.Int("documents", len(p.DocumentIDs)), slog.Int("signers", len(p.Signers)))
}

// The Format methods below write a value's fields as package fmt would, but for
// what is personal in them, which is a fixed text. In a slice or a struct,
// package log/slog's text handler prints by them too.

// Format hides the ExtractedData. Without it, fmt prints the fields of a
// [*Verification] in a slice as they are when the verb does not fit a pointer.
func (v Verification) Format(f fmt.State, verb rune) {
	_, _ = fmt.Fprintf(f, fmt.FormatString(f, verb), plainVerification(v))
}

// Format hides the Recipient.
func (p CreateAuthSessionParams) Format(f fmt.State, verb rune) {
	type plain CreateAuthSessionParams
	hide(&p.Recipient)
	_, _ = fmt.Fprintf(f, fmt.FormatString(f, verb), plain(p))
}

// Format hides the Recipient.
func (s AuthSession) Format(f fmt.State, verb rune) {
	type plain AuthSession
	hide(&s.Recipient)
	_, _ = fmt.Fprintf(f, fmt.FormatString(f, verb), plain(s))
}

// Format hides who signs, from where, and the link to sign at.
func (s Signer) Format(f fmt.State, verb rune) {
	type plain Signer
	hide(&s.Name, &s.Email, &s.SignURL, &s.IPAddress)
	_, _ = fmt.Fprintf(f, fmt.FormatString(f, verb), plain(s))
}

// Format writes a fixed text: both fields are personal data.
func (SignerParams) Format(f fmt.State, _ rune) { writeRedacted(f, "mid.SignerParams") }

// hide leaves what is empty, which tells that nothing is there.
func hide(texts ...*string) {
	for _, text := range texts {
		if *text != "" {
			*text = redacted
		}
	}
}

// Format writes the status, the request id and the attempts, whatever the verb:
// the data may be personal.
func (r Response) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "mid.Response{%d, request %s, attempts %d}", r.StatusCode, line(r.RequestID, maxName), r.Attempts)
}

// LogValue shows the status, the request id and the attempts alone.
func (r Response) LogValue() slog.Value {
	return slog.GroupValue(slog.Int("status", r.StatusCode), slog.String("request_id", line(r.RequestID, maxName)), slog.Int("attempts", r.Attempts))
}
