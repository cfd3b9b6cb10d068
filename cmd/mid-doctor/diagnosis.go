package main

// verdict is what a check, or one field of an answer, turned out to be.
type verdict string

const (
	asContract    verdict = "as the contract says"
	otherSpelling verdict = "in another spelling" // and the SDK reads it
	unknown       verdict = "unknown"             // sent, but no part of the contract
	missing       verdict = "missing"             // the contract requires it
	unreadable    verdict = "unreadable"          // sent, but the SDK does not read it
	failed        verdict = "failed"              // refused, or no answer came
	notAsked      verdict = "not asked"
)

// rank orders verdicts from good to bad.
var rank = map[verdict]int{notAsked: -1, asContract: 0, unknown: 0, otherSpelling: 1, missing: 2, unreadable: 3, failed: 4}

// bad reports whether an application would notice.
func (v verdict) bad() bool { return rank[v] >= rank[missing] }

// field is one field of an answer. It never has a value of the account's.
type field struct {
	Name    string  `json:"name"` // the contract's, like signers[].sign_url; of an unknown one, what came
	Verdict verdict `json:"verdict"`
	CameAs  string  `json:"came_as,omitempty"` // its name on the wire, if that is another
	Type    string  `json:"type,omitempty"`
	Note    string  `json:"note,omitempty"`
	// Inferred says that no page of the vendor's states the name.
	Inferred bool `json:"inferred,omitempty"`
}

// check is one line of the diagnosis.
type check struct {
	Name    string  `json:"name"` // as of [mid.Operation] where it is one
	Verdict verdict `json:"verdict"`
	Text    string  `json:"text,omitempty"`
	// Sent is how the names in the request were spelled, if not as the contract
	// has them.
	Sent string `json:"sent,omitempty"`
	// Envelope is how the answer was wrapped, if not as the contract has it.
	Envelope string  `json:"envelope,omitempty"`
	Fields   []field `json:"fields,omitempty"`
}

// judge makes the verdict of a check that of its worst field.
func (c *check) judge() {
	for _, f := range c.Fields {
		if rank[f.Verdict] > rank[c.Verdict] {
			c.Verdict = f.Verdict
		}
	}
}

// diagnosis is all that the doctor found.
type diagnosis struct {
	SDK     string   `json:"sdk"`
	Go      string   `json:"go"`
	API     string   `json:"api"` // without a host: it may be one of a network inside
	Checks  []check  `json:"checks"`
	Options []string `json:"options"` // of mid.NewClientFromEnv, as Go code; nil if nothing is known
}

func (d *diagnosis) add(c check) { d.Checks = append(d.Checks, c) }

// bad counts the checks that an application would notice.
func (d *diagnosis) bad() (n int) {
	for _, c := range d.Checks {
		if c.Verdict.bad() {
			n++
		}
	}
	return n
}
