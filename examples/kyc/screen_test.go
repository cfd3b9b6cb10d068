package main

import (
	"bytes"
	"strings"
	"sync"
	"testing"

	"github.com/mobid-io/mid-go"
)

// A bar that was there leaves nothing behind, however its upload went.
func TestUploadBar(t *testing.T) {
	for name, sent := range map[string][]int64{
		"whole":         {10, 50, 100},
		"broken off":    {10, 50},
		"sent again":    {10, 100, 5, 100},
		"before a byte": nil,
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			s := &screen{w: &out, terminal: true, bars: true}
			bar := s.beginUpload("selfie", 100)
			for _, n := range sent {
				bar.progress(n, 100)
			}
			bar.end()
			if written := out.String(); written != "" && !strings.HasSuffix(written, "\x1b[2K\r") {
				t.Errorf("left behind: %q", written)
			}
			before := out.Len()
			bar.progress(60, 100)
			bar.end()
			if out.Len() != before {
				t.Errorf("drew after its end: %q", out.String()[before:])
			}
		})
	}
}

func TestUploadBarOfUnknownSize(t *testing.T) {
	var out bytes.Buffer
	bar := (&screen{w: &out, bars: true}).beginUpload("selfie", 0) // it tells how much it sent
	bar.progress(2500, -1)
	bar.end()
	if !strings.Contains(out.String(), "selfie") || !strings.Contains(out.String(), "2.5 kB") {
		t.Errorf("drew %q", out.String())
	}
}

func TestUploadBarEndsWhileProgressIsTold(t *testing.T) {
	bar := (&screen{w: &bytes.Buffer{}, bars: true}).beginUpload("selfie", 1000)
	var wg sync.WaitGroup
	wg.Go(func() {
		for n := range int64(1000) {
			bar.progress(n, 1000)
		}
	})
	bar.end()
	wg.Wait()
}

// Each check is told once, when it has ended.
func TestChecksAreToldOnce(t *testing.T) {
	var out bytes.Buffer
	s := newScreen(&out)
	c := mid.VerificationChecks{DocumentAuthenticity: "pending", FaceMatch: "pending"}
	s.checks(c)
	c.DocumentAuthenticity = "passed"
	s.checks(c)
	s.checks(c)
	c.FaceMatch = "inconclusive" // which no SDK of today knows
	s.checks(c)
	want := "  document authenticity  passed\n  face match             inconclusive\n"
	if out.String() != want {
		t.Errorf("told\n%swant\n%s", out.String(), want)
	}
}

// A document is written by whoever wrote it.
func TestResultDoesNotCommandTheTerminal(t *testing.T) {
	var out bytes.Buffer
	v := &mid.Verification{ID: "ver_1", Status: "\x1b[2Jnew", ExtractedData: mid.ExtractedData{FirstName: "Zoë\tB\x1b]0;x\a"}}
	if err := writeResult(&out, v, false); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(out.String(), "\x1b\a\t") || !strings.Contains(out.String(), "Zoë") {
		t.Errorf("printed %q", out.String())
	}
}

func TestFormatSize(t *testing.T) {
	for n, want := range map[int64]string{999: "999 B", 52621: "52.6 kB", 4_200_000: "4.2 MB"} {
		if got := formatSize(n); got != want {
			t.Errorf("formatSize(%d) = %q, want %q", n, got, want)
		}
	}
}
