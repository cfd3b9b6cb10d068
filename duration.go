package mid

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// estimatedTime is a duration as the API writes it: a number and a unit, like
// 30s or 2 minutes. Anything else decodes as zero.
type estimatedTime time.Duration

// MarshalJSON writes seconds.
func (e estimatedTime) MarshalJSON() ([]byte, error) {
	return json.Marshal(strconv.FormatFloat(time.Duration(e).Seconds(), 'f', -1, 64) + "s")
}

// UnmarshalJSON never fails on JSON.
func (e *estimatedTime) UnmarshalJSON(data []byte) error {
	text := strings.ToLower(strings.Trim(string(data), `" .`))
	d, err := time.ParseDuration(text)
	if err != nil {
		number := strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyz. ")
		value, _ := strconv.ParseFloat(number, 64)
		unit := units[strings.TrimSpace(text[len(number):])]
		if nanos := value * float64(unit); nanos > 0 { // not NaN
			d = time.Duration(min(nanos, float64(maxEstimate)))
		}
	}
	*e = estimatedTime(min(max(d, 0), maxEstimate))
	return nil
}

const maxEstimate = 365 * 24 * time.Hour

var units = map[string]time.Duration{
	"":  time.Second,
	"s": time.Second, "sec": time.Second, "secs": time.Second, "second": time.Second, "seconds": time.Second,
	"m": time.Minute, "min": time.Minute, "mins": time.Minute, "minute": time.Minute, "minutes": time.Minute,
	"h": time.Hour, "hr": time.Hour, "hrs": time.Hour, "hour": time.Hour, "hours": time.Hour,
}
