package multipart

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSniffedBytesAreSent(t *testing.T) {
	heic := "\x00\x00\x00\x18ftyp"
	for name, tc := range map[string]struct{ name, given, content, want string }{
		"extension":      {"a.PDF", "", "not looked at", "application/pdf"},
		"jpg":            {"a.jpg", "", "", "image/jpeg"},
		"jpeg":           {"a.Jpeg", "", "", "image/jpeg"},
		"png":            {"a.png", "", "", "image/png"},
		"webp":           {"a.webp", "", "", "image/webp"},
		"heic":           {"a.heic", "", "", "image/heic"},
		"heif":           {"a.heif", "", "", "image/heic"},
		"given":          {"a.pdf", "image/png", "", "image/png"},
		"sniffed pdf":    {"a", "", "%PDF-1.7 and so on", "application/pdf"},
		"sniffed jpeg":   {"a.tmp", "", "\xff\xd8\xff\xe0 and so on", "image/jpeg"},
		"sniffed heic":   {"a", "", heic + "heic\x00\x00\x00\x00", "image/heic"},
		"sniffed heif":   {"a", "", heic + "mif1\x00\x00\x00\x00", "image/heic"},
		"a video":        {"a", "", heic + "qt  \x00\x00\x00\x00", "application/octet-stream"},
		"cut short":      {"a", "", heic, "application/octet-stream"},
		"not known":      {"a", "", "\x00\x01\x02\x03", "application/octet-stream"},
		"over 512 bytes": {"a", "", "%PDF-1.7" + strings.Repeat(" page", 1000), "application/pdf"},
	} {
		t.Run(name, func(t *testing.T) {
			src := &disk{t: t, content: tc.content}
			file := src.file(tc.name)
			file.ContentType = tc.given
			b := newBody(t, nil, file)
			got := parse(t, b.ContentType(), readAll(t, b))
			require.Equal(t, tc.want, got[0].contentType)
			require.Equal(t, tc.content, got[0].content)
			require.Equal(t, 1, src.opened, "the handle that was sniffed serves the first attempt")
		})
	}
}
