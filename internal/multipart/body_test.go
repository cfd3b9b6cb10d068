package multipart

import (
	"bytes"
	"errors"
	"io"
	"mime"
	mimemultipart "mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// source counts what is opened and closed, and fails the test if a handle is
// closed twice.
type source struct {
	t              *testing.T
	content        string
	opened, closed int
	openErr        error
	wrap           func(io.Reader) io.Reader
}

func (s *source) open() (io.ReadCloser, error) {
	if s.openErr != nil {
		return nil, s.openErr
	}
	s.opened++
	var r io.Reader = strings.NewReader(s.content)
	if s.wrap != nil {
		r = s.wrap(r)
	}
	return &handle{Reader: r, source: s}, nil
}

func (s *source) file(name string) File {
	return File{Name: name, Size: int64(len(s.content)), Open: s.open}
}

type handle struct {
	io.Reader
	source *source
	closed bool
}

func (h *handle) Close() error {
	require.False(h.source.t, h.closed, "closed twice")
	h.closed = true
	h.source.closed++
	return nil
}

func newBody(t *testing.T, fields [][2]string, file File) *Body {
	t.Helper()
	b, err := New(t.Context(), NewBoundary(), fields, file)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b
}

func open(t *testing.T, b *Body) io.ReadCloser {
	t.Helper()
	r, err := b.Open()
	require.NoError(t, err)
	return r
}

func readAll(t *testing.T, b *Body) string {
	t.Helper()
	r := open(t, b)
	sent, err := io.ReadAll(r)
	require.NoError(t, err)
	require.NoError(t, r.Close())
	return string(sent)
}

type part struct{ disposition, contentType, content string }

func parse(t *testing.T, contentType, body string) []part {
	t.Helper()
	kind, params, err := mime.ParseMediaType(contentType)
	require.NoError(t, err)
	require.Equal(t, "multipart/form-data", kind)
	var parts []part
	r := mimemultipart.NewReader(strings.NewReader(body), params["boundary"])
	for {
		p, err := r.NextRawPart()
		if err == io.EOF {
			return parts
		}
		require.NoError(t, err)
		content, err := io.ReadAll(p)
		require.NoError(t, err)
		parts = append(parts, part{p.Header.Get("Content-Disposition"), p.Header.Get("Content-Type"), string(content)})
	}
}

func TestBodyIsParsedBackInOrder(t *testing.T) {
	src := &source{t: t, content: "%PDF-1.7"}
	b := newBody(t, [][2]string{{"type", "passport"}, {"side", ""}, {"country", "DE"}}, src.file("Paß.pdf"))
	require.Equal(t, []part{
		{`form-data; name="type"`, "", "passport"},
		{`form-data; name="country"`, "", "DE"},
		{`form-data; name="file"; filename="Paß.pdf"`, "application/pdf", "%PDF-1.7"},
	}, parse(t, b.ContentType(), readAll(t, b)))
}

func TestFieldsAndFileReachAServer(t *testing.T) {
	for name, size := range map[string]int64{"length": 11, "chunked": 0} {
		t.Run(name, func(t *testing.T) {
			type seen struct {
				length                        int64
				encoding                      []string
				kind, filename, fileType, got string
			}
			var got seen
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				f, header, err := r.FormFile("file")
				if err != nil {
					http.Error(w, err.Error(), http.StatusBadRequest)
					return
				}
				content, _ := io.ReadAll(f)
				got = seen{r.ContentLength, r.TransferEncoding, r.FormValue("type"), header.Filename, header.Header.Get("Content-Type"), string(content)}
			}))
			defer server.Close()

			file := (&source{t: t, content: "hello world"}).file("selfie.jpg")
			file.Size = size
			b := newBody(t, [][2]string{{"type", "selfie"}}, file)
			req, err := http.NewRequest(http.MethodPost, server.URL, open(t, b))
			require.NoError(t, err)
			req.ContentLength = b.ContentLength()
			req.Header.Set("Content-Type", b.ContentType())
			resp, err := server.Client().Do(req)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			require.Equal(t, http.StatusOK, resp.StatusCode)

			want := seen{b.ContentLength(), nil, "selfie", "selfie.jpg", "image/jpeg", "hello world"}
			if size == 0 {
				want.encoding = []string{"chunked"}
			}
			require.Equal(t, want, got)
			require.NoError(t, b.Err())
		})
	}
}

func TestContentLength(t *testing.T) {
	src := &source{t: t, content: "content"}
	known := newBody(t, [][2]string{{"name", "Lease"}}, src.file("a.pdf"))
	require.EqualValues(t, len(readAll(t, known)), known.ContentLength())

	file := src.file("a.pdf")
	file.Size = 0
	unknown := newBody(t, nil, file)
	require.EqualValues(t, -1, unknown.ContentLength())
	require.Equal(t, "content", parse(t, unknown.ContentType(), readAll(t, unknown))[0].content)
}

func TestBoundariesDiffer(t *testing.T) {
	src := &source{t: t, content: "x"}
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
			b := newBody(t, [][2]string{{name, "value"}}, (&source{t: t, content: "x"}).file(name))
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

func TestFileMustHaveItsSize(t *testing.T) {
	for name, tc := range map[string]struct {
		size int64
		want string
	}{
		"short": {20, "the file is 10 bytes, its Size says 20"},
		"long":  {4, "the file is more than 4 bytes, its Size says 4"},
	} {
		for _, fileName := range []string{"a.pdf", "sniffed"} {
			t.Run(name+" "+fileName, func(t *testing.T) {
				file := (&source{t: t, content: "0123456789"}).file(fileName)
				file.Size = tc.size
				var sent int64
				file.Progress = func(n, _ int64) { sent = n }
				b := newBody(t, nil, file)
				r := open(t, b)
				got, err := io.ReadAll(r)
				require.EqualError(t, err, tc.want)
				require.EqualError(t, b.Err(), tc.want)
				require.Less(t, int64(len(got)), b.ContentLength())
				require.NotContains(t, string(got), string(b.tail))
				require.Equal(t, min(tc.size, 10), sent)

				_, again := r.Read(make([]byte, 1))
				require.Equal(t, err, again)
			})
		}
	}
}

func TestEndOfFileThatComesWithTheLastBytes(t *testing.T) {
	src := &source{t: t, content: "0123456789", wrap: func(r io.Reader) io.Reader { return eagerEOF{r.(*strings.Reader)} }}
	b := newBody(t, nil, src.file("a.pdf"))
	require.Equal(t, "0123456789", parse(t, b.ContentType(), readAll(t, b))[0].content)
}

type eagerEOF struct{ r *strings.Reader }

func (e eagerEOF) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	if err == nil && e.r.Len() == 0 {
		err = io.EOF
	}
	return n, err
}

func TestFailuresOfTheFile(t *testing.T) {
	broken := errors.New("disk on fire")

	t.Run("open", func(t *testing.T) {
		src := &source{t: t, openErr: broken}
		b := newBody(t, nil, src.file("a.pdf"))
		_, err := io.ReadAll(open(t, b))
		require.ErrorIs(t, err, broken)
		require.EqualError(t, b.Err(), "open the file: disk on fire")
		open(t, b)
		require.NoError(t, b.Err(), "an attempt that did nothing yet")
	})
	t.Run("open while sniffing", func(t *testing.T) {
		_, err := New(t.Context(), NewBoundary(), nil, (&source{t: t, openErr: broken}).file("sniffed"))
		require.ErrorIs(t, err, broken)
	})
	t.Run("open without a reader", func(t *testing.T) {
		_, err := New(t.Context(), NewBoundary(), nil, File{Name: "sniffed", Open: func() (io.ReadCloser, error) { return nil, nil }})
		require.EqualError(t, err, "the file's Open returned neither a reader nor an error")
	})
	breaking := func(r io.Reader) io.Reader { return io.MultiReader(r, failing{broken}) }
	t.Run("read", func(t *testing.T) {
		src := &source{t: t, content: "some", wrap: breaking}
		file := src.file("a.pdf")
		file.Size = 0
		b := newBody(t, nil, file)
		_, err := io.ReadAll(open(t, b))
		require.EqualError(t, err, "read the file: disk on fire")
		require.Equal(t, err, b.Err())
		require.ErrorIs(t, err, broken)
		require.NoError(t, b.Close())
		require.Equal(t, 1, src.closed)
	})
	t.Run("read while sniffing", func(t *testing.T) {
		src := &source{t: t, content: "some", wrap: breaking}
		_, err := New(t.Context(), NewBoundary(), nil, src.file("sniffed"))
		require.EqualError(t, err, "read the file: disk on fire")
		require.Equal(t, 1, src.closed)
	})
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestProgress(t *testing.T) {
	for name, tc := range map[string]struct{ size, total int64 }{"known": {100_000, 100_000}, "unknown": {0, -1}} {
		t.Run(name, func(t *testing.T) {
			var calls []int64
			file := (&source{t: t, content: strings.Repeat("x", 100_000)}).file("a.pdf")
			file.Size = tc.size
			file.Progress = func(sent, total int64) {
				require.Equal(t, tc.total, total)
				calls = append(calls, sent)
			}
			b := newBody(t, [][2]string{{"type", "selfie"}}, file)
			for range 2 {
				calls = nil
				r := open(t, b)
				_, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, r, make([]byte, 32<<10))
				require.NoError(t, err)
				require.Equal(t, []int64{32 << 10, 64 << 10, 96 << 10, 100_000}, calls)
				require.NoError(t, b.Rewind(t.Context()))
			}
		})
	}
}

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
			src := &source{t: t, content: tc.content}
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

func TestReadInSmallPieces(t *testing.T) {
	src := &source{t: t, content: "%PDF-" + strings.Repeat("0123456789", 100)}
	b := newBody(t, [][2]string{{"name", "Lease"}}, src.file("sniffed"))
	r := open(t, b)
	n, err := r.Read(nil)
	require.NoError(t, err)
	require.Zero(t, n)
	var got bytes.Buffer
	_, err = io.CopyBuffer(struct{ io.Writer }{&got}, r, make([]byte, 1))
	require.NoError(t, err)
	require.NoError(t, b.Rewind(t.Context()))
	require.Equal(t, readAll(t, b), got.String())
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
