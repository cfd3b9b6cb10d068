package e2e_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

const (
	soakCallers = 8
	// soakMemory is how far the heap may be from flat, in bytes. The memory of
	// the webhooks' default store is a part of it: 240 bytes for each event.
	soakMemory     = 8 << 20
	soakGoroutines = 100
)

// TestSoak uses all of the SDK for a while, with tokens that live for seconds,
// and looks whether its memory stays flat. The fake server is a process of its
// own. MID_SOAK_SECONDS is the length of a long run.
func TestSoak(t *testing.T) {
	length := 10 * time.Second
	if n := fromEnv(t, "MID_SOAK_SECONDS"); n > 0 {
		length = time.Duration(n) * time.Second
	}
	s := newSoak(t)
	ctx, cancel := context.WithTimeout(t.Context(), length)
	defer cancel()
	var callers sync.WaitGroup
	for range soakCallers {
		callers.Go(func() {
			for ctx.Err() == nil {
				// A round that has begun ends: the soak is about memory.
				s.round(context.WithoutCancel(ctx))
				time.Sleep(100 * time.Millisecond)
			}
		})
	}
	heaps, goroutines := s.watch(ctx, length/40)
	callers.Wait()

	failed := s.failures()
	assert.NoError(t, errors.Join(failed[:min(len(failed), 5)]...), "%d failures in all", len(failed))
	assert.Positive(t, s.rounds.Load())
	assert.Positive(t, s.events.Load())
	early, late := quarter(heaps, 1), quarter(heaps, 3)
	few, many := quarter(goroutines, 1), quarter(goroutines, 3)
	t.Logf("%d rounds and %d events in %v; heap %d KiB early, %d KiB late; goroutines %d early, %d late",
		s.rounds.Load(), s.events.Load(), length, early>>10, late>>10, few, many)
	assert.Less(t, late, early+soakMemory, "heaps: %v", heaps)
	assert.Less(t, many, few+soakGoroutines, "goroutines: %v", goroutines)
}

// quarter is the median of the n-th quarter of values, which begins with 0.
func quarter(values []uint64, n int) uint64 {
	part := slices.Clone(values[len(values)*n/4 : len(values)*(n+1)/4])
	slices.Sort(part)
	return part[len(part)/2]
}

type soak struct {
	client *mid.Client
	hook   string
	rounds atomic.Int64
	events atomic.Int64

	mu     sync.Mutex
	failed []error
}

func newSoak(t *testing.T) *soak {
	t.Helper()
	addr := startPart(t, "mid")
	s := &soak{}
	var err error
	s.client, err = mid.NewClient(midClientID, midClientSecret,
		mid.WithBaseURL("http://"+addr+"/v1"),
		mid.WithWebhooks(mid.WebhookConfig{Secrets: []string{receiverSecret}}))
	require.NoError(t, err)
	count := func() error {
		s.events.Add(1)
		return nil
	}
	hook := httptest.NewServer(s.client.Webhooks.Handler(mid.EventHandlers{
		AuthenticationCompleted: func(context.Context, *mid.Event, *mid.AuthSession) error { return count() },
		VerificationCompleted:   func(context.Context, *mid.Event, *mid.Verification) error { return count() },
		SigningCompleted:        func(context.Context, *mid.Event, *mid.SigningSession) error { return count() },
	}))
	t.Cleanup(hook.Close)
	s.hook = hook.URL
	return s
}

// watch samples the heap and the goroutines until ctx ends.
func (s *soak) watch(ctx context.Context, every time.Duration) (heaps, goroutines []uint64) {
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-time.After(every):
		}
		heaps = append(heaps, heap())
		goroutines = append(goroutines, uint64(runtime.NumGoroutine()))
	}
	return heaps, goroutines
}

func (s *soak) failures() []error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed
}

// round signs someone in, verifies an identity and has a document signed.
func (s *soak) round(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	s.rounds.Add(1)
	for what, do := range map[string]func(context.Context) error{"sign in": s.signIn, "verify": s.verify, "sign": s.haveSigned} {
		if err := do(ctx); err != nil {
			s.mu.Lock()
			s.failed = append(s.failed, fmt.Errorf("%s: %w", what, err))
			s.mu.Unlock()
		}
	}
}

func (s *soak) signIn(ctx context.Context) error {
	session, err := s.client.Authentication.CreateSession(ctx, mid.CreateAuthSessionParams{Intent: mid.IntentLogin, CallbackURL: s.hook})
	if err != nil {
		return err
	}
	if session, err = s.client.Authentication.WaitForSession(ctx, session.ID, mid.PollOptions{}); err != nil {
		return err
	}
	result, err := s.client.Authentication.Verify(ctx, mid.VerifyAuthenticationParams{
		SessionID: session.ID, Expect: &mid.AuthExpectation{Intent: mid.IntentLogin},
	})
	if err == nil && !result.Verified {
		err = errFalse
	}
	return err
}

func (s *soak) verify(ctx context.Context) error {
	var ids []string
	for _, kind := range []mid.DocumentType{mid.DocumentPassport, mid.DocumentSelfie} {
		page := mid.FileFromBytes("page.png", chaosPage)
		page.ContentType = "image/png"
		doc, err := s.client.Identity.UploadDocument(ctx, mid.UploadIdentityDocumentParams{File: page, Type: kind})
		if err != nil {
			return err
		}
		ids = append(ids, doc.ID)
	}
	v, err := s.client.Identity.StartVerification(ctx, mid.StartVerificationParams{
		DocumentType: mid.DocumentPassport, Country: "DE", DocumentFrontID: ids[0], SelfieID: ids[1], CallbackURL: s.hook,
	})
	if err != nil {
		return err
	}
	v, err = s.client.Identity.WaitForVerification(ctx, v.ID, mid.PollOptions{})
	if err == nil && v.Status != mid.VerificationVerified {
		err = errFalse
	}
	return err
}

func (s *soak) haveSigned(ctx context.Context) error {
	doc, err := s.client.Signing.UploadDocument(ctx, mid.UploadSigningDocumentParams{
		File: mid.FileFromReader("lease.pdf", readerOnly{bytes.NewReader(chaosPage)}),
	})
	if err != nil {
		return err
	}
	session, err := s.client.Signing.CreateSession(ctx, mid.CreateSigningSessionParams{
		DocumentIDs: []string{doc.ID}, Signers: signers, CallbackURL: s.hook,
	})
	if err != nil {
		return err
	}
	session, err = s.client.Signing.WaitForSession(ctx, session.ID, mid.PollOptions{})
	if err == nil && session.Status != mid.SigningCompleted {
		err = errFalse
	}
	return err
}
