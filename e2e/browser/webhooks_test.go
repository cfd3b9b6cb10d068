package browser_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

// TestMockWebhooks shows what was delivered to an app that is down at first,
// once it is up, and again when the button is pressed.
func TestMockWebhooks(t *testing.T) {
	t.Parallel()
	m := startMock(t)
	var up atomic.Bool
	received := make(chan string, 10)
	hooks, err := mid.NewWebhookService(mid.WebhookConfig{Secrets: []string{m.hooksSecret}})
	require.NoError(t, err)
	handler := hooks.Handler(mid.EventHandlers{
		AuthenticationCompleted: func(_ context.Context, _ *mid.Event, session *mid.AuthSession) error {
			received <- session.ID
			return nil
		},
	})
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !up.Load() {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(app.Close)

	board := newTab(t)
	m.watch(board)
	session, err := m.client(t).Authentication.CreateSession(bounded(t), mid.CreateAuthSessionParams{
		Intent:      mid.IntentLogin,
		CallbackURL: app.URL + "/hooks",
	})
	require.NoError(t, err)
	board.press("#" + session.ID + "-approve")
	board.until(`document.querySelector(".delivery .heading .pill.bad")?.textContent === "500"`)
	text := ask[string](board, `document.querySelector(".delivery").innerText`)
	for _, want := range []string{"authentication.completed", session.ID, app.URL + "/hooks"} {
		assert.Contains(t, text, want)
	}

	up.Store(true)
	board.until(`document.querySelector(".delivery .heading .pill.good")?.textContent === "204"`)
	board.press(".delivery summary")
	payload := ask[string](board, `document.querySelector(".delivery pre").innerText`)
	assert.Contains(t, payload, `"id": "`+session.ID+`"`)
	attempts := ask[int](board, `document.querySelectorAll(".attempts li").length`)
	assert.Greater(t, attempts, 1)
	board.press(".delivery details button") // Send again
	board.until(`document.querySelectorAll(".attempts li").length > ` + strconv.Itoa(attempts))
	assert.True(t, ask[bool](board, `document.querySelector(".delivery details").open`), "the payload is closed under its reader")
	assert.True(t, ask[bool](board, `document.activeElement.matches(".delivery details button")`), "the focus is lost")
	assert.True(t, board.marked(), "the board was loaded again")
	require.Len(t, received, 1, "the app was told once, however often the event came")
	assert.Equal(t, session.ID, <-received)
}
