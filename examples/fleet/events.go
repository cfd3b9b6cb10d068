package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/mobid-io/mid-go"
)

// sender delivers webhook events as MID does: again and again, to any worker, until
// one answers 2xx.
type sender struct {
	hooks *mid.WebhookService
	pick  func() string // the address of a worker

	mu        sync.Mutex
	sent      int
	confirmed int
}

// deliver has a new event delivered twice at the same time, which must not show.
func (s *sender) deliver(ctx context.Context) {
	s.mu.Lock()
	s.sent++
	id := fmt.Sprintf("evt_%d", s.sent)
	s.mu.Unlock()
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			for s.post(ctx, id) != nil && ctx.Err() == nil {
				time.Sleep(300 * time.Millisecond)
			}
		})
	}
	both.Wait()
	if ctx.Err() == nil {
		s.mu.Lock()
		s.confirmed++
		s.mu.Unlock()
	}
}

func (s *sender) post(ctx context.Context, id string) error {
	body := fmt.Appendf(nil, `{"id":%q,"type":"account.updated","timestamp":%d,"data":{}}`, id, time.Now().UnixMilli())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.pick()+"/mid/events", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set(mid.SignatureHeader, s.hooks.Sign(body))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("answered %s", resp.Status)
	}
	return nil
}

func (s *sender) counts() (sent, confirmed int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sent, s.confirmed
}
