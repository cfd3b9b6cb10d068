package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

// config is what the flags ask for.
type config struct {
	addr      string
	public    url.URL // the zero URL: what addr is on this machine
	latency   time.Duration
	errorRate float64
	version   bool
	options   []midtest.Option
}

const defaultAddr = "127.0.0.1:8700"

var plans = map[string]mid.Plan{
	"sandbox":      mid.PlanSandbox,
	"standard":     mid.PlanStandard,
	"starter":      mid.PlanStarter,
	"professional": mid.PlanProfessional,
}

// parse reads the flags. Its error is flag.ErrHelp if help was asked for.
func parse(args []string) (*config, error) {
	c := &config{addr: defaultAddr}
	fs := c.flags()
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	if fs.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q: there are only flags", fs.Arg(0))
	}
	return c, nil
}

func (c *config) flags() *flag.FlagSet {
	fs := flag.NewFlagSet("mid-mock", flag.ContinueOnError)
	fs.SetOutput(io.Discard) // run says what is wrong, and says it once
	fs.Func("addr", "listen on `host:port`; port 0 is a free one, no host is all\n"+
		"interfaces (default "+defaultAddr+")", c.setAddr)
	fs.Func("public-url", "print and put into signers' links this `address`, like\n"+
		"https://mock.example, by which others reach it (default from -addr)", c.setPublic)
	fs.Func("plan", "limit requests as a `plan` does, by rate and burst: sandbox, standard,\n"+
		"starter or professional (default -quota 1000/1m)", c.setPlan)
	fs.Func("quota", "limit requests to a `number/duration`, like 60/1m, in fixed windows", c.setQuota)
	fs.Func("names", "spell the names of fields in `snake` or camel case (default snake)", c.setNames)
	fs.Func("envelope", "wrap answers in an `envelope`: success (the contract's) or code\n"+
		"(code, message and data; default success)", c.setEnvelope)
	fs.Func("latency", "let every API request wait for a `duration`, like 250ms (default 0s)", c.setLatency)
	fs.Func("error-rate", "answer this `share` of the API requests with 503, from 0 to 1\n"+
		"(default 0)", c.setErrorRate)
	fs.Func("auto-complete", "approve, verify and sign by itself after a `duration`; 0s is at once\n"+
		"(default never: you decide, on the page)", c.setAutoComplete)
	fs.Func("token-lifetime", "let access tokens live for a `duration` of at least 1s (default 1h)", c.setTokenLifetime)
	fs.BoolVar(&c.version, "version", false, "print the version and exit")
	return fs
}

func usage() string {
	var b strings.Builder
	fs := new(config).flags()
	fs.SetOutput(&b)
	fs.PrintDefaults()
	return `mid-mock is a fake MID server with a page that plays the phone.

Usage:

  mid-mock [flags]

It serves the API under /v1 and the page at /, and prints both addresses and
the credentials. Everything is forgotten when it stops.

Flags:

` + b.String() + `
Examples:

  mid-mock -auto-complete 2s               users who approve everything
  mid-mock -latency 300ms -error-rate 0.1  a bad day
  mid-mock -token-lifetime 5s              tokens that have to be renewed
  mid-mock -names camel -envelope code     the spelling of the vendor's other pages
  mid-mock -addr 0.0.0.0:8700 -public-url http://192.0.2.7:8700
                                           for a phone on the same network
`
}

func (c *config) setAddr(s string) error {
	if _, port, err := net.SplitHostPort(s); err != nil || port == "" {
		return errors.New("give a host and a port, like " + defaultAddr)
	}
	if _, err := net.ResolveTCPAddr("tcp", s); err != nil {
		return err
	}
	c.addr = s
	return nil
}

func (c *config) setPublic(s string) error {
	u, err := url.Parse(strings.TrimSuffix(s, "/"))
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || *u != (url.URL{Scheme: u.Scheme, Host: u.Host}) {
		return errors.New("give a scheme and a host, like https://mock.example")
	}
	c.public = *u
	return nil
}

func (c *config) setPlan(s string) error {
	plan, ok := plans[s]
	if !ok {
		return errors.New("give sandbox, standard, starter or professional")
	}
	c.options = append(c.options, midtest.WithPlan(plan))
	return nil
}

func (c *config) setQuota(s string) error {
	number, length, _ := strings.Cut(s, "/")
	limit, err := strconv.Atoi(number)
	window, err2 := time.ParseDuration(length)
	if err != nil || err2 != nil || limit < 0 || window <= 0 {
		return errors.New("give a number of requests and a duration, like 60/1m")
	}
	c.options = append(c.options, midtest.WithQuota(limit, window))
	return nil
}

func (c *config) setNames(s string) error {
	names, ok := map[string]mid.FieldNames{"snake": mid.SnakeCase, "camel": mid.CamelCase}[s]
	if !ok {
		return errors.New("give snake or camel")
	}
	c.options = append(c.options, midtest.WithFieldNames(names))
	return nil
}

func (c *config) setEnvelope(s string) error {
	envelope, ok := map[string]midtest.Envelope{"success": midtest.EnvelopeSuccess, "code": midtest.EnvelopeCode}[s]
	if !ok {
		return errors.New("give success or code")
	}
	c.options = append(c.options, midtest.WithEnvelope(envelope))
	return nil
}

func (c *config) setLatency(s string) (err error) {
	c.latency, err = duration(s, 0)
	return err
}

func (c *config) setErrorRate(s string) error {
	rate, err := strconv.ParseFloat(s, 64)
	if err != nil || !(rate >= 0 && rate <= 1) { // so that NaN is refused too
		return errors.New("give a number from 0 to 1, like 0.1 for one request in ten")
	}
	c.errorRate = rate
	return nil
}

func (c *config) setAutoComplete(s string) error {
	after, err := duration(s, 0)
	c.options = append(c.options, midtest.WithAutoComplete(after))
	return err
}

func (c *config) setTokenLifetime(s string) error {
	lifetime, err := duration(s, time.Second)
	c.options = append(c.options, midtest.WithTokenLifetime(lifetime))
	return err
}

func duration(s string, least time.Duration) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, errors.New("give a duration with its unit, like 250ms, 2s or 1m30s")
	}
	if d < least {
		return 0, fmt.Errorf("give %v or more", least)
	}
	return d, nil
}
