package browser_test

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
)

// witness notes what no page may do: write an error or a warning to the
// console, break its own content security policy, throw what nothing catches,
// ask something of another host than this one.
type witness struct {
	mu       sync.Mutex
	found    []string
	requests int
	excused  []string // parts of what the test expects
}

// see is called for each event of a tab, in order.
func (w *witness) see(event any) {
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		if e.Type == "error" || e.Type == "warning" || e.Type == "assert" {
			w.note("console.%s: %s", e.Type, arguments(e.Args))
		}
	case *runtime.EventExceptionThrown:
		w.note("exception: %s", describe(e.ExceptionDetails))
	case *log.EventEntryAdded:
		if e.Entry.Level == "error" || e.Entry.Level == "warning" {
			w.note("%s %s: %s (%s)", e.Entry.Source, e.Entry.Level, e.Entry.Text, e.Entry.URL)
		}
	case *audits.EventIssueAdded:
		if e.Issue.Code != audits.InspectorIssueCodePerformanceIssue { // advice
			w.note("issue: %s", e.Issue.Code)
		}
	case *network.EventRequestWillBeSent:
		w.mu.Lock()
		w.requests++
		w.mu.Unlock()
		if !onLoopback(e.Request.URL) {
			w.note("a request for %s", e.Request.URL)
		}
	}
}

func (w *witness) note(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.found = append(w.found, fmt.Sprintf(format, args...))
}

// excuse has the witness pass over what contains the text.
func (w *witness) excuse(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.excused = append(w.excused, text)
}

// saw reports whether something that contains the text was found, excused or
// not.
func (w *witness) saw(text string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.ContainsFunc(w.found, func(found string) bool { return strings.Contains(found, text) })
}

// report returns what was found and not excused.
func (w *witness) report() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(w.found), func(found string) bool {
		return slices.ContainsFunc(w.excused, func(text string) bool { return strings.Contains(found, text) })
	})
}

// onLoopback reports whether a request stays on this machine. Data and blob
// URLs cause none.
func onLoopback(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	switch u.Scheme {
	case "data", "blob", "about":
		return true
	case "http", "https", "ws", "wss":
		ip := net.ParseIP(u.Hostname())
		return ip != nil && ip.IsLoopback()
	}
	return false
}

func arguments(args []*runtime.RemoteObject) string {
	var words []string
	for _, arg := range args {
		words = append(words, strings.TrimSpace(string(arg.Value)+" "+arg.Description))
	}
	return strings.Join(words, " ")
}

func describe(e *runtime.ExceptionDetails) string {
	if e.Exception != nil {
		return e.Text + " " + e.Exception.Description
	}
	return e.Text
}
