package mid

import (
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/mobid-io/mid-go/internal/redact"
)

// A type of this package lists what it shows, so that a new field is hidden until
// it is added to the list. Its LogValue method is that list for package log/slog.
// Its Format method writes the same under every verb of package fmt, in a slice, a
// map or a pointer too.

// writeShown writes what LogValue shows, like mid.AuthSession{id=sess_1 status=pending}.
func writeShown(f fmt.State, name string, shown slog.Value) {
	var b strings.Builder
	b.WriteString(name + "{")
	if shown.Kind() == slog.KindGroup {
		for i, attr := range shown.Group() {
			if i > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(attr.String())
		}
	} else {
		b.WriteString(shown.String())
	}
	b.WriteByte('}')
	_, _ = io.WriteString(f, redact.OneLine(b.String(), maxLine))
}

// hidden is shown in place of a value that is secret or personal as a whole.
func hidden() slog.Value { return slog.StringValue(redact.Mark) }

// shownTexts returns a group of the texts that are not empty. list alternates keys
// and values.
func shownTexts(list ...string) slog.Value {
	var attrs []slog.Attr
	for i := 0; i+1 < len(list); i += 2 {
		if list[i+1] != "" {
			attrs = append(attrs, slog.String(list[i], list[i+1]))
		}
	}
	return slog.GroupValue(attrs...)
}

// mapValues returns the values of a resource's metadata, which may be personal.
// There is room for those that callers add.
func mapValues(m map[string]string) []string {
	return slices.AppendSeq(make([]string, 0, len(m)+2), maps.Values(m))
}
