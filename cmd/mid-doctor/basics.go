package main

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/mobid-io/mid-go"
)

// basics are the checks of what every call needs. err is that of the first call.
// ok is false if the others need not be made.
func (d *doctor) basics(err error) (ok bool) {
	newest := d.wire.newest()
	if newest.header == nil {
		d.add(check{Name: checkReach, Verdict: failed, Text: explain(err)})
		d.skip("nothing answers", checkClock, checkToken, checkLimits)
		return false
	}
	d.add(check{Name: checkReach, Verdict: asContract, Text: reached(newest)})
	d.add(clock(newest))
	token, _ := d.wire.operation(checkToken)
	if _, called := d.wire.operation(opCreateAuthSession); !called {
		c := check{Name: checkToken, Verdict: verdictOf(err), Text: explain(err)}
		if c.Verdict == unreadable {
			c.token(token.body)
		}
		d.add(c)
		d.add(d.limits(newest.header))
		return false
	}
	c := check{Name: checkToken}
	c.token(token.body)
	c.finish()
	d.add(c)
	d.add(d.limits(newest.header))
	return true
}

func reached(e exchange) string {
	if e.tls == nil {
		return "plain http, on this machine"
	}
	return tls.VersionName(e.tls.Version) + ", " + e.proto
}

// The differences of the clocks that are worth a word, and that refuse events:
// the tolerance of [mid.WebhookConfig].
const (
	clockNoted = 30 * time.Second
	clockWrong = 5 * time.Minute
)

func clock(e exchange) check {
	c := check{Name: checkClock, Verdict: asContract}
	server, err := http.ParseTime(e.header.Get("Date"))
	if err != nil {
		c.Verdict, c.Text = missing, "no Date header, so the SDK can't tell how far this machine's clock is off"
		return c
	}
	// A Date is cut to the second, so it is half a second later on average.
	off := e.at.Sub(server.Add(time.Second / 2)).Round(time.Second)
	direction := "ahead of"
	if off < 0 {
		off, direction = -off, "behind"
	}
	switch {
	case off < clockNoted:
		c.Text = "as the server's, to " + clockNoted.String()
	case off <= clockWrong:
		c.Text = fmt.Sprintf("this machine is %v %s the server", off, direction)
	default:
		c.Verdict = failed
		c.Text = fmt.Sprintf("this machine is %v %s the server; webhooks refuse events that are over %v off", off, direction, clockWrong)
	}
	return c
}

// limitHeaders are the contract's.
var limitHeaders = []string{"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"}

// limits looks at the headers, and at what the SDK made of them.
func (d *doctor) limits(header http.Header) check {
	c := check{Name: checkLimits}
	for _, name := range limitHeaders {
		f := field{Name: name, Type: "number", Verdict: asContract}
		if header.Get(name) == "" {
			f.Verdict = missing
		}
		c.Fields = append(c.Fields, f)
	}
	c.finish()
	quota := d.clients[d.names].RateLimit()
	switch {
	case !slices.ContainsFunc(c.Fields, func(f field) bool { return f.Verdict == asContract }):
		c.Text = "no headers: only a 429 holds the SDK back, unless WithPlan paces it"
	case quota.Limit == 0:
		c.Verdict, c.Text = unreadable, "the SDK can't make a quota of these headers"
	default:
		c.Text = fmt.Sprintf("%d in a window", quota.Limit)
	}
	return c
}

// plans are the published ones.
var plans = []struct {
	name string
	plan mid.Plan
}{
	{"PlanSandbox", mid.PlanSandbox},
	{"PlanStandard", mid.PlanStandard},
	{"PlanStarter", mid.PlanStarter},
	{"PlanProfessional", mid.PlanProfessional},
}

// planOption is the option for the plan that has this limit as its rate or its
// burst, or the empty text.
func planOption(limit int) string {
	for _, p := range plans {
		if limit == p.plan.RequestsPerMinute || limit == p.plan.Burst {
			return "mid.WithPlan(mid." + p.name + ")"
		}
	}
	return ""
}

// advise adds the options that an application should set.
// Without an answer there is nothing to say.
func (d *doctor) advise(api []string) {
	if !d.has(opCreateAuthSession) {
		return
	}
	d.Options = append([]string{}, api...)
	if d.names == mid.CamelCase {
		d.Options = append(d.Options, "mid.WithFieldNames(mid.CamelCase)")
	}
	if plan := planOption(d.clients[d.names].RateLimit().Limit); plan != "" {
		d.Options = append(d.Options, plan)
	}
}

// code is the Go code that makes a client with the options.
func code(options []string) string {
	if len(options) == 0 {
		return "client, err := mid.NewClientFromEnv()"
	}
	return "client, err := mid.NewClientFromEnv(\n\t" + strings.Join(options, ",\n\t") + ",\n)"
}
