package main

import (
	"embed"
	"io"
	"time"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

// The specimens show a person who does not exist, and a passport of a country
// that does not either.
//
//go:embed specimen/*.png
var specimens embed.FS

// demoCountry is of the codes that ISO 3166-1 leaves to everybody's own use.
const demoCountry = "XU"

var demoPerson = mid.ExtractedData{
	FirstName:      "Isolde",
	LastName:       "Wren",
	DateOfBirth:    "1992-03-14",
	DocumentNumber: "U8040217",
	ExpiryDate:     "2033-06-01",
	Nationality:    demoCountry,
}

// stageDemo makes the app one that needs no network, no account and no files.
func (a *app) stageDemo() error {
	front, err := mid.FileFromFS(specimens, "specimen/passport.png")
	if err != nil {
		return err
	}
	selfie, err := mid.FileFromFS(specimens, "specimen/selfie.png")
	if err != nil {
		return err
	}
	if a.screen.bars {
		front, selfie = paced(front), paced(selfie)
	}
	a.images = []image{
		{label: "document", file: front, kind: a.cfg.documentType, side: mid.SideFront},
		{label: "selfie", file: selfie, kind: mid.DocumentSelfie},
	}
	srv := midtest.NewServer()
	stop := playVerifier(srv, midtest.Outcome{Status: a.cfg.outcome, ExtractedData: demoPerson})
	a.client, a.close = srv.Client(), func() { stop(); srv.Close() }
	a.poll = mid.PollOptions{MinInterval: 300 * time.Millisecond, MaxInterval: 300 * time.Millisecond}
	a.screen.say("A demonstration, with specimens and a fake MID server; kyc -h tells of the real use.")
	return nil
}

// playVerifier lets one more check of the verification pass every now and then,
// as MID does, and ends it with o at last. Call stop before the server closes.
func playVerifier(srv *midtest.Server, o midtest.Outcome) (stop func()) {
	steps := []mid.VerificationChecks{
		{DocumentAuthenticity: "passed"}, {LivenessDetection: "passed"}, {DataExtraction: "completed"},
	}
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(600 * time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
			case <-quit:
				return
			}
			started := srv.Verifications()
			switch {
			case len(started) == 0:
			case len(steps) > 0:
				_ = srv.UpdateChecks(started[0].ID, steps[0]) // it is there and goes on
				steps = steps[1:]
			default:
				_ = srv.CompleteVerification(started[0].ID, o)
				return
			}
		}
	}()
	return func() { close(quit); <-ended }
}

// paced is the file as if over a slow line: the specimens are small, and the
// fake server is near.
func paced(f mid.File) mid.File {
	open, size := f.Open, f.Size
	f.Open = func() (io.ReadCloser, error) {
		r, err := open()
		return &pacedReader{ReadCloser: r, step: max(1, int(size/30))}, err
	}
	return f
}

type pacedReader struct {
	io.ReadCloser
	step int
}

func (r *pacedReader) Read(p []byte) (int, error) {
	time.Sleep(30 * time.Millisecond)
	return r.ReadCloser.Read(p[:min(len(p), r.step)])
}
