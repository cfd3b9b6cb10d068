package midtest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

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
				kept := s.authSessions.sessions.byID[session.ID]
				assert.Equal(t, mid.AuthExpired, kept.Status)
				assert.Equal(t, session.ExpiresAt, kept.CompletedAt, "when it expired, not when it was noticed")
			})
		})
	}
}
