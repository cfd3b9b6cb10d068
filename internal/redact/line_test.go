package redact

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOneLine(t *testing.T) {
	for text, want := range map[string]string{
		"req_1":                          "req_1",
		" two\r\n lines\t":               "two lines",
		"steers \x1b[31m and \u202erevs": "steers [31m and revs",
		"\xff\xfebroken":                 "broken",
		"é is two bytes":                 "é is two bytes",
		strings.Repeat("x", 21):          strings.Repeat("x", 20) + "…",
		strings.Repeat("é", 21):          strings.Repeat("é", 20) + "…",
	} {
		require.Equal(t, want, OneLine(text, 20))
	}
}
