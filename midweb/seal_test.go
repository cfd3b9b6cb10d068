package midweb

import (
	"bytes"
	"encoding/base64"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSeal(t *testing.T) {
	s, err := newSealer([][]byte{testKey}, "a purpose")
	require.NoError(t, err)
	sealed, err := s.seal("secret")
	require.NoError(t, err)
	var got string
	require.True(t, s.open(sealed, &got))
	assert.Equal(t, "secret", got)
	again, err := s.seal("secret")
	require.NoError(t, err)
	assert.NotEqual(t, sealed, again)

	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	require.NoError(t, err)
	assert.NotContains(t, string(raw), "secret")
	for i := range raw {
		altered := bytes.Clone(raw)
		altered[i] ^= 1
		assert.False(t, s.open(base64.RawURLEncoding.EncodeToString(altered), &got), "byte %d", i)
	}
	for _, text := range []string{"", ".", "$", sealed[:10], sealed + "AAAA", "secret"} {
		assert.False(t, s.open(text, &got), "%q", text)
	}
	other, err := newSealer([][]byte{testKey}, "another purpose")
	require.NoError(t, err)
	assert.False(t, other.open(sealed, &got), "what was sealed for one purpose is opened for another")
}
