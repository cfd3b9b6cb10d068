package midtest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

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
				kept := s.signings.sessions.byID[session.ID]
				assert.Equal(t, mid.SigningExpired, kept.Status)
				assert.Equal(t, session.ExpiresAt, kept.CompletedAt, "when it expired, not when it was noticed")
			})
		})
	}
}
