package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// report is the diagnosis as Markdown, to attach to an issue. Like all output it
// has names and kinds of fields, and no value, id, host or secret.
func (d *diagnosis) report() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# mid-doctor\n\nSDK %s, %s, against %s\n\n", d.SDK, d.Go, d.API)
	b.WriteString("| check | verdict | |\n|---|---|---|\n")
	for _, c := range d.Checks {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", c.Name, c.Verdict, c.summary())
	}
	for _, c := range d.Checks {
		if len(c.Fields) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n## %s\n\n", c.Name)
		if c.Envelope != "" {
			fmt.Fprintf(&b, "Envelope: %s\n\n", c.Envelope)
		}
		b.WriteString("| field | kind | verdict | |\n|---|---|---|---|\n")
		for _, f := range c.Fields {
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", f.Name, f.Type, f.Verdict, f.remark())
		}
	}
	if d.Options != nil {
		b.WriteString("\n## Options\n\n```go\n" + code(d.Options) + "\n```\n")
	}
	return b.String()
}

// save writes the report to a file that only its owner reads.
func (d *diagnosis) save(path string) error {
	return os.WriteFile(path, []byte(d.report()), 0o600) //nolint:gosec // it goes where -report says
}

// asJSON is the diagnosis for programs.
func (d *diagnosis) asJSON() string {
	text, _ := json.MarshalIndent(d, "", "  ") // texts and flags always marshal
	return string(text) + "\n"
}
