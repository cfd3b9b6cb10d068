package main

import (
	"context"
	"fmt"

	"github.com/mobid-io/mid-go"
)

// signIn shows a QR code, follows what the phone does, and then asks MID from
// the backend.
func (a *app) signIn(ctx context.Context) error {
	a.out.chapter("1", "Sign in on the phone", "auth.go")
	session, err := a.client.Authentication.CreateSession(ctx, mid.CreateAuthSessionParams{
		Intent:      mid.IntentLogin,
		CallbackURL: a.callbackURL,
	})
	if err != nil {
		return err
	}
	code, err := drawQR(session.QRData, a.out.colors)
	if err != nil {
		return err
	}
	a.out.say("The user scans this with the MID app:")
	a.out.show(code)

	for session, err := range a.client.Authentication.WatchSession(ctx, session.ID, a.poll) {
		if err != nil {
			return err
		}
		a.out.fact(string(session.Status), "%s", authMeaning(session.Status))
	}
	return a.verifySignIn(ctx, session.ID)
}

// verifySignIn asks MID from the backend. What a browser or an event says is not
// enough to sign a user in.
func (a *app) verifySignIn(ctx context.Context, sessionID string) error {
	result, err := a.client.Authentication.Verify(ctx, mid.VerifyAuthenticationParams{
		SessionID: sessionID,
		Expect:    &mid.AuthExpectation{Intent: mid.IntentLogin}, // and not, say, a payment
	})
	if err != nil {
		return err
	}
	if !result.Verified {
		return fmt.Errorf("the session is %s, so no one is signed in", result.Status)
	}
	a.out.success("Verified by the backend: %s is signed in, recognized by %s.", result.UserID, result.Method)
	return nil
}

func authMeaning(status mid.AuthStatus) string {
	switch status {
	case mid.AuthPending:
		return "waiting for a phone"
	case mid.AuthScanned:
		return "a phone has scanned the code"
	case mid.AuthApproved:
		return "the user has approved"
	case mid.AuthRejected:
		return "the user has declined"
	case mid.AuthExpired:
		return "the user did not decide in time"
	}
	return "a status that this program does not know" // MID may add some
}
