package main

import (
	"fmt"
	"strings"
)

// marks are what a line of the table begins with.
var marks = map[verdict]string{
	asContract: "ok", unknown: "ok", otherSpelling: "~", notAsked: "-",
	missing: "!!", unreadable: "!!", failed: "!!",
}

// table is the diagnosis for a person at a terminal. With all, it has every
// field on a line; else only those that an application would miss.
func (d *diagnosis) table(all bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "mid-doctor %s, %s, against %s\n\n", d.SDK, d.Go, d.API)
	envelope := ""
	for _, c := range d.Checks {
		if c.Verdict == notAsked {
			continue
		}
		b.WriteString(row(marks[c.Verdict], c.Name, string(c.Verdict), c.summary()))
		for _, f := range c.Fields {
			if all || f.Verdict.bad() {
				b.WriteString(row("", "  "+f.Name, string(f.Verdict), f.remark()))
			}
		}
		if c.Envelope != envelope && c.Envelope != "" { // said once while it is the same
			envelope = c.Envelope
			b.WriteString(list("envelope from here on", []string{envelope}))
		}
		if !all {
			b.WriteString(list("spelled", c.fieldsAre(otherSpelling)))
			b.WriteString(list("not in the contract", c.fieldsAre(unknown)))
		}
	}
	b.WriteString(d.skipped())
	b.WriteString("\n" + d.conclusion() + "\n")
	if d.Options != nil {
		b.WriteString("\nMake the client with:\n\n")
		for line := range strings.Lines(code(d.Options) + "\n") {
			b.WriteString("  " + line)
		}
	}
	return b.String()
}

// row is one line of the table.
func row(mark, name, verdict, remark string) string {
	return strings.TrimRight(fmt.Sprintf("  %-2s  %-28s  %-20s  %s", mark, name, verdict, remark), " ") + "\n"
}

// list is a list of fields as a few short lines, or nothing.
func list(heading string, names []string) string {
	if len(names) == 0 {
		return ""
	}
	const indent, width = "        ", 76
	var b strings.Builder
	if heading != "" {
		heading += ": "
	}
	line := indent + heading + names[0]
	for _, name := range names[1:] {
		if len(line)+len(name) > width {
			b.WriteString(line + ",\n")
			line = indent + "  " + name
			continue
		}
		line += ", " + name
	}
	return b.String() + line + "\n"
}

// fieldsAre lists the fields with a verdict, with the names that they came
// under.
func (c *check) fieldsAre(v verdict) (names []string) {
	for _, f := range c.Fields {
		switch {
		case f.Verdict != v:
		case v == unknown:
			names = append(names, f.Name)
		case f.CameAs != "" || f.Note != "":
			names = append(names, strings.TrimSpace(f.Name+" "+f.cameAs()))
		}
	}
	return names
}

// skipped lists what was not asked, by the reasons.
func (d *diagnosis) skipped() string {
	var reasons []string
	names := map[string][]string{}
	for _, c := range d.Checks {
		if c.Verdict == notAsked {
			if names[c.Text] == nil {
				reasons = append(reasons, c.Text)
			}
			names[c.Text] = append(names[c.Text], c.Name)
		}
	}
	var b strings.Builder
	for _, reason := range reasons {
		fmt.Fprintf(&b, "  -   not asked: %s\n%s", reason, list("", names[reason]))
	}
	return b.String()
}

// summary is the text of a check and how many fields it compared.
func (c *check) summary() string {
	var parts []string
	if c.Text != "" {
		parts = append(parts, c.Text)
	}
	if n := len(c.Fields); n > 0 && c.Name != checkLimits {
		parts = append(parts, fmt.Sprintf("%d fields", n))
	}
	if c.Sent != "" {
		parts = append(parts, "asked in "+c.Sent)
	}
	return strings.Join(parts, "; ")
}

// cameAs says how a field came.
func (f *field) cameAs() string {
	var parts []string
	if f.CameAs != "" {
		parts = append(parts, "as "+f.CameAs)
	}
	if f.Note != "" {
		parts = append(parts, f.Note)
	}
	return strings.Join(parts, "; ")
}

// remark is what is worth a word about a field.
func (f *field) remark() string {
	remark := f.cameAs()
	if f.Inferred && remark != "" {
		remark += "; "
	}
	if f.Inferred {
		remark += "inferred"
	}
	return remark
}

// conclusion is one sentence.
func (d *diagnosis) conclusion() string {
	spelled := false
	for _, c := range d.Checks {
		spelled = spelled || c.Verdict == otherSpelling
	}
	switch n := d.bad(); {
	case n == 1:
		return "One check failed: the line with !! says what."
	case n > 1:
		return fmt.Sprintf("%d checks failed: the lines with !! say what.", n)
	case spelled:
		return "The SDK reads all that it asked for, some of it in another spelling (~)."
	}
	return "The SDK reads all that it asked for, as the contract says."
}
