package midweb

import (
	"context"
	"errors"
	"fmt"
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
	store  eventStore
}

// finish returns whom to sign in. It is done before anyone is: should the
// process end in between, a person needs a new code, but no approval signs in
// two browsers. The error matches errEventHandled if the approval was taken up
// before, and errEventInHand while another request takes it up.
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
	if result, err = f.verify(ctx, fl); err != nil {
		return nil, err
	}
	if err = claim.Done(ctx); err != nil {
		return nil, err
	}
	return result, nil
}

// verify asks MID who approved, and whether it was what this flow asked for.
func (f *finisher) verify(ctx context.Context, fl flow) (*mid.AuthenticationResult, error) {
	result, err := f.auth.Verify(ctx, mid.VerifyAuthenticationParams{SessionID: fl.Session})
	if err != nil {
		return nil, err
	}
	if !result.Verified || result.SessionID != fl.Session || result.UserID == "" {
		return nil, errUnverified
	}
	session, err := f.auth.GetSession(ctx, fl.Session)
	if err != nil {
		return nil, err
	}
	switch {
	case session.Intent != f.intent:
		return nil, fmt.Errorf("%w: the session's intent is another", errUnverified)
	case session.Metadata[metadataNonce] != fl.Nonce:
		return nil, fmt.Errorf("%w: the session was not created for this browser", errUnverified)
	case session.UserID != result.UserID:
		return nil, fmt.Errorf("%w: the session names another user", errUnverified)
	}
	return result, nil
}
