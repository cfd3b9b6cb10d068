package midtest_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

// receiver answers deliveries with the given statuses, and then with 204.
type receiver struct {
	mu       sync.Mutex
	statuses []int
	got      []received
}

type received struct {
	header http.Header
	event  struct {
		ID        string
		Type      mid.EventType
		Timestamp int64
		Data      json.RawMessage
	}
	payload []byte
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	d := received{header: req.Header}
	d.payload, _ = io.ReadAll(req.Body)
	_ = json.Unmarshal(d.payload, &d.event)
	r.got = append(r.got, d)
	status := http.StatusNoContent
	if len(r.statuses) > 0 {
		status, r.statuses = r.statuses[0], r.statuses[1:]
	}
	w.Header().Set("Location", "/elsewhere")
	w.WriteHeader(status)
}

const callback = "https://shop.example.com/webhooks/mid"

func TestEventsTellWhatEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := start(t, midtest.WithInMemory())
		var rec receiver
		c.srv.HandleCallbacks(&rec)
		auth, verification, signing := c.session(callback), c.verification(callback), c.signing(callback)
		c.session("") // asks for no event
		time.Sleep(time.Second)
		require.NoError(t, c.srv.Approve(auth.ID, "user_ada"))
		synctest.Wait()
		require.NoError(t, c.srv.CompleteVerification(verification.ID, midtest.Outcome{}))
		synctest.Wait()
		require.NoError(t, c.srv.Decline(signing.ID, "ada@example.com"))
		synctest.Wait()

		require.Len(t, rec.got, 3)
		for i, want := range []struct {
			kind          mid.EventType
			subject, path string
		}{
			{mid.EventAuthenticationCompleted, auth.ID, "/auth/sessions/"},
			{mid.EventVerificationCompleted, verification.ID, "/identity/verifications/"},
			{mid.EventSigningCompleted, signing.ID, "/signing/sessions/"},
		} {
			got, delivery := rec.got[i], c.srv.Events()[i]
			assert.Equal(t, want.kind, got.event.Type)
			assert.Regexp(t, "^evt_", got.event.ID)
			assert.Equal(t, time.Now().UnixMilli(), got.event.Timestamp)
			assert.JSONEq(t, string(c.get(want.path+want.subject).Data), string(got.event.Data))
			assert.Equal(t, c.srv.ClientID, got.header.Get("X-Client-Id"))
			assert.Equal(t, "application/json", got.header.Get("Content-Type"))
			assert.Equal(t, midtest.Delivery{
				EventID: got.event.ID, Type: want.kind, SubjectID: want.subject, URL: callback,
				Attempt: 1, Status: 204, Time: delivery.Time,
				Payload: got.payload, Signature: got.header.Get(mid.SignatureHeader),
			}, delivery)
		}
	})
}

func TestClientVerifiesEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := start(t, midtest.WithInMemory())
		client := c.srv.Client()
		var rec receiver
		c.srv.HandleCallbacks(&rec)
		session := c.session(callback)
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		require.Len(t, rec.got, 1, "an expiry is an end too")
		event, err := client.Webhooks.Parse(rec.got[0].payload, rec.got[0].header)
		require.NoError(t, err)
		got, err := event.AuthSession()
		require.NoError(t, err)
		assert.Equal(t, session.ID, got.ID)
		assert.Equal(t, mid.AuthExpired, got.Status)
		assert.NotEqual(t, c.srv.ClientSecret, c.srv.WebhookSecret)
	})
}

func TestEventsTellOfSigningThatExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := start(t, midtest.WithInMemory(), midtest.WithTokenLifetime(100*time.Hour))
		var rec receiver
		c.srv.HandleCallbacks(&rec)
		session := c.signing(callback)
		time.Sleep(72 * time.Hour)
		synctest.Wait()
		require.Len(t, rec.got, 1)
		assert.Equal(t, mid.EventSigningCompleted, rec.got[0].event.Type)
		assert.JSONEq(t, string(c.get("/signing/sessions/"+session.ID).Data), string(rec.got[0].event.Data))
		assert.Contains(t, string(rec.got[0].event.Data), `"status":"expired"`)
	})
}

func TestEventsAreDeliveredAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := start(t, midtest.WithInMemory())
		rec := receiver{statuses: []int{500, 302, 404, 401, 503}}
		c.srv.HandleCallbacks(&rec)
		s := c.session(callback)
		began := time.Now()
		require.NoError(t, c.srv.Reject(s.ID))
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Len(t, rec.got, 5, "and no sixth time")
		var waited []time.Duration
		seen := map[string]bool{}
		for i, d := range c.srv.Events() {
			waited = append(waited, d.Time.Sub(began))
			assert.Equal(t, i+1, d.Attempt)
			assert.Equal(t, rec.got[0].event.ID, d.EventID, "the same id")
			assert.Equal(t, d.Time.UnixMilli(), rec.got[i].event.Timestamp, "a fresh timestamp")
			seen[d.Signature] = true
		}
		assert.Len(t, seen, 5, "fresh signatures")
		const ms = time.Millisecond
		assert.Equal(t, []time.Duration{0, 200 * ms, 600 * ms, 1400 * ms, 3000 * ms}, waited)

		require.NoError(t, c.srv.Redeliver(rec.got[0].event.ID))
		synctest.Wait()
		require.Len(t, rec.got, 6)
		assert.Equal(t, rec.got[0].event.ID, rec.got[5].event.ID)
		assert.Equal(t, 1, c.srv.Events()[5].Attempt)
		assert.ErrorContains(t, c.srv.Redeliver("evt_x"), `midtest: there is no event "evt_x"`)
	})
}

// A receiver that answers 503 or 429 may say when to try again.
func TestRetryAfterOfAReceiverIsHonoured(t *testing.T) {
	for header, pause := range map[string]time.Duration{"60": time.Minute, "0": 200 * time.Millisecond, "soon": 200 * time.Millisecond, "99999999999": time.Hour, "-5": 200 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			c := start(t, midtest.WithInMemory())
			rec := receiver{statuses: []int{503}}
			c.srv.HandleCallbacks(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Retry-After", header)
				rec.ServeHTTP(w, r)
			}))
			require.NoError(t, c.srv.Reject(c.session(callback).ID))
			deliveries, err := c.srv.WaitForDeliveries(t.Context(), 2)
			require.NoError(t, err)
			assert.Equal(t, pause, deliveries[1].Time.Sub(deliveries[0].Time), header)
		})
	}
}

func TestWaitForDeliveries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := start(t, midtest.WithInMemory())
		rec := receiver{statuses: []int{500, 500}}
		c.srv.HandleCallbacks(&rec)
		none, err := c.srv.WaitForDeliveries(t.Context(), 0)
		require.NoError(t, err)
		assert.Empty(t, none)

		s := c.session(callback)
		began := time.Now()
		time.AfterFunc(time.Second, func() { assert.NoError(t, c.srv.Reject(s.ID)) })
		got, err := c.srv.WaitForDeliveries(t.Context(), 3)
		require.NoError(t, err)
		require.Len(t, got, 3)
		assert.Equal(t, 1600*time.Millisecond, time.Since(began))
		assert.Equal(t, 204, got[2].Status)

		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		got, err = c.srv.WaitForDeliveries(ctx, 4)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "midtest: 3 of 4 deliveries have ended")
		assert.Len(t, got, 3)

		time.AfterFunc(time.Second, c.srv.Close)
		_, err = c.srv.WaitForDeliveries(t.Context(), 4)
		require.ErrorContains(t, err, "the server is closed")
	})
}

func TestDeliveryToASlowReceiverTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := start(t, midtest.WithInMemory())
		c.srv.HandleCallbacks(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		}))
		s := c.session(callback)
		require.NoError(t, c.srv.Reject(s.ID))
		time.Sleep(10*time.Second + 1)
		synctest.Wait()
		require.Len(t, c.srv.Events(), 1)
		assert.Zero(t, c.srv.Events()[0].Status)
		assert.ErrorIs(t, c.srv.Events()[0].Err, context.DeadlineExceeded)
		time.Sleep(time.Second) // the second attempt is under way when the server closes
	})
}

func TestInMemoryDeliveryNeedsAHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := start(t, midtest.WithInMemory())
		require.NoError(t, c.srv.Reject(c.session(callback).ID))
		synctest.Wait()
		require.Len(t, c.srv.Events(), 1)
		assert.ErrorContains(t, c.srv.Events()[0].Err, "HandleCallbacks")
	})
}

func TestDeliveryOverTheNetwork(t *testing.T) {
	arrived := make(chan struct{})
	shop := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		// Only behind the body does net/http notice the end of the connection,
		// which ends the context. Without it, shop would never close.
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case arrived <- struct{}{}:
		case <-r.Context().Done():
		}
		<-r.Context().Done()
	}))
	defer shop.Close()
	c := start(t)
	defer c.srv.Close() // before shop, which waits for the delivery
	require.NoError(t, c.srv.Reject(c.session(shop.URL+"/hook").ID))
	select {
	case <-arrived:
	case <-time.After(time.Minute):
		require.Fail(t, "nothing arrived", "%v", c.srv.Events())
	}
	c.srv.Close()
	require.Len(t, c.srv.Events(), 1, "Close breaks the delivery off, waits for it and makes no other")
	assert.ErrorIs(t, c.srv.Events()[0].Err, context.Canceled)
}
