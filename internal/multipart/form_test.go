package multipart

import (
	"mime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBodyIsParsedBackInOrder(t *testing.T) {
	src := &disk{t: t, content: "%PDF-1.7"}
	b := newBody(t, [][2]string{{"type", "passport"}, {"side", ""}, {"country", "DE"}}, src.file("Paß.pdf"))
	require.Equal(t, []part{
		{`form-data; name="type"`, "", "passport"},
		{`form-data; name="country"`, "", "DE"},
		{`form-data; name="file"; filename="Paß.pdf"`, "application/pdf", "%PDF-1.7"},
	}, parse(t, b.ContentType(), readAll(t, b)))
}

func TestBoundariesDiffer(t *testing.T) {
	src := &disk{t: t, content: "x"}
	one, two := newBody(t, nil, src.file("a.pdf")), newBody(t, nil, src.file("a.pdf"))
	require.NotEqual(t, one.ContentType(), two.ContentType())
}

func TestNamesAreEscapedAsBrowsersDo(t *testing.T) {
	for name, want := range map[string]struct{ escaped, parsed string }{
		"plain.pdf":           {"plain.pdf", "plain.pdf"},
		`say "hi".pdf`:        {"say %22hi%22.pdf", "say %22hi%22.pdf"},
		"a\r\nb.pdf":          {"a%0D%0Ab.pdf", "a%0D%0Ab.pdf"},
		"Żółć 護照.pdf":         {"Żółć 護照.pdf", "Żółć 護照.pdf"},
		"50%.pdf":             {"50%.pdf", "50%.pdf"},
		`C:\new (1).pdf`:      {`C:\\new (1).pdf`, `C:\new (1).pdf`},
		`ends in \`:           {`ends in \\`, `ends in \`},
		"not utf-8 \xff.pdf":  {"not utf-8 \uFFFD.pdf", "not utf-8 \uFFFD.pdf"},
		"semi;colon=1, x.pdf": {"semi;colon=1, x.pdf", "semi;colon=1, x.pdf"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBody(t, [][2]string{{name, "value"}}, (&disk{t: t, content: "x"}).file(name))
			parts := parse(t, b.ContentType(), readAll(t, b))
			require.Len(t, parts, 2)
			require.Equal(t, `form-data; name="file"; filename="`+want.escaped+`"`, parts[1].disposition)
			_, field, err := mime.ParseMediaType(parts[0].disposition)
			require.NoError(t, err)
			require.Equal(t, want.parsed, field["name"])
			_, file, err := mime.ParseMediaType(parts[1].disposition)
			require.NoError(t, err)
			require.Equal(t, want.parsed, file["filename"])
		})
	}
}

// unescaped is a name as it is parsed back: mime undoes the backslashes, not
// the percent-encoding.
func unescaped(name string) string {
	name = strings.NewReplacer(`"`, "%22", "\r", "%0D", "\n", "%0A").Replace(name)
	return strings.ToValidUTF8(name, "\uFFFD")
}

func params(t *testing.T, p part) map[string]string {
	t.Helper()
	_, params, err := mime.ParseMediaType(p.disposition)
	require.NoError(t, err)
	return params
}

func FuzzMultipart(f *testing.F) {
	f.Add("name", "Lease", "lease.pdf", []byte("%PDF-1.7"), true)
	f.Add("type", "", `a "b" \`, []byte{}, false)
	f.Add("näme", "\r\n--mid-", "\xff\r\n", []byte("\r\n--mid-\r\n"), true)
	f.Fuzz(func(t *testing.T, field, value, name string, content []byte, sized bool) {
		file := (&disk{t: t, content: string(content)}).file(name)
		if !sized {
			file.Size = 0
		}
		b := newBody(t, [][2]string{{field, value}}, file)
		sent := readAll(t, b)
		if b.ContentLength() != -1 {
			require.EqualValues(t, len(sent), b.ContentLength())
		}
		require.NoError(t, b.Rewind(t.Context()))
		require.Equal(t, sent, readAll(t, b))
		if strings.ContainsFunc(field+name, func(r rune) bool { return r < ' ' && r != '\r' && r != '\n' || r == 0x7f }) {
			return // mime refuses them; File.validate does before
		}
		parts := parse(t, b.ContentType(), sent)
		if value != "" {
			require.Equal(t, value, parts[0].content)
			require.Equal(t, unescaped(field), params(t, parts[0])["name"])
			parts = parts[1:]
		}
		require.Len(t, parts, 1)
		require.Equal(t, string(content), parts[0].content)
		require.Equal(t, "file", params(t, parts[0])["name"])
		require.Equal(t, unescaped(name), params(t, parts[0])["filename"])
	})
}
