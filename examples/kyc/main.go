// Kyc verifies an identity from the pictures of a document and a selfie:
//
//	go run ./examples/kyc -country DE -front passport.jpg -selfie selfie.jpg
//
// Its exit status is 0 for a verified identity, 3 for one that is not, 1 if
// there is no verdict, and 2 for an unknown flag. Without flags it runs a
// demonstration with a fake MID server.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/mobid-io/mid-go"
)

const ( // exit statuses
	verified    = 0
	noVerdict   = 1
	notVerified = 3
)

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	country := flag.String("country", "", "the `code` of the country that issued the document, such as DE")
	kind := flag.String("type", string(mid.DocumentPassport), "passport, national_id or drivers_license")
	front := flag.String("front", "", "the `picture` of the document")
	back := flag.String("back", "", "the `picture` of the document's back, if it has one")
	selfie := flag.String("selfie", "", "the `picture` of the person")
	timeout := flag.Duration("timeout", 5*time.Minute, "how long to wait at most")
	flag.Parse()
	if len(os.Args) == 1 {
		return demo(ctx)
	}
	client, err := mid.NewClientFromEnv(mid.WithAppInfo("mid-kyc", mid.Version))
	if err != nil {
		return conclude(nil, err)
	}
	a := application{Type: mid.DocumentType(*kind), Country: *country}
	if err := a.open(*front, *back, *selfie); err != nil {
		return conclude(nil, err)
	}
	ctx, cancel := context.WithTimeout(ctx, *timeout)
	defer cancel()
	v, err := verify(ctx, client, a, mid.PollOptions{})
	return conclude(v, err)
}

// conclude prints how it ended and returns the exit status. The result is
// personal data, so it goes to stdout and to no log.
func conclude(v *mid.Verification, err error) int {
	if err != nil {
		fmt.Fprintf(os.Stderr, "kyc: %v%s\n", err, advice(err))
		return noVerdict
	}
	switch v.Status {
	case mid.VerificationVerified:
		person := v.ExtractedData
		fmt.Printf("Verified: %s %s, born %s, document %s, expires %s\n",
			person.FirstName, person.LastName, person.DateOfBirth, person.DocumentNumber, person.ExpiryDate)
		return verified
	case mid.VerificationRejected:
		fmt.Printf("Rejected: %s Failed checks: %s\n", v.RejectionReason, strings.Join(failedChecks(v.Checks), ", "))
		return notVerified
	case mid.VerificationExpired:
		fmt.Println("Expired: MID did not come to a verdict in time.")
		return notVerified
	default: // MID may add statuses
		fmt.Fprintln(os.Stderr, "kyc: unknown status", v.Status)
		return noVerdict
	}
}
