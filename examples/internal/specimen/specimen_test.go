package specimen

import (
	"bytes"
	"image/png"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The files are what their names say.
func TestFiles(t *testing.T) {
	for _, name := range []string{"passport.png", "selfie.png"} {
		picture, err := Files.ReadFile(name)
		require.NoError(t, err)
		_, err = png.Decode(bytes.NewReader(picture))
		require.NoError(t, err, name)
	}
	agreement, err := Files.ReadFile("agreement.pdf")
	require.NoError(t, err)
	assert.True(t, bytes.HasPrefix(agreement, []byte("%PDF-1.4\n")))
	assert.True(t, bytes.HasSuffix(agreement, []byte("%%EOF\n")))
}
