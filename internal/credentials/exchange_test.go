package credentials

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParseLifetime(t *testing.T) {
	left := time.Now()
	for text, want := range map[string]time.Duration{
		"3600": time.Hour, `"60"`: time.Minute, "1.5": 1500 * time.Millisecond,
		"0": 0, "-5": 0, "null": 0, `"soon"`: 0, "1e99": 0, "[]": 0,
	} {
		token, err := Parse([]byte(`{"access_token":"t","expires_in":`+text+`}`), left)
		require.NoError(t, err)
		if want == 0 {
			require.Zero(t, token.Expiry, text)
		} else {
			require.Equal(t, left.Round(0).Add(want), token.Expiry, text, "on the wall clock")
		}
	}
}

// An answer reads the same in the envelope or bare, in either spelling, and
// after a byte order mark.
func TestParseForms(t *testing.T) {
	left := time.Now()
	want, err := Parse([]byte(`{"access_token":"t","token_type":"Bearer","expires_in":60}`), left)
	require.NoError(t, err)
	for _, text := range []string{
		`{"success":true,"data":{"access_token":"t","token_type":"bearer","expires_in":60}}`,
		`{"error":false,"code":200,"data":{"accessToken":"t","tokenType":"Bearer","expiresIn":60}}`,
		`{"accessToken":"t","expiresIn":60,"scope":null}`,
		"\uFEFF" + `{"access_token":"t","accessToken":"other","expires_in":60,"expiresIn":5}`,
	} {
		token, err := Parse([]byte(text), left)
		require.NoError(t, err, text)
		require.Equal(t, want, token, text)
	}
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]error{
		"<html>":                       errNotJSON,
		"":                             errNotJSON,
		`{"data":{}}`:                  errNoToken,
		`{"access_token":"hush hush"}`: errBadToken,
		`{"access_token":"hush","token_type":"mac"}`:    errTokenType,
		`{"accessToken":"hush\u0007","expiresIn":3600}`: errBadToken,
	} {
		token, err := Parse([]byte(text), time.Now())
		require.ErrorIs(t, err, want, text)
		require.NotContains(t, err.Error(), "hush")
		require.Nil(t, token)
	}
}
