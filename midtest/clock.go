package midtest

import "time"

// now is the server's time as its answers report it.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

// seconds rounds up to whole seconds, so that a client that waits for as long
// as it was asked to never comes early.
func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }
