package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/mobid-io/mid-go"
)

// writeResult prints what the user asked for. This is the one place that
// personal data goes to.
func writeResult(w io.Writer, v *mid.Verification, asJSON bool) error {
	if asJSON {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(v)
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range rows(v, colourFor(w)) {
		if row[1] != "" {
			if _, err := fmt.Fprintf(table, "%s\t%s\n", row[0], row[1]); err != nil {
				return err
			}
		}
	}
	return table.Flush()
}

// rows are the table; those without a value are not printed. Fields are taken
// one by one: as a whole, ExtractedData formats as a placeholder, on purpose.
func rows(v *mid.Verification, c colour) [][2]string {
	status := c.result(printable(string(v.Status)))
	if v.Confidence != nil {
		status += fmt.Sprintf(", with a confidence of %.0f %%", *v.Confidence*100)
	}
	person := v.ExtractedData
	return [][2]string{
		{"Status", status},
		{"Reason", printable(v.RejectionReason)},
		{"Checks", summary(v.Checks)},
		{"Name", printable(strings.TrimSpace(person.FirstName + " " + person.LastName))},
		{"Date of birth", printable(person.DateOfBirth)},
		{"Nationality", printable(person.Nationality)},
		{"Document", printable(strings.ReplaceAll(string(v.DocumentType), "_", " ") + ", " + v.Country)},
		{"Number", printable(person.DocumentNumber)},
		{"Expires", printable(person.ExpiryDate)},
		{"Verification", printable(v.ID)},
		{"Completed", formatTime(v.CompletedAt)},
	}
}

func formatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format("2006-01-02 15:04:05 MST")
}

type check struct{ name, result string }

func checkList(c mid.VerificationChecks) [4]check {
	return [4]check{
		{"document authenticity", c.DocumentAuthenticity},
		{"liveness", c.LivenessDetection},
		{"data extraction", c.DataExtraction},
		{"face match", c.FaceMatch},
	}
}

// ended is true for results that the SDK does not know, too.
func (c check) ended() bool { return c.result != "" && c.result != "pending" }

func (c check) good() bool { return c.result == "passed" || c.result == "completed" }

// summary is "4 passed", or leads with what did not.
func summary(checks mid.VerificationChecks) string {
	var parts []string
	passed := 0
	for _, c := range checkList(checks) {
		switch {
		case c.good():
			passed++
		case c.result != "":
			parts = append(parts, c.name+" "+printable(c.result))
		}
	}
	if passed > 0 {
		parts = append(parts, fmt.Sprintf("%d passed", passed))
	}
	return strings.Join(parts, ", ")
}

// printable keeps what comes from a document or a server from commanding the
// terminal, or from breaking the table.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}

// colour is whether to use any.
type colour bool

// colourFor follows no-color.org: any value of NO_COLOR but the empty one.
func colourFor(w io.Writer) colour {
	return colour(isTerminal(w) && os.Getenv("NO_COLOR") == "")
}

// result colours a status or the result of a check by what it means.
func (c colour) result(s string) string {
	code, ok := map[string]string{
		"verified": "32", "passed": "32", "completed": "32",
		"rejected": "31", "failed": "31", "expired": "33",
	}[s]
	if !bool(c) || !ok {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}
