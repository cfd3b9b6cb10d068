package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

// The secret that the demonstration's old events are signed with.
const oldSecret = "whsec_of_last_year"

// demo has a fake MID server deliver events to the service.
type demo struct {
	out      io.Writer
	server   *midtest.Server
	client   *mid.Client
	callback string
}

func runDemo(ctx context.Context, out io.Writer) error {
	server := midtest.NewServer()
	defer server.Close()
	dir, err := os.MkdirTemp("", "mid-webhooks-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // what stays, the system removes
	log := slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: tidy}))

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	d := &demo{out: out, server: server, client: server.Client(), callback: "http://" + listener.Addr().String() + "/mid/events"}
	fmt.Fprintln(out, "A demonstration: a fake MID server delivers events to", d.callback)

	serving, stop := context.WithCancel(ctx)
	defer stop()
	served := make(chan error, 1)
	go func() {
		secrets := []string{server.WebhookSecret, oldSecret}
		served <- receive(serving, listener, secrets, filepath.Join(dir, "events.jsonl"), log)
	}()
	err = d.play(serving)
	if ctx.Err() != nil {
		err = nil // Ctrl-C ends the demonstration as it ends the service
	}
	stop()
	return errors.Join(err, <-served)
}

// tidy leaves out what differs from run to run.
func tidy(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

func (d *demo) play(ctx context.Context) error {
	for _, scene := range []struct {
		title string
		play  func(context.Context) (status int, err error)
	}{
		{"A user approves on the phone", d.signIn},
		{"A document is signed", d.sign},
		{"MID delivers the first event again", d.repeat},
		{"An event comes that is signed with the old secret", d.signedWithOldSecret},
		{"Someone forges an event", d.forged},
	} {
		fmt.Fprintf(d.out, "\n%s.\n", scene.title)
		status, err := scene.play(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", strings.ToLower(scene.title), err)
		}
		fmt.Fprintf(d.out, "The receiver answered %d %s.\n", status, http.StatusText(status))
	}
	fmt.Fprintln(d.out)
	return nil
}

func (d *demo) signIn(ctx context.Context) (int, error) {
	session, err := d.client.Authentication.CreateSession(ctx, mid.CreateAuthSessionParams{
		Intent:      mid.IntentLogin,
		CallbackURL: d.callback,
	})
	if err != nil {
		return 0, err
	}
	if err := d.server.Approve(session.ID, "user_isolde"); err != nil {
		return 0, err
	}
	return d.delivered(ctx, 1)
}

func (d *demo) sign(ctx context.Context) (int, error) {
	document, err := d.client.Signing.UploadDocument(ctx, mid.UploadSigningDocumentParams{
		File: mid.FileFromBytes("agreement.pdf", []byte("%PDF-1.4")),
	})
	if err != nil {
		return 0, err
	}
	session, err := d.client.Signing.CreateSession(ctx, mid.CreateSigningSessionParams{
		DocumentIDs: []string{document.ID},
		Signers:     []mid.SignerParams{{Name: "Isolde Wren", Email: "isolde.wren@example.com"}},
		CallbackURL: d.callback,
	})
	if err != nil {
		return 0, err
	}
	if err := d.server.Sign(session.ID, "isolde.wren@example.com"); err != nil {
		return 0, err
	}
	return d.delivered(ctx, 2)
}

func (d *demo) repeat(ctx context.Context) (int, error) {
	if err := d.server.Redeliver(d.server.Events()[0].EventID); err != nil {
		return 0, err
	}
	return d.delivered(ctx, 3)
}

func (d *demo) signedWithOldSecret(ctx context.Context) (int, error) {
	return d.deliver(ctx, oldSecret, "verification.completed", `{"id":"ver_of_old","status":"verified"}`)
}

func (d *demo) forged(ctx context.Context) (int, error) {
	return d.deliver(ctx, "a guess", "authentication.completed", `{"id":"sess_forged","status":"approved"}`)
}

// delivered waits for the fake server's n-th delivery and returns how the
// receiver answered it.
func (d *demo) delivered(ctx context.Context, n int) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	events, err := d.server.WaitForDeliveries(ctx, n)
	if err != nil {
		return 0, err
	}
	return events[n-1].Status, events[n-1].Err
}

// deliver sends an event by hand, as tests of a receiver do.
func (d *demo) deliver(ctx context.Context, secret, eventType, data string) (int, error) {
	sender, err := mid.NewWebhookService(mid.WebhookConfig{Secrets: []string{secret}})
	if err != nil {
		return 0, err
	}
	payload := fmt.Appendf(nil, `{"id":"evt_by_hand","type":%q,"timestamp":%d,"data":%s}`, eventType, time.Now().UnixMilli(), data)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, d.callback, bytes.NewReader(payload))
	if err != nil {
		return 0, err
	}
	request.Header.Set(mid.SignatureHeader, sender.Sign(payload))
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	return answer.StatusCode, nil
}
