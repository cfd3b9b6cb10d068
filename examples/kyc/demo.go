package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/examples/internal/specimen"
	"github.com/mobid-io/mid-go/midtest"
)

// demo verifies a person who does not exist, with a fake MID server.
func demo(ctx context.Context) int {
	fmt.Fprintln(os.Stderr, "A demonstration with a fake MID server. For the real use, see kyc -h.")
	server := midtest.NewServer()
	defer server.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go playVerifier(ctx, server)

	a := application{Type: mid.DocumentPassport, Country: specimen.Country}
	var err error
	if a.Front, err = mid.FileFromFS(specimen.Files, "passport.png"); err != nil {
		return conclude(nil, err)
	}
	if a.Selfie, err = mid.FileFromFS(specimen.Files, "selfie.png"); err != nil {
		return conclude(nil, err)
	}
	v, err := verify(ctx, server.Client(), a, mid.PollOptions{MaxInterval: 200 * time.Millisecond})
	return conclude(v, err)
}

// playVerifier passes one check after the other, as MID does, and then verifies
// the identity.
func playVerifier(ctx context.Context, server *midtest.Server) {
	checks := []mid.VerificationChecks{
		{DocumentAuthenticity: mid.CheckPassed}, {DataExtraction: mid.CheckCompleted}, {LivenessDetection: mid.CheckPassed},
	}
	for {
		select {
		case <-time.After(600 * time.Millisecond):
		case <-ctx.Done():
			return
		}
		for _, v := range server.Verifications() {
			if len(checks) == 0 {
				_ = server.CompleteVerification(v.ID, midtest.Outcome{ExtractedData: specimen.Holder})
				return
			}
			_ = server.UpdateChecks(v.ID, checks[0])
			checks = checks[1:]
		}
	}
}
