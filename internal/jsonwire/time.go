package jsonwire

import (
	"strings"
	"time"
)

// ParseTime reads a time of RFC 3339 in any of its spellings: with a lower-case
// t or z or a space for the T, fractions of any length, and leap seconds, which
// are the first second of the next day. It reports false for anything else, a
// time without a zone included.
func ParseTime(text string) (time.Time, bool) {
	const date, seconds = len("2006-01-02"), len("2006-01-02T15:04:")
	if len(text) < len("2006-01-02T15:04:05Z") {
		return time.Time{}, false
	}
	if text[date] == 't' || text[date] == ' ' {
		text = text[:date] + "T" + text[date+1:]
	}
	if before, ok := strings.CutSuffix(text, "z"); ok {
		text = before + "Z"
	}
	leap := text[seconds:seconds+2] == "60"
	if leap {
		text = text[:seconds] + "59" + text[seconds+2:]
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, false
	}
	if leap {
		hour, minute, _ := t.UTC().Clock()
		t = t.Add(time.Second)
		if hour != 23 || minute != 59 || t.Year() > 9999 { // which no text can have
			return time.Time{}, false
		}
	}
	return t, true
}
