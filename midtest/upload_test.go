package midtest_test

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

func TestUploadsThatAreRefused(t *testing.T) {
	c := start(t)
	picture := part{"file", "a.png", "image/png", "x"}
	passport := part{name: "type", content: "passport"}
	for _, tc := range []struct {
		name   string
		path   string
		parts  []part
		status int
		fields []string
	}{
		{"nothing", "/identity/documents", nil, 400, []string{"file", "type"}},
		{"no type", "/identity/documents", []part{picture}, 400, []string{"type"}},
		{"no file", "/identity/documents", []part{passport}, 400, []string{"file"}},
		{"a file that is a field", "/identity/documents", []part{passport, {name: "file", content: "x"}}, 400, []string{"file"}},
		{"unknown field", "/identity/documents", []part{passport, picture, {name: "colour", content: "red"}}, 400, []string{"colour"}},
		{"twice", "/identity/documents", []part{passport, picture, passport, picture}, 400, []string{"type", "file"}},
		{"long value", "/signing/documents", []part{{"file", "a.pdf", "application/pdf", "x"}, {name: "name", content: string(make([]byte, 5000))}}, 400, []string{"name"}},
		{"wrong values", "/identity/documents",
			[]part{{name: "type", content: "library_card"}, {name: "side", content: "edge"}, {name: "country", content: "Germany"}, picture},
			400, []string{"type", "side", "country"}},
		{"wrong content", "/identity/documents", []part{passport, {"file", "a.txt", "text/plain", "x"}}, 415, nil},
		{"picture to sign", "/signing/documents", []part{picture}, 415, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c.t = t
			r := c.upload(tc.path, tc.parts)
			assert.Equal(t, tc.status, r.status, "%s", r.body)
			assert.Equal(t, tc.fields, fields(r))
		})
	}
}

func TestUploadsThatAreNotForms(t *testing.T) {
	c := start(t)
	assert.Equal(t, 415, c.post("/identity/documents", "{}").status)
	assert.Equal(t, 415, c.post("/identity/documents", "", "Content-Type", "multipart/form-data").status)
	r := c.post("/identity/documents", "--b\r\nContent-Disposition: form-data; name=\"type\"\r\n\r\npass",
		"Content-Type", "multipart/form-data; boundary=b")
	assert.Equal(t, 400, r.status)
	assert.Equal(t, mid.CodeInvalidRequest, r.Error.Code)
}

func TestUploadOverTheLimitIsRefusedUnread(t *testing.T) {
	c := start(t)
	req := c.request(http.MethodPost, "/signing/documents", http.NoBody)
	req.Body, req.ContentLength = io.NopCloser(endless{}), 3<<30
	req.Header.Set("Content-Type", "multipart/form-data; boundary=b")
	req.Header.Set("Expect", "100-continue") // or the client might miss the answer
	transport := c.srv.HTTPClient().Transport.(*http.Transport).Clone()
	transport.ExpectContinueTimeout = time.Minute
	defer transport.CloseIdleConnections()
	res, err := transport.RoundTrip(req)
	require.NoError(t, err)
	defer res.Body.Close()
	assert.Equal(t, 413, res.StatusCode)
	assert.Zero(t, c.srv.Requests()[1].BodySize)
}

func TestLongUploadsTakeNoMemory(t *testing.T) {
	c := start(t)
	const size = 64 << 20
	var head bytes.Buffer
	w := multipart.NewWriter(&head)
	part, err := w.CreatePart(map[string][]string{
		"Content-Disposition": {`form-data; name="file"; filename="long.pdf"`},
		"Content-Type":        {"application/pdf"},
	})
	require.NoError(t, err)
	_, err = part.Write(nil)
	require.NoError(t, err)
	body := io.MultiReader(&head, io.LimitReader(endless{}, size), bytes.NewReader([]byte("\r\n--"+w.Boundary()+"--\r\n")))
	req := c.request(http.MethodPost, "/signing/documents", body)
	req.Header.Set("Content-Type", w.FormDataContentType())

	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r := c.send(req)
	runtime.ReadMemStats(&after)
	require.Equal(t, 201, r.status, "%s", r.body)
	assert.EqualValues(t, size, data[mid.SigningDocument](t, r).Size)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(4<<20), "bytes allocated in all")
}

// endless reads as zeros.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
