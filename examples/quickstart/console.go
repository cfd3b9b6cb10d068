package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
)

// console prints the story. Events and progress come from goroutines of their
// own, so it prints one piece at a time.
type console struct {
	mu       sync.Mutex
	w        io.Writer
	terminal bool
	colors   bool
}

func newConsole(w io.Writer) *console {
	c := &console{w: w, terminal: isTerminal(w)}
	c.colors = c.terminal && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	return c
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// The styles, as parameters of SGR escape sequences.
const (
	bold   = "1"
	dim    = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
	cyan   = "36"
)

func (c *console) style(sgr, text string) string {
	if !c.colors {
		return text
	}
	return "\x1b[" + sgr + "m" + text + "\x1b[0m"
}

// print ignores errors, because there is nowhere else to report them.
func (c *console) print(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, _ = io.WriteString(c.w, text)
}

func (c *console) headline(title, detail string) {
	c.print("\n" + c.style(bold, title) + " · " + detail + "\n")
}

func (c *console) chapter(number, title, file string) {
	c.print("\n" + c.style(bold+";"+cyan, number+"  "+title) + c.style(dim, " · "+file) + "\n")
}

func (c *console) say(format string, args ...any) {
	c.print("   " + fmt.Sprintf(format, args...) + "\n")
}

// show prints a picture of several lines.
func (c *console) show(picture string) { c.print("\n" + picture + "\n") }

// whisper prints what a reader may skip.
func (c *console) whisper(format string, args ...any) {
	c.print("   " + c.style(dim, fmt.Sprintf(format, args...)) + "\n")
}

func (c *console) fact(name, format string, args ...any) {
	c.print("   " + c.style(yellow, fmt.Sprintf("%-13s", name)) + " " + fmt.Sprintf(format, args...) + "\n")
}

func (c *console) event(format string, args ...any) {
	c.print("   " + c.style(cyan, "⇠ webhook    ") + " " + fmt.Sprintf(format, args...) + "\n")
}

func (c *console) success(format string, args ...any) {
	c.print("   " + c.style(green, "✔ "+fmt.Sprintf(format, args...)) + "\n")
}

func (c *console) failure(format string, args ...any) {
	c.print("   " + c.style(red, "✘ "+fmt.Sprintf(format, args...)) + "\n")
}

// next prints a suggestion.
func (c *console) next(what, how string) {
	c.print("   " + c.style(bold, fmt.Sprintf("%-15s", what)) + " " + how + "\n")
}

// progress returns a function that draws the progress of an upload. On a
// terminal the bar grows; elsewhere it is printed once, when all is sent.
func (c *console) progress(name string) func(sent, total int64) {
	const width = 24
	return func(sent, total int64) {
		if total <= 0 || sent < total && !c.terminal {
			return
		}
		full := int(sent * width / total)
		bar := strings.Repeat("█", full) + strings.Repeat("░", width-full)
		line := fmt.Sprintf("%s %s %.1f of %.1f kB", c.style(yellow, fmt.Sprintf("%-13s", name)), bar, float64(sent)/1000, float64(total)/1000)
		if c.terminal {
			line = "\r   " + line
		} else {
			line = "   " + line
		}
		if sent == total {
			line += "\n"
		}
		c.print(line)
	}
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
