package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/mobid-io/mid-go"
)

const synopsis = "kyc [flags] PASSPORT SELFIE"

type config struct {
	front, back, selfie string // paths
	documentType        mid.DocumentType
	country             string
	json                bool
	timeout             time.Duration
	demo                bool
	outcome             mid.VerificationStatus // of the demonstration
}

const help = `Kyc verifies an identity from a passport, or another document, and a selfie.

usage: ` + synopsis + `

The files are JPEG, PNG, WebP, HEIC or PDF. The flags:

  -country CC       the country that issued the document, as two capital letters
                    (ISO 3166-1); required
  -type TYPE        passport (the default), national_id or drivers_license
  -back FILE        the back of the document, if it has one
  -timeout TIME     how long to wait for the verdict at most; 5m by default
  -json             print the result as JSON, as the API tells it
  -demo-outcome O   run the demonstration and have it end verified or rejected

MID_CLIENT_ID and MID_CLIENT_SECRET are the credentials, MID_BASE_URL is the API;
production is the default. Without files and MID_CLIENT_ID, a demonstration runs.

exit status: 0 verified, 3 rejected, 4 expired, 1 no verdict, 2 wrong usage,
130 interrupted
`

func newFlags(cfg *config) *flag.FlagSet {
	fs := flag.NewFlagSet("kyc", flag.ContinueOnError)
	fs.SetOutput(io.Discard) // run prints errors and help, each to where it belongs
	fs.StringVar(&cfg.country, "country", "", "")
	fs.StringVar((*string)(&cfg.documentType), "type", string(mid.DocumentPassport), "")
	fs.StringVar(&cfg.back, "back", "", "")
	fs.DurationVar(&cfg.timeout, "timeout", 5*time.Minute, "")
	fs.BoolVar(&cfg.json, "json", false, "")
	fs.StringVar((*string)(&cfg.outcome), "demo-outcome", "", "")
	return fs
}

func parseArgs(args []string) (config, error) {
	var cfg config
	fs := newFlags(&cfg)
	if err := fs.Parse(args); err != nil {
		return cfg, err
	}
	cfg.demo = fs.NArg() == 0 && (cfg.outcome != "" || os.Getenv("MID_CLIENT_ID") == "")
	switch {
	case cfg.demo:
		return cfg, cfg.checkDemo()
	case cfg.outcome != "":
		return cfg, errors.New("-demo-outcome goes without files")
	case fs.NArg() != 2:
		hint := ""
		if fs.NArg() == 0 {
			hint = " (MID_CLIENT_ID is set, so this is no demonstration)"
		}
		return cfg, fmt.Errorf("got %d arguments, want two files, after all flags%s", fs.NArg(), hint)
	}
	cfg.front, cfg.selfie = fs.Arg(0), fs.Arg(1)
	return cfg, cfg.check()
}

func (c *config) checkDemo() error {
	switch c.outcome {
	case "":
		c.outcome = mid.VerificationVerified
	case mid.VerificationVerified, mid.VerificationRejected:
	default:
		return errors.New("-demo-outcome must be verified or rejected")
	}
	if c.back != "" {
		return errors.New("-back needs PASSPORT and SELFIE")
	}
	if c.country == "" {
		c.country = demoCountry
	}
	return c.check()
}

func (c *config) check() error {
	switch c.documentType {
	case mid.DocumentPassport, mid.DocumentNationalID, mid.DocumentDriversLicense:
	default:
		return errors.New("-type must be passport, national_id or drivers_license")
	}
	switch {
	case c.country == "":
		return errors.New("-country is missing: which country issued the document?")
	case len(c.country) != 2 || strings.Trim(c.country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "":
		return errors.New("-country must be two capital letters, like DE")
	case c.timeout <= 0:
		return errors.New("-timeout must be more than zero")
	}
	return nil
}
