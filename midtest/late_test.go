package midtest

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

// withoutTimers runs f with a client of a server whose timers never fire: the
// latest that they can be.
func withoutTimers(t *testing.T, f func(t *testing.T, s *Server, client *mid.Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := NewServer(WithInMemory())
		defer s.Close()
		s.timers.close()
		f(t, s, s.Client())
	})
}

func TestAuthExpiryNeedsNoTimer(t *testing.T) {
	for name, look := range map[string]func(context.Context, *Server, *mid.Client, string) (mid.AuthStatus, error){
		"get": func(ctx context.Context, _ *Server, client *mid.Client, id string) (mid.AuthStatus, error) {
			session, err := client.Authentication.GetSession(ctx, id)
			return session.Status, err
		},
		"verify": func(ctx context.Context, _ *Server, client *mid.Client, id string) (mid.AuthStatus, error) {
			result, err := client.Authentication.Verify(ctx, mid.VerifyAuthenticationParams{SessionID: id})
			return result.Status, err
		},
		"list": func(_ context.Context, s *Server, _ *mid.Client, _ string) (mid.AuthStatus, error) {
			return s.AuthSessions()[0].Status, nil
		},
		"drive": func(_ context.Context, s *Server, _ *mid.Client, id string) (mid.AuthStatus, error) {
			return mid.AuthExpired, succeeded(s.Approve(id, ""))
		},
	} {
		t.Run(name, func(t *testing.T) {
			withoutTimers(t, func(t *testing.T, s *Server, client *mid.Client) {
				session, err := client.Authentication.CreateSession(t.Context(), mid.CreateAuthSessionParams{Intent: mid.IntentLogin})
				require.NoError(t, err)
				time.Sleep(7 * time.Minute)
				status, err := look(t.Context(), s, client, session.ID)
				require.NoError(t, err)
				assert.Equal(t, mid.AuthExpired, status)
				kept := s.authSessions.byID[session.ID]
				assert.Equal(t, mid.AuthExpired, kept.Status)
				assert.Equal(t, session.ExpiresAt, kept.CompletedAt, "when it expired, not when it was noticed")
			})
		})
	}
}

func TestSigningExpiryNeedsNoTimer(t *testing.T) {
	for name, look := range map[string]func(context.Context, *Server, *mid.Client, string) (mid.SigningStatus, error){
		"get": func(ctx context.Context, _ *Server, client *mid.Client, id string) (mid.SigningStatus, error) {
			session, err := client.Signing.GetSession(ctx, id)
			return session.Status, err
		},
		"list": func(_ context.Context, s *Server, _ *mid.Client, _ string) (mid.SigningStatus, error) {
			return s.SigningSessions()[0].Status, nil
		},
		"drive": func(_ context.Context, s *Server, _ *mid.Client, id string) (mid.SigningStatus, error) {
			return mid.SigningExpired, succeeded(s.Sign(id, "ada@example.com"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			withoutTimers(t, func(t *testing.T, s *Server, client *mid.Client) {
				document, err := client.Signing.UploadDocument(t.Context(), mid.UploadSigningDocumentParams{
					File: mid.FileFromBytes("lease.pdf", []byte("%PDF-1.7")),
				})
				require.NoError(t, err)
				session, err := client.Signing.CreateSession(t.Context(), mid.CreateSigningSessionParams{
					DocumentIDs: []string{document.ID},
					Signers:     []mid.SignerParams{{Name: "Ada", Email: "ada@example.com"}},
				})
				require.NoError(t, err)
				time.Sleep(75 * time.Hour)
				status, err := look(t.Context(), s, client, session.ID)
				require.NoError(t, err)
				assert.Equal(t, mid.SigningExpired, status)
				kept := s.signings.byID[session.ID]
				assert.Equal(t, mid.SigningExpired, kept.Status)
				assert.Equal(t, session.ExpiresAt, kept.CompletedAt, "when it expired, not when it was noticed")
			})
		})
	}
}

// succeeded is an error unless there was one.
func succeeded(err error) error {
	if err == nil {
		return errors.New("what should be refused succeeded")
	}
	return nil
}
