package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/mobid-io/mid-go"
)

// screen tells what happens: in plain lines and, on a terminal, with a bar
// for the upload under way. Errors of writing are ignored throughout: the
// work matters more than the telling.
type screen struct {
	w        io.Writer
	terminal bool
	bars     bool
	colour   colour
	shown    mid.VerificationChecks
}

func newScreen(w io.Writer) *screen {
	s := &screen{w: w, terminal: isTerminal(w), colour: colourFor(w)}
	s.bars = s.terminal && width(w) >= minWidth
	return s
}

// isTerminal reports whether w can move its cursor.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb"
}

// minWidth is what a bar needs: one that wraps can't be drawn over.
const minWidth = 72

func width(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok {
		return 0
	}
	columns, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return columns
}

func (s *screen) say(format string, args ...any) {
	_, _ = fmt.Fprintf(s.w, format+"\n", args...)
}

func (s *screen) uploaded(label string, size int64) {
	s.say("Uploaded the %s, %s", label, formatSize(size))
}

func (s *screen) started(v *mid.Verification) {
	estimate := ""
	if v.EstimatedTime > 0 {
		estimate = fmt.Sprintf(", should take %v", v.EstimatedTime)
	}
	s.say("Started %s%s", printable(v.ID), estimate)
}

// checks tells of the checks whose result is new.
func (s *screen) checks(c mid.VerificationChecks) {
	before := checkList(s.shown)
	for i, check := range checkList(c) {
		if check.result != before[i].result && check.ended() {
			s.say("  %-21s  %s", check.name, s.colour.result(printable(check.result)))
		}
	}
	s.shown = c
}

// done sets what was told apart from the result, if both are on a terminal.
func (s *screen) done() {
	if s.terminal {
		s.say("")
	}
}

// home goes back to the start of a terminal's line.
func (s *screen) home() {
	if s.terminal {
		_, _ = io.WriteString(s.w, "\r")
	}
}

// uploadBar is the progress of one upload.
type uploadBar struct {
	w     io.Writer
	label string

	mu   sync.Mutex               // progress comes from another goroutine
	bar  *progressbar.ProgressBar // nil: none is on the screen
	sent int64
}

func (s *screen) beginUpload(label string, size int64) *uploadBar {
	b := &uploadBar{w: s.w, label: label}
	if s.bars {
		b.draw(size)
	}
	return b
}

// draw puts a new bar on the screen; without a size it only counts.
func (b *uploadBar) draw(size int64) {
	description, numbers := "Uploading the "+b.label, progressbar.OptionShowBytes(false)
	if size > 0 {
		description += ", " + formatSize(size)
	} else {
		size, numbers = -1, progressbar.OptionShowCount() // of bytes, the default
	}
	b.bar = progressbar.NewOptions64(size,
		progressbar.OptionSetWriter(b.w),
		progressbar.OptionSetDescription(description),
		progressbar.OptionSetTheme(progressbar.Theme{Saucer: "━", SaucerPadding: " ", BarStart: " ", BarEnd: " "}),
		progressbar.OptionSetWidth(24),
		progressbar.OptionShowBytes(true),
		numbers,
		progressbar.OptionUseANSICodes(true),
		progressbar.OptionSetPredictTime(false),
		progressbar.OptionSetElapsedTime(false),
		progressbar.OptionSetSpinnerChangeInterval(0), // it would run a goroutine
		progressbar.OptionThrottle(50*time.Millisecond),
	)
}

// progress is called by the SDK as the file is sent, and holds the upload up
// while it runs.
func (b *uploadBar) progress(sent, total int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bar == nil {
		return
	}
	if sent < b.sent { // the upload is sent again, and a bar can't go back
		_ = b.bar.Clear()
		b.draw(total)
	}
	b.sent = sent
	_ = b.bar.Set64(sent)
}

// end takes the bar off the screen for good, however far it got.
func (b *uploadBar) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bar != nil {
		_ = b.bar.Clear()
		b.bar = nil
	}
}

func formatSize(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 1000*1000:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}
