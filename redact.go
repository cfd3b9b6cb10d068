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

// Format writes the verification as package fmt would, its ExtractedData as a
// fixed text. Without it, fmt prints the fields of a [*Verification] in a
// slice as they are when the verb does not fit a pointer.
func (v Verification) Format(f fmt.State, verb rune) {
	_, _ = fmt.Fprintf(f, fmt.FormatString(f, verb), plainVerification(v))
}
