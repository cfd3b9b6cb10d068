package midtest_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

func Example() {
	srv := midtest.NewServer()
	defer srv.Close()
	client := srv.Client()
	ctx := context.Background()

	session, err := client.Authentication.CreateSession(ctx, mid.CreateAuthSessionParams{
		Intent: mid.IntentLogin,
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := srv.Approve(session.ID, "user_ada"); err != nil { // the phone
		log.Fatal(err)
	}
	result, err := client.Authentication.Verify(ctx, mid.VerifyAuthenticationParams{SessionID: session.ID})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.Verified, result.UserID)
	// Output: true user_ada
}

func ExampleServer_Inject() {
	srv := midtest.NewServer()
	defer srv.Close()
	client := srv.Client(mid.WithRetry(mid.RetryPolicy{MaxRetries: 1, MinWait: time.Millisecond}))

	srv.Inject(midtest.Fault{Path: "/auth/sessions/{id}", Status: 503})
	_, err := client.Authentication.GetSession(context.Background(), "sess_unknown")
	fmt.Println(err != nil)
	for _, r := range srv.Requests() {
		fmt.Println(r.Method, r.Path, r.Status)
	}
	// Output:
	// true
	// POST /auth/token 200
	// GET /auth/sessions/sess_unknown 503
	// GET /auth/sessions/sess_unknown 404
}
