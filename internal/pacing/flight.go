package pacing

import "time"

// flight counts the requests that are in flight. A report of the server's may
// have been made before it counted them, so each takes up room until it ends,
// or until so long ago that the server surely has counted it, such as an upload
// on a slow link.
type flight struct {
	current, earlier int
	since            time.Time // current ones left after that
}

func (f *flight) total() int { return f.current + f.earlier }

func (f *flight) begin() { f.current++ }

// end notes that one of the current ones has ended or, if there is none, an
// earlier one.
func (f *flight) end() {
	switch {
	case f.current > 0:
		f.current--
	case f.earlier > 0:
		f.earlier--
	}
}

// endEarlier is end for one that is rather an earlier one.
func (f *flight) endEarlier() {
	if f.earlier > 0 {
		f.earlier--
		return
	}
	f.end()
}

// age forgets those that were earlier ones already, if the current ones are the
// ones of a whole window of that length.
func (f *flight) age(length time.Duration, now time.Time) {
	if now.Sub(f.since) >= length {
		f.earlier, f.current, f.since = f.current, 0, now
	}
}
