package main

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

// event is the check of an event that comes when the doctor waits for one.
func (a *account) event(t *testing.T, s settings) (check, *doctor) {
	t.Helper()
	d := newDoctor(mid.WithHTTPClient(a.HTTPClient()))
	_, err := d.client(mid.SnakeCase)
	require.NoError(t, err)
	d.examine(t.Context(), false)
	d.listen(t.Context(), s, func(string) {})
	return d.named(t, checkEvent), d
}

func TestEvent(t *testing.T) {
	a := newAccount(t, midtest.WithAutoComplete(0))
	c, d := a.event(t, settings{listen: "127.0.0.1:0", wait: time.Minute})
	assert.Equal(t, asContract, c.Verdict, d.table(true))
	assert.Contains(t, c.Text, "signature is right")
	assert.Equal(t, asContract, c.verdicts()["timestamp"])
	assert.Equal(t, asContract, c.verdicts()["data.id"])
	deliveries, err := a.WaitForDeliveries(t.Context(), 1)
	require.NoError(t, err)
	assert.Equal(t, http.StatusNoContent, deliveries[0].Status)
	showsNothing(t, &d.diagnosis, []string{string(deliveries[0].Payload)}, deliveries[0].Signature)
}

func TestEventThatIsSignedWithAnotherSecret(t *testing.T) {
	a := newAccount(t, midtest.WithAutoComplete(0))
	t.Setenv("MID_WEBHOOK_SECRET", "another")
	c, _ := a.event(t, settings{listen: "127.0.0.1:0", wait: time.Minute})
	assert.Equal(t, failed, c.Verdict)
	assert.Contains(t, c.Text, "MID_WEBHOOK_SECRET")
}

func TestEventThatDoesNotCome(t *testing.T) {
	a := newAccount(t)
	c, _ := a.event(t, settings{listen: "127.0.0.1:0", wait: time.Millisecond})
	assert.Equal(t, failed, c.Verdict)
	assert.Contains(t, c.Text, "no event came")

	c, _ = a.event(t, settings{listen: "192.0.2.1:1", wait: time.Minute}) // not this machine's
	assert.Equal(t, failed, c.Verdict)
	assert.Contains(t, c.Text, "-listen")

	t.Setenv("MID_CLIENT_SECRET", "wrong")
	c, _ = a.event(t, settings{listen: "127.0.0.1:0", wait: time.Minute})
	assert.Equal(t, notAsked, c.Verdict)
}

// What is not signed, or too large, is someone else's, and ends no wait.
func TestDeliveriesOfOthers(t *testing.T) {
	a := newAccount(t)
	address := make(chan string, 1)
	d := newDoctor(mid.WithHTTPClient(a.HTTPClient()))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	d.examine(ctx, false)
	done := make(chan struct{})
	go func() {
		defer close(done)
		d.listen(ctx, settings{listen: "127.0.0.1:0", wait: time.Minute}, func(text string) {
			_, after, _ := strings.Cut(text, "event at ")
			at, _, _ := strings.Cut(after, ";")
			address <- "http://" + at
		})
	}()
	post := func(url string, body []byte, signature string) int {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
		require.NoError(t, err)
		r.Header.Set(mid.SignatureHeader, signature)
		res, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		return res.StatusCode
	}
	url := <-address
	assert.Equal(t, http.StatusUnauthorized, post(url, nil, ""))
	assert.Equal(t, http.StatusUnauthorized, post(url, make([]byte, maxSeen+1), "00"))
	select {
	case <-done:
		require.Fail(t, "it took one of them for the event")
	default:
	}
	client, err := d.client(mid.SnakeCase)
	require.NoError(t, err)
	stale := []byte(`{"id":"evt_1","type":"authentication.completed","timestamp":1,"data":{}}`)
	assert.Equal(t, http.StatusUnauthorized, post(url, stale, client.Webhooks.Sign(stale)))
	<-done
	c := d.named(t, checkEvent)
	assert.Equal(t, unreadable, c.Verdict)
	assert.Contains(t, c.Text, "timestamp")
}
