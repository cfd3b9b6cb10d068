package mid_test

import (
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

func TestNilCtxAndSpaces(t *testing.T) {
	a := &api{handle: session}
	c := a.client(t)
	_, err := c.Authentication.WaitForSession(nil, "sess_1", mid.PollOptions{}) //nolint:staticcheck // on purpose
	require.ErrorContains(t, err, "ctx is nil")
	require.ErrorContains(t, c.Call(t.Context(), "GET", "/x?a=1 HTTP/1.1", nil, nil), "escaped")
	_, err = mid.NewClient(testID, "secret\n")
	require.EqualError(t, err, "mid: clientSecret begins or ends with white space, such as a file's last line break")
	_, err = mid.NewClient(testID, testSecret, mid.WithHTTPClient(&http.Client{Transport: (*http.Transport)(nil)}))
	require.ErrorContains(t, err, "WithHTTPClient has a nil *http.Transport")
	require.Empty(t, a.sent())
}

// A reader that is a nil pointer is no reader.
func TestFileFromANilPointer(t *testing.T) {
	for _, r := range []io.Reader{(*strings.Reader)(nil), (*os.File)(nil), nil} {
		_, err := (&api{}).client(t).Signing.UploadDocument(t.Context(), mid.UploadSigningDocumentParams{File: mid.FileFromReader("a.pdf", r)})
		invalid, ok := errors.AsType[*mid.ValidationError](err)
		require.True(t, ok, "%v", err)
		require.Equal(t, "File", invalid.Field)
	}
}
