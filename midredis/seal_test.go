package midredis

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"
)

func TestSealedTokenOpensForItsAccountKeyAndSecretOnly(t *testing.T) {
	const key = "mid:{client-1}:token:1"
	token := &oauth2.Token{AccessToken: "access-token", TokenType: "Bearer"}
	s, err := newSeal("client-1", "client-secret-1")
	require.NoError(t, err)
	value, err := s.close(key, token, time.Hour)
	require.NoError(t, err)
	got, err := s.open(key, value)
	require.NoError(t, err)
	assert.Equal(t, &sealed{AccessToken: "access-token", TokenType: "Bearer", Life: time.Hour}, got)

	again, err := s.close(key, token, time.Hour)
	require.NoError(t, err)
	assert.NotEqual(t, value, again, "a nonce was used twice")
	assert.Equal(t, value[:markLength], again[:markLength], "the marks of one token")

	other, err := newSeal("client-1", "client-secret-2")
	require.NoError(t, err)
	assert.NotEqual(t, s.id, other.id)
	assert.NotEqual(t, s.mark(token), other.mark(token), "a mark tells the token to those without the secret")
	stranger, err := newSeal("client-2", "client-secret-1")
	require.NoError(t, err)
	changed := []byte(value)
	changed[len(changed)-1] ^= 1
	for name, open := range map[string]func() (*sealed, error){
		"another secret":  func() (*sealed, error) { return other.open(key, value) },
		"another account": func() (*sealed, error) { return stranger.open(key, value) },
		"another key":     func() (*sealed, error) { return s.open(key+"2", value) },
		"a changed box":   func() (*sealed, error) { return s.open(key, string(changed)) },
		"a cut box":       func() (*sealed, error) { return s.open(key, value[:markLength]) },
		"a cut mark":      func() (*sealed, error) { return s.open(key, value[:5]) },
	} {
		_, err := open()
		require.ErrorIs(t, err, errSealed, name)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		assert.Equal(t, "midredis.seal", fmt.Sprintf(verb, s))
	}
	assert.False(t, strings.Contains(value, "access-token") || strings.Contains(value, "client-secret"))
}
