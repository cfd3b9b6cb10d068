package jsonwire

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParseTime(t *testing.T) {
	for text, want := range map[string]time.Time{
		"2026-01-02T03:04:05Z":                 time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		"2026-01-02t03:04:05z":                 time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		"2026-01-02 03:04:05Z":                 time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		"2026-01-02T03:04:05.1Z":               time.Date(2026, 1, 2, 3, 4, 5, 1e8, time.UTC),
		"2026-01-02T03:04:05.123456789012345z": time.Date(2026, 1, 2, 3, 4, 5, 123456789, time.UTC),
		"2026-01-02T03:04:05+02:00":            time.Date(2026, 1, 2, 1, 4, 5, 0, time.UTC),
		"2026-01-02t03:04:05-00:00":            time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		"2016-12-31T23:59:60Z":                 time.Date(2017, 1, 1, 0, 0, 0, 0, time.UTC),
		"2016-12-31t23:59:60.25z":              time.Date(2017, 1, 1, 0, 0, 0, 25e7, time.UTC),
		"1990-12-31T15:59:60-08:00":            time.Date(1991, 1, 1, 0, 0, 0, 0, time.UTC),
		"2017-01-01T05:29:60+05:30":            time.Date(2017, 1, 1, 0, 0, 0, 0, time.UTC),
		"0001-01-01T00:00:00Z":                 {},
		"9999-12-31T23:59:59.999999999Z":       time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC),
	} {
		got, ok := ParseTime(text)
		require.True(t, ok, text)
		require.True(t, want.Equal(got), "%s: %v", text, got)
	}
	for _, text := range []string{
		"", "soon", "2026-01-02", "2026-01-02T03:04:05", "2026-01-02T03:04Z", "2026-01-02T03:04:05+0200", "2026-13-02T03:04:05Z", "2026-02-30T03:04:05Z",
		"2026-01-02T24:00:00Z", "2026-01-02T03:04:60Z", "2026-01-02T03:04:61Z", "2026-01-02x03:04:05Z", "Fri, 02 Jan 2026 03:04:05 GMT", "1767323045",
		"2026-01-02T03:04:05ZZ", " 2026-01-02T03:04:05Z", "20260102T030405Z          ", "9999-12-31T23:59:60Z",
	} {
		got, ok := ParseTime(text)
		require.False(t, ok, text)
		require.True(t, got.IsZero(), text)
	}
}

// Every time that package time reads is read alike, and every other that is
// read can be written.
func FuzzParseTime(f *testing.F) {
	for _, seed := range []string{"2026-01-02T03:04:05Z", "2016-12-31t23:59:60.5z", "9999-12-31T23:59:60Z", "0000-01-01T00:00:00+23:59", "2026-01-02 03:04:05,5Z", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := ParseTime(text)
		quoted, err := json.Marshal(text)
		require.NoError(t, err)
		var strict time.Time
		if json.Unmarshal(quoted, &strict) == nil {
			require.True(t, ok)
			require.True(t, strict.Equal(got))
		}
		var decoded struct{ At time.Time }
		require.NoError(t, Unmarshal([]byte(`{"At":`+string(quoted)+`}`), &decoded))
		if ok {
			require.True(t, got.Equal(decoded.At), "%v, %v", got, decoded.At)
		}
	})
}
