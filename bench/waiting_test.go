package bench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mobid-io/mid-go"
)

const (
	// waitLatency is a round trip to the server, and webhookDelay how long
	// after an approval its event arrives.
	waitLatency  = 50 * time.Millisecond
	webhookDelay = 100 * time.Millisecond
)

// phone answers for a session that is approved at a given time.
type phone struct {
	created, approved time.Time
	requests          atomic.Int64
}

func (p *phone) RoundTrip(req *http.Request) (*http.Response, error) {
	p.requests.Add(1)
	time.Sleep(waitLatency / 2)
	now := time.Now()
	status := mid.AuthPending
	if !now.Before(p.approved) {
		status = mid.AuthApproved
	}
	body := fmt.Sprintf(`{"success":true,"data":{"id":"sess_1","status":%q,"expires_at":%q},"meta":{"request_id":"req_1","timestamp":%q}}`,
		status, p.created.Add(5*time.Minute).Format(time.RFC3339), now.Format(time.RFC3339))
	time.Sleep(waitLatency / 2)
	return &http.Response{
		StatusCode: http.StatusOK,
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        http.Header{},
		Body:          io.NopCloser(bytes.NewReader([]byte(body))),
		ContentLength: int64(len(body)),
		Request:       req,
	}, nil
}

// waits are the ways of waiting that are compared.
var waits = []struct {
	name    string
	opts    mid.PollOptions
	webhook bool
}{
	{name: "defaults"},
	{name: "0.5 s to 2 s", opts: mid.PollOptions{MinInterval: time.Second / 2, MaxInterval: 2 * time.Second}},
	{name: "2 s to 10 s", opts: mid.PollOptions{MinInterval: 2 * time.Second, MaxInterval: 10 * time.Second}},
	{name: "every second", opts: mid.PollOptions{MinInterval: time.Second, MaxInterval: time.Second}},
	{name: "defaults, webhook", webhook: true},
	{name: "20 s, webhook", opts: mid.PollOptions{MinInterval: 20 * time.Second, MaxInterval: 20 * time.Second}, webhook: true},
}

// TestWaiting tells how long after an approval WaitForSession returns, and
// after how many requests.
func TestWaiting(t *testing.T) {
	approvals := []int{1, 2, 5, 10, 20, 30, 60} // seconds
	var b strings.Builder
	b.WriteString("\n| waiting | approved after | late, mean | late, at most | requests, mean |\n| --- | ---: | ---: | ---: | ---: |\n")
	for _, w := range waits {
		longest := max(w.opts.MaxInterval, w.opts.MinInterval)
		if longest == 0 {
			longest = 5 * time.Second
		}
		for _, seconds := range approvals {
			mean, most, requests := approvedAfter(t, time.Duration(seconds)*time.Second, w.opts, w.webhook)
			fmt.Fprintf(&b, "| %s | %d s | %.2f s | %.2f s | %.1f |\n", w.name, seconds, mean.Seconds(), most.Seconds(), requests)
			// The look at the end of an interval, or the one that was under
			// way when the event came and one more.
			limit := longest + 2*waitLatency
			if w.webhook {
				limit = webhookDelay + 2*waitLatency
			}
			if most > limit {
				t.Errorf("%s, approved after %d s: returned %v late, want at most %v", w.name, seconds, most, limit)
			}
		}
	}
	t.Log(b.String())
}

// approvedAfter waits for many sessions that are approved within the half
// second after the given time, so that jitter and phase average out.
func approvedAfter(t *testing.T, after time.Duration, opts mid.PollOptions, webhook bool) (mean, most time.Duration, requests float64) {
	t.Helper()
	const runs = 100
	for i := range runs {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			p := &phone{created: start, approved: start.Add(after + time.Second/2*time.Duration(i)/runs)}
			client, err := newQuotaClient(p, nil)
			if err != nil {
				t.Fatal(err)
			}
			if webhook {
				time.AfterFunc(p.approved.Add(webhookDelay).Sub(start), func() { deliver(client.Webhooks) })
			}
			session, err := client.Authentication.WaitForSession(context.Background(), "sess_1", opts)
			if err != nil {
				t.Fatal(err)
			}
			if session.Status != mid.AuthApproved {
				t.Fatalf("the session is %s", session.Status)
			}
			late := time.Since(p.approved)
			mean += late / runs
			most = max(most, late)
			requests += float64(p.requests.Load()) / runs
			time.Sleep(time.Minute) // for the event that came too late
		})
	}
	return mean, most, requests
}

// deliver has the client's webhooks receive the session's event.
func deliver(hooks *mid.WebhookService) {
	payload := fmt.Appendf(nil, `{"id":"evt_1","type":"authentication.completed","timestamp":%d,"data":{"id":"sess_1","status":"approved"}}`, time.Now().UnixMilli())
	hooks.Handle(context.Background(), payload, http.Header{mid.SignatureHeader: {hooks.Sign(payload)}}, mid.EventHandlers{})
}
