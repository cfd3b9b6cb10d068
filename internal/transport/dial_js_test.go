package transport

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A transport with a dialer would not use the browser's fetch.
func TestBrowsersUseFetch(t *testing.T) {
	tr := Default(time.Minute)
	require.Nil(t, tr.DialContext)
	require.Nil(t, tr.DialTLSContext)
}
