package mid

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The intervals' defaults give way to the interval that the caller has set,
// and a MinInterval above MaxInterval raises it.
func TestPollOptionsHaveDefaults(t *testing.T) {
	const ms = time.Millisecond
	for name, tt := range map[string]struct{ minimum, maximum, wantMin, wantMax time.Duration }{
		"none":                      {0, 0, time.Second, 5 * time.Second},
		"both":                      {20 * ms, 300 * ms, 20 * ms, 300 * ms},
		"MaxInterval alone":         {0, time.Minute, time.Second, time.Minute},
		"MaxInterval under 1s":      {0, 300 * ms, 300 * ms, 300 * ms},
		"MinInterval alone":         {2 * time.Second, 0, 2 * time.Second, 5 * time.Second},
		"MinInterval over 5s":       {time.Minute, 0, time.Minute, time.Minute},
		"MinInterval > MaxInterval": {time.Minute, time.Second, time.Minute, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := PollOptions{MinInterval: tt.minimum, MaxInterval: tt.maximum}.withDefaults()
			require.NoError(t, err)
			require.Equal(t, PollOptions{MinInterval: tt.wantMin, MaxInterval: tt.wantMax}, got)
		})
	}
}
