package mid_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"
	"time"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

// A user signs in on the phone. The examples use the fake server of package
// midtest. With the real one, NewClient makes the client, and the user approves.
func Example() {
	server := midtest.NewServer()
	defer server.Close()
	client := server.Client()
	ctx := context.Background()

	session, err := client.Authentication.CreateSession(ctx, mid.CreateAuthSessionParams{Intent: mid.IntentLogin})
	if err != nil {
		log.Fatal(err)
	}
	// Show session.QRCode to the user, in an img element.
	if err := server.Approve(session.ID, "user_ada"); err != nil {
		log.Fatal(err)
	}
	if _, err := client.Authentication.WaitForSession(ctx, session.ID, mid.PollOptions{}); err != nil {
		log.Fatal(err)
	}
	result, err := client.Authentication.Verify(ctx, mid.VerifyAuthenticationParams{SessionID: session.ID})
	if err != nil {
		log.Fatal(err)
	}
	if result.Verified {
		fmt.Println("welcome,", result.UserID)
	}
	// Output: welcome, user_ada
}

func ExampleAuthenticationService_CreateSession() {
	server := midtest.NewServer()
	defer server.Close()
	client := server.Client()

	session, err := client.Authentication.CreateSession(context.Background(), mid.CreateAuthSessionParams{
		Intent:      mid.IntentPayment,
		Recipient:   "+14155550123",
		CallbackURL: "https://shop.example.com/mid/events",
		Metadata:    map[string]string{"order": "4711"},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(session.Status)
	fmt.Println(strings.HasPrefix(session.QRCode, "data:image/png;base64,"))
	fmt.Println(session.ExpiresAt.Sub(session.CreatedAt))
	// Output:
	// pending
	// true
	// 5m0s
}

func ExampleAuthenticationService_GetSession() {
	server := midtest.NewServer()
	defer server.Close()
	client := server.Client()
	ctx := context.Background()

	created, err := client.Authentication.CreateSession(ctx, mid.CreateAuthSessionParams{Intent: mid.IntentLogin})
	if err != nil {
		log.Fatal(err)
	}
	if err := server.Scan(created.ID); err != nil { // the phone
		log.Fatal(err)
	}
	session, err := client.Authentication.GetSession(ctx, created.ID)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(session.Status, session.Status.Final())
	// Output: scanned false
}

func ExampleAuthenticationService_Verify() {
	server := midtest.NewServer()
	defer server.Close()
	client := server.Client()
	ctx := context.Background()

	session, err := client.Authentication.CreateSession(ctx, mid.CreateAuthSessionParams{Intent: mid.IntentLogin})
	if err != nil {
		log.Fatal(err)
	}
	params := mid.VerifyAuthenticationParams{SessionID: session.ID}
	before, err := client.Authentication.Verify(ctx, params)
	if err != nil {
		log.Fatal(err)
	}
	if err := server.Approve(session.ID, "user_ada"); err != nil { // the phone
		log.Fatal(err)
	}
	after, err := client.Authentication.Verify(ctx, params)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(before.Verified, before.Status)
	fmt.Println(after.Verified, after.Status, after.UserID, after.Method)
	// Output:
	// false pending
	// true approved user_ada face
}

// Expect refuses the approval of something else: here the user approved a
// payment, and no one is signed in.
func ExampleAuthenticationService_Verify_expect() {
	server := midtest.NewServer()
	defer server.Close()
	client := server.Client()
	ctx := context.Background()

	payment, err := client.Authentication.CreateSession(ctx, mid.CreateAuthSessionParams{Intent: mid.IntentPayment})
	if err != nil {
		log.Fatal(err)
	}
	if err := server.Approve(payment.ID, "user_ada"); err != nil { // the phone
		log.Fatal(err)
	}
	_, err = client.Authentication.Verify(ctx, mid.VerifyAuthenticationParams{
		SessionID: payment.ID,
		Expect:    &mid.AuthExpectation{Intent: mid.IntentLogin},
	})
	fmt.Println(errors.Is(err, mid.ErrUnexpectedSession))
	// Output: true
}

// The end of a wait may be any final status, not only an approval.
func ExampleAuthenticationService_WaitForSession() {
	server := midtest.NewServer()
	defer server.Close()
	client := server.Client()
	ctx := context.Background()

	session, err := client.Authentication.CreateSession(ctx, mid.CreateAuthSessionParams{Intent: mid.IntentConsent})
	if err != nil {
		log.Fatal(err)
	}
	time.AfterFunc(2*time.Millisecond, func() { _ = server.Reject(session.ID) }) // the phone

	session, err = client.Authentication.WaitForSession(ctx, session.ID, mid.PollOptions{MinInterval: time.Millisecond})
	if err != nil {
		log.Fatal(err)
	}
	switch session.Status {
	case mid.AuthApproved:
		fmt.Println("approved; verify it now")
	case mid.AuthRejected:
		fmt.Println("the user declined")
	default:
		fmt.Println("the user did not decide in time:", session.Status)
	}
	// Output: the user declined
}

// An event that the client's webhooks receive wakes the wait at once. Polling
// goes on slowly, for the event that never comes.
func ExampleAuthenticationService_WaitForSession_webhook() {
	server := midtest.NewServer()
	defer server.Close()
	client := server.Client()
	ctx := context.Background()

	server.HandleCallbacks(client.Webhooks.Handler(mid.EventHandlers{}))
	session, err := client.Authentication.CreateSession(ctx, mid.CreateAuthSessionParams{
		Intent:      mid.IntentLogin,
		CallbackURL: "https://shop.example.com/mid/events",
	})
	if err != nil {
		log.Fatal(err)
	}
	time.AfterFunc(2*time.Millisecond, func() { _ = server.Approve(session.ID, "user_ada") }) // the phone

	session, err = client.Authentication.WaitForSession(ctx, session.ID, mid.PollOptions{MinInterval: time.Minute})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(session.Status)
	// Output: approved
}

func ExampleAuthenticationService_WatchSession() {
	server := midtest.NewServer()
	defer server.Close()
	client := server.Client()
	ctx := context.Background()

	created, err := client.Authentication.CreateSession(ctx, mid.CreateAuthSessionParams{Intent: mid.IntentLogin})
	if err != nil {
		log.Fatal(err)
	}
	poll := mid.PollOptions{MinInterval: time.Millisecond}
	for session, err := range client.Authentication.WatchSession(ctx, created.ID, poll) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(session.Status)
		switch session.Status { // the phone
		case mid.AuthPending:
			err = server.Scan(session.ID)
		case mid.AuthScanned:
			err = server.Approve(session.ID, "user_ada")
		}
		if err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// pending
	// scanned
	// approved
}
