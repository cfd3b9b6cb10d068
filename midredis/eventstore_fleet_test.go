package midredis_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midredis"
)

const (
	webhookSecret = "whsec_test"
	// fleetLease is short, so that the events of a killed process are delivered
	// again soon.
	fleetLease = 2 * time.Second
)

// receive is the main function of a process that receives webhooks. For each
// event that it handles it counts one, in Redis: that a handler began, and, in
// one step with what a handler would write, that it completed.
func receive(r role, stdin *bufio.Reader) error {
	rdb := r.client()
	store, err := midredis.NewEventStore(rdb, r.Account, midredis.WithTimeout(5*time.Second))
	if err != nil {
		return err
	}
	hooks, err := mid.NewWebhookService(mid.WebhookConfig{Secrets: []string{webhookSecret}, Store: store, Lease: fleetLease})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	if err := say("http://" + listener.Addr().String()); err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(io.Discard, stdin)
		os.Exit(0)
	}()
	return http.Serve(listener, hooks.Handler(mid.EventHandlers{Other: func(ctx context.Context, event *mid.Event) error {
		if midredis.Fence(ctx) == 0 {
			return errors.New("the handler has no fencing token")
		}
		time.Sleep(2 * time.Millisecond) // the work that a kill interrupts
		return rdb.HIncrBy(ctx, "completed:"+r.Account, event.ID, 1).Err()
	}}))
}

// Four processes receive 2,000 events twice each, and one of them is killed in
// the middle of it: its events are handled by the others. Between what the handler
// writes and Done the killed process may have written once without a mark, as with
// every store that is not in the handler's own transaction; no event is lost, and
// those are at most as many as it had in hand.
func TestFleetHandlesEachEventWhenAProcessIsKilled(t *testing.T) {
	const events, processes, senders = 2000, 4, 16
	server, account := startRedis(t), newAccount()
	var urls [processes]string
	var fleet [processes]*process
	for i := range fleet {
		fleet[i] = role{Name: "receiver", Redis: server.addr, Account: account}.start(t)
		fleet[i].read(t, &urls[i])
	}
	sender, err := mid.NewWebhookService(mid.WebhookConfig{Secrets: []string{webhookSecret}})
	require.NoError(t, err)
	client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: senders}}
	defer client.CloseIdleConnections()

	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	var sent, acknowledged, inHand, cut atomic.Int64
	deliver := func(id string) {
		for ctx.Err() == nil {
			if sent.Add(1) == events/2 {
				go fleet[0].kill()
			}
			switch status := deliverTo(ctx, client, sender, urls[rand.IntN(processes)], id); status {
			case http.StatusNoContent:
				acknowledged.Add(1)
				return
			case http.StatusServiceUnavailable:
				inHand.Add(1)
			case 0:
				cut.Add(1)
			default:
				assert.Fail(t, "unexpected status", "%d", status)
				return
			}
			time.Sleep(rand.N(50 * time.Millisecond)) // MID, too, waits
		}
	}
	queue := make(chan string)
	var all sync.WaitGroup
	for range senders {
		all.Go(func() {
			for id := range queue {
				deliver(id)
			}
		})
	}
	begun := time.Now()
	for i := range 2 * events {
		queue <- "evt_" + strconv.Itoa(i/2)
	}
	close(queue)
	all.Wait()
	require.NoError(t, ctx.Err(), "not all events were acknowledged in time")

	rdb := server.client(t)
	completed, err := rdb.HGetAll(t.Context(), "completed:"+account).Result()
	require.NoError(t, err)
	assert.Len(t, completed, events, "events that were lost")
	again := 0
	for _, n := range completed {
		if n != "1" {
			again++
		}
	}
	assert.LessOrEqual(t, again, senders, "events of which more than the killed process had in hand ran twice")
	keys, err := rdb.Keys(t.Context(), "mid:{"+account+"}:event:*").Result()
	require.NoError(t, err)
	assert.Len(t, keys, events)
	t.Logf("%d events twice each in %v: %d acknowledged, %d refused with 503, %d cut off; %d ran twice, which the kill interrupted between the work and Done",
		events, time.Since(begun).Round(time.Millisecond), acknowledged.Load(), inHand.Load(), cut.Load(), again)
}

// deliverTo returns the status of the answer, or 0 if there was none.
func deliverTo(ctx context.Context, client *http.Client, sender *mid.WebhookService, url, id string) int {
	body := fmt.Sprintf(`{"id":%q,"type":"test.work","timestamp":%d,"data":{"a":1}}`, id, time.Now().UnixMilli())
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return 0
	}
	request.Header.Set(mid.SignatureHeader, sender.Sign([]byte(body)))
	response, err := client.Do(request)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode
}

// Webhooks are answered 503 while Redis is gone, and MID delivers again.
func TestReceiverAnswers503WhileRedisIsGone(t *testing.T) {
	server := startRedis(t)
	hooks, err := mid.NewWebhookService(mid.WebhookConfig{
		Secrets: []string{webhookSecret}, Store: newStore(t, server.client(t), newAccount(), midredis.WithTimeout(2*time.Second)),
	})
	require.NoError(t, err)
	deliver := func() int {
		body := fmt.Sprintf(`{"id":"evt_1","type":"test.work","timestamp":%d,"data":{"a":1}}`, time.Now().UnixMilli())
		header := http.Header{mid.SignatureHeader: {hooks.Sign([]byte(body))}}
		return hooks.Handle(t.Context(), []byte(body), header, mid.EventHandlers{}).Status
	}
	server.stop()
	assert.Equal(t, http.StatusServiceUnavailable, deliver())
	server.start(t)
	require.Eventually(t, func() bool { return deliver() == http.StatusNoContent }, 20*time.Second, 50*time.Millisecond)
	assert.Equal(t, http.StatusNoContent, deliver())
}
