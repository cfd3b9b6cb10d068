package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

// TestMain lets the test binary be the program, for tests of its exit status.
func TestMain(m *testing.M) {
	if os.Getenv("WEBHOOKS_MAIN") != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

var quiet = slog.New(slog.DiscardHandler)

func program(t *testing.T, secret, oldSecret string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Env = append(os.Environ(), "WEBHOOKS_MAIN=1", "MID_WEBHOOK_SECRET="+secret, "MID_WEBHOOK_SECRET_OLD="+oldSecret)
	cmd.Dir = t.TempDir()
	return cmd
}

func TestDemo(t *testing.T) {
	cmd := program(t, "", "")
	began := time.Now()
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Less(t, time.Since(began), 20*time.Second)
	rest := string(out)
	for _, want := range []string{
		"A user approves on the phone.", "sign-in ended", "status=approved", "answered 204",
		"A document is signed.", "signing ended", "status=completed", "answered 204",
		"the first event again.", "outcome=duplicate", "answered 204",
		"signed with the old secret.", "verification ended", "answered 204",
		"forges an event.", "outcome=refused", "answered 401",
		"shutting down",
	} {
		_, after, found := strings.Cut(rest, want)
		require.True(t, found, "%q is missing, or not in its place, in:\n%s", want, out)
		rest = after
	}
	files, err := os.ReadDir(cmd.Dir)
	require.NoError(t, err)
	assert.Empty(t, files, "a demonstration leaves nothing behind")
}

// service is the program as it receives events.
type service struct {
	t   *testing.T
	cmd *exec.Cmd
	url string
	log chan string // gets everything that was logged, at the end
}

func start(t *testing.T, events string) *service {
	t.Helper()
	s := &service{t: t, cmd: program(t, "whsec_new", "whsec_old", "-listen", "127.0.0.1:0", "-events", events), log: make(chan string, 1)}
	stdout, err := s.cmd.StdoutPipe()
	require.NoError(t, err)
	s.cmd.Stderr = os.Stderr
	require.NoError(t, s.cmd.Start())
	lines := bufio.NewReader(stdout)
	first, err := lines.ReadString('\n')
	require.NoError(t, err)
	s.url = "http://" + regexp.MustCompile(`address=(\S+)`).FindStringSubmatch(first)[1]
	go func() {
		rest, _ := io.ReadAll(lines)
		s.log <- string(rest)
	}()
	return s
}

// stop ends the service as an operator would and returns what it logged.
func (s *service) stop() string {
	s.t.Helper()
	require.NoError(s.t, s.cmd.Process.Signal(os.Interrupt))
	log := <-s.log
	require.NoError(s.t, s.cmd.Wait(), log)
	return log
}

func (s *service) deliver(secret, id string) int {
	s.t.Helper()
	sender, err := mid.NewWebhookService(mid.WebhookConfig{Secrets: []string{secret}})
	require.NoError(s.t, err)
	payload := fmt.Appendf(nil, `{"id":%q,"type":"verification.completed","timestamp":%d,"data":{"id":"ver_1","status":"verified","extracted_data":{"last_name":"Wren"}}}`, id, time.Now().UnixMilli())
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url+"/mid/events", bytes.NewReader(payload))
	require.NoError(s.t, err)
	request.Header.Set(mid.SignatureHeader, sender.Sign(payload))
	answer, err := http.DefaultClient.Do(request)
	require.NoError(s.t, err)
	require.NoError(s.t, answer.Body.Close())
	return answer.StatusCode
}

func TestServiceRemembersAcrossRestarts(t *testing.T) {
	events := filepath.Join(t.TempDir(), "events.jsonl")
	s := start(t, events)
	assert.Equal(t, 204, s.deliver("whsec_new", "evt_1"))
	assert.Equal(t, 204, s.deliver("whsec_old", "evt_2"))
	assert.Equal(t, 401, s.deliver("whsec_guessed", "evt_3"))
	health, err := http.Get(s.url + "/healthz")
	require.NoError(t, err)
	require.NoError(t, health.Body.Close())
	assert.Equal(t, 204, health.StatusCode)
	log := s.stop()
	assert.Equal(t, 2, strings.Count(log, "verification ended"), log)
	assert.NotContains(t, log, "Wren")
	assert.NotContains(t, log, "whsec")

	s = start(t, events)
	assert.Equal(t, 204, s.deliver("whsec_new", "evt_1"))
	assert.Equal(t, 204, s.deliver("whsec_new", "evt_3"))
	log = s.stop()
	assert.Equal(t, 1, strings.Count(log, "verification ended"), log)
}

func TestExitStatus(t *testing.T) {
	for _, test := range []struct {
		name   string
		args   []string
		status int
		output string
	}{
		{"help", []string{"-h"}, 0, "-listen"},
		{"argument", []string{"x"}, 2, "takes flags alone"},
		{"address", []string{"-listen", "127.0.0.1:99999"}, 1, "invalid port"},
		{"no secret", []string{"-demo=false", "-listen", "127.0.0.1:0"}, 1, "Secrets"},
		{"no directory", []string{"-demo=false", "-listen", "127.0.0.1:0", "-events", "missing/events"}, 1, "event store"},
	} {
		t.Run(test.name, func(t *testing.T) {
			secret := "whsec_new"
			if test.name == "no secret" {
				secret = ""
			}
			cmd := program(t, secret, "", test.args...)
			out, _ := cmd.CombinedOutput()
			assert.Equal(t, test.status, cmd.ProcessState.ExitCode(), string(out))
			assert.Contains(t, string(out), test.output)
		})
	}
}

// claim claims an event that must be free, for a minute.
func claim(t *testing.T, s *fileStore, id string) mid.EventClaim {
	t.Helper()
	c, err := s.Claim(t.Context(), id, time.Minute)
	require.NoError(t, err, id)
	return c
}

func refused(t *testing.T, s *fileStore, id string, want error) {
	t.Helper()
	c, err := s.Claim(t.Context(), id, time.Minute)
	require.ErrorIs(t, err, want, id)
	require.Nil(t, c)
}

func TestStoreGivesAClaimToOne(t *testing.T) {
	s, err := openFileStore(filepath.Join(t.TempDir(), "events"), quiet)
	require.NoError(t, err)
	defer s.Close()
	var (
		all    sync.WaitGroup
		mu     sync.Mutex
		claims []mid.EventClaim
	)
	for range 50 {
		all.Go(func() {
			c, err := s.Claim(t.Context(), "evt_1", time.Minute)
			if err == nil {
				mu.Lock()
				claims = append(claims, c)
				mu.Unlock()
				return
			}
			assert.ErrorIs(t, err, mid.ErrEventInHand)
		})
	}
	all.Wait()
	require.Len(t, claims, 1)
	require.NoError(t, claims[0].Release(t.Context()))
	second := claim(t, s, "evt_1")
	require.NoError(t, claims[0].Release(t.Context()))
	require.ErrorIs(t, claims[0].Done(t.Context()), mid.ErrClaimLost)
	refused(t, s, "evt_1", mid.ErrEventInHand)
	require.NoError(t, second.Done(t.Context()))
	refused(t, s, "evt_1", mid.ErrEventHandled)
}

func TestStoreForgetsAndRecovers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events")
	now := time.Now().UTC()
	lines := fmt.Sprintf("{\"id\":\"evt_old\",\"at\":%q}\n{\"id\":\"evt_full\",\"at\":\"20\n{\"id\":\"evt_new\\n\",\"at\":%q}\n{\"id\":\"evt_cut",
		now.Add(-keep-time.Hour).Format(time.RFC3339), now.Format(time.RFC3339))
	require.NoError(t, os.WriteFile(path, []byte(lines), 0o600))
	s, err := openFileStore(path, quiet)
	require.NoError(t, err)
	refused(t, s, "evt_new\n", mid.ErrEventHandled)
	var cut mid.EventClaim
	for _, id := range []string{"evt_old", "evt_full", "evt_cut"} {
		cut = claim(t, s, id)
	}
	require.NoError(t, s.Close())
	assert.Error(t, cut.Done(t.Context()), "a file that can't be written is no success")

	require.NoError(t, os.WriteFile(path, []byte("not an event store"), 0o600))
	_, err = openFileStore(path, quiet)
	require.ErrorContains(t, err, "reading the event store")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "not an event store", string(text), "somebody else's file is left alone")
}

// The file does not grow for ever: it is written anew, and still knows what it
// must.
func TestStoreStaysSmall(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events")
	s, err := openFileStore(path, quiet)
	require.NoError(t, err)
	for _, id := range []string{"evt_1", "evt_2"} {
		require.NoError(t, claim(t, s, id).Done(t.Context()))
	}
	s.order = s.order[1:]
	third := claim(t, s, "evt_3")
	s.lines = 3 * spareLines
	require.NoError(t, third.Done(t.Context()))
	assert.Equal(t, 2, s.lines)
	require.NoError(t, s.Close())

	s, err = openFileStore(path, quiet)
	require.NoError(t, err)
	defer s.Close()
	claim(t, s, "evt_1")
	refused(t, s, "evt_2", mid.ErrEventHandled)
	refused(t, s, "evt_3", mid.ErrEventHandled)
}

// Ctrl-C ends the demonstration as it does the service: with status 0.
func TestDemoIsInterrupted(t *testing.T) {
	cmd := program(t, "", "")
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewReader(stdout)
	_, err = lines.ReadString('\n')
	require.NoError(t, err)
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	rest, _ := io.ReadAll(lines)
	require.NoError(t, cmd.Wait(), string(rest))
}
