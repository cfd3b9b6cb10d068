package midweb

import (
	"context"
	"errors"
	"time"

	"github.com/mobid-io/mid-go"
)

const (
	finishTimeout = 30 * time.Second
	lease         = time.Minute // longer than finishTimeout
	// grip is how long settling a claim may take once the browser has gone.
	grip = 5 * time.Second
)

var errUnverified = errors.New("midweb: MID does not confirm the approval")

// finisher finds out who approved. It gives each approval away once.
type finisher struct {
	auth   *mid.AuthenticationService
	intent mid.Intent
	store  mid.EventStore
}

// finish returns whom to sign in. It is done before anyone is: should the
// process end in between, a person needs a new code, but no approval signs in
// two browsers. The error matches mid.ErrEventHandled if the approval was taken
// up before, and mid.ErrEventInHand while another request takes it up.
func (f *finisher) finish(ctx context.Context, fl flow) (result *mid.AuthenticationResult, err error) {
	ctx, cancel := context.WithTimeout(ctx, finishTimeout)
	defer cancel()
	claim, err := f.store.Claim(ctx, "midweb "+fl.Session, lease)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), grip)
			defer cancel()
			err = errors.Join(err, claim.Release(ctx))
		}
	}()
	if ctx, err = claim.Context(ctx); err != nil {
		return nil, err
	}
	result, err = f.verify(ctx, fl)
	if errors.Is(err, errUnverified) || errors.Is(err, mid.ErrUnexpectedSession) {
		// It will never be good, and asking again costs the account.
		return nil, errors.Join(err, claim.Done(ctx))
	}
	if err != nil {
		return nil, err
	}
	if err = claim.Done(ctx); err != nil {
		return nil, err
	}
	return result, nil
}

// verify asks MID who approved, and whether it was what this flow asked for.
func (f *finisher) verify(ctx context.Context, fl flow) (*mid.AuthenticationResult, error) {
	result, err := f.auth.Verify(ctx, mid.VerifyAuthenticationParams{
		SessionID: fl.Session,
		Expect: &mid.AuthExpectation{
			Intent:   f.intent,
			Metadata: map[string]string{metadataNonce: fl.Nonce},
			MaxAge:   grace,
		},
	})
	if err != nil {
		return nil, err
	}
	if !result.Verified || result.UserID == "" {
		return nil, errUnverified
	}
	return result, nil
}
