package e2e_test

import (
	"context"

	"github.com/mobid-io/mid-go"
)

// noLimiter lets everything pass, so that a test meets the server's own limit.
type noLimiter struct{}

func (noLimiter) Wait(ctx context.Context) error { return ctx.Err() }
func (noLimiter) Observe(mid.RequestOutcome)     {}
