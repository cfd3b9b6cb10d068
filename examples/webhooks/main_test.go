package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
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
	"github.com/mobid-io/mid-go/midtest"
)

// TestMain lets the test binary be the program, for tests of its exit status.
func TestMain(m *testing.M) {
	if os.Getenv("WEBHOOKS_MAIN") != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

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
	assert.Equal(t, 200, health.StatusCode)
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

// A second process on the same file would run every handler a second time.
func TestSecondProcessIsKeptOut(t *testing.T) {
	events := filepath.Join(t.TempDir(), "events.jsonl")
	first := start(t, events)
	second := program(t, "whsec_new", "", "-listen", "127.0.0.1:0", "-events", events)
	out, err := second.CombinedOutput()
	require.Error(t, err)
	assert.Equal(t, 1, second.ProcessState.ExitCode())
	assert.Contains(t, string(out), "another process has it")
	assert.Equal(t, 204, first.deliver("whsec_new", "evt_1"))

	require.NoError(t, first.cmd.Process.Kill()) // a lock dies with its process
	_ = first.cmd.Wait()
	third := start(t, events)
	third.stop()
}

func TestExitStatus(t *testing.T) {
	for _, test := range []struct {
		name   string
		args   []string
		status int
		output string
	}{
		{"help", []string{"-h"}, 0, "-listen"},
		{"flag", []string{"-x"}, 2, "not defined"},
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

func TestStoreConforms(t *testing.T) {
	midtest.TestEventStore(t, func(t *testing.T) mid.EventStore {
		s, _ := store(t, "")
		return s
	})
}

func TestStoreGivesAClaimToOne(t *testing.T) {
	s, err := openFileStore(filepath.Join(t.TempDir(), "events"))
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

// store opens a store on a file with the given text.
func store(t *testing.T, text string) (*fileStore, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "events")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	s, err := openFileStore(path)
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s, path
}

func lineAt(id string, at time.Time) string { return string(handledEvent{id, at}.line()) }

// After a crash, lines may be cut off, or NUL bytes may stand where the file
// system had room for them but no content yet.
func TestStoreSurvivesACrash(t *testing.T) {
	now := time.Now()
	nul := strings.Repeat("\x00", 100)
	whole := lineAt("evt_1", now)
	for name, torn := range map[string]string{
		"cut":            whole[:len(whole)-9],
		"begun":          "\n{\"i",
		"NUL at the end": whole[:20] + nul,
		"only NUL":       nul,
		"NUL and more":   nul + lineAt("evt_3", now),
	} {
		t.Run(name, func(t *testing.T) {
			s, path := store(t, lineAt("evt_old", now.Add(-keep-time.Hour))+lineAt("evt_2\n", now)+torn)
			refused(t, s, "evt_2\n", mid.ErrEventHandled)
			claim(t, s, "evt_old")
			require.NoError(t, claim(t, s, "evt_1").Done(t.Context()))
			require.NoError(t, s.Close())

			s, err := openFileStore(path)
			require.NoError(t, err)
			defer s.Close()
			refused(t, s, "evt_1", mid.ErrEventHandled)
			refused(t, s, "evt_2\n", mid.ErrEventHandled)
			if strings.Contains(torn, "evt_3") {
				refused(t, s, "evt_3", mid.ErrEventHandled)
			}
		})
	}
}

func TestStoreThatCannotWriteIsNoSuccess(t *testing.T) {
	s, _ := store(t, "")
	c := claim(t, s, "evt_1")
	require.NoError(t, s.Close())
	assert.Error(t, c.Done(t.Context()))
}

// Other files are left as they are, those that a link leads to included.
func TestStoreLeavesOtherFilesAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events")
	require.NoError(t, os.WriteFile(path, []byte("not an event store"), 0o600))
	_, err := openFileStore(path)
	require.ErrorContains(t, err, "is it the right file?")

	other := filepath.Join(t.TempDir(), "other")
	require.NoError(t, os.WriteFile(other, []byte(lineAt("evt_1", time.Now())), 0o600))
	before, err := os.ReadFile(other)
	require.NoError(t, err)
	link := filepath.Join(t.TempDir(), "events")
	require.NoError(t, os.Symlink(other, link))
	_, err = openFileStore(link)
	require.ErrorContains(t, err, "is a link")
	require.NoError(t, os.Remove(link+".lock"))
	require.NoError(t, os.Symlink(other, link+".lock"))
	_, err = openFileStore(link)
	require.Error(t, err)

	for file, want := range map[string]string{path: "not an event store", other: string(before)} {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.Equal(t, want, string(text))
	}
}

// The file does not grow for ever: it is written anew, and still knows what it
// must.
func TestStoreStaysSmall(t *testing.T) {
	s, path := store(t, lineAt("evt_1", time.Now())+lineAt("evt_2", time.Now().Add(-time.Hour)))
	s.handled["evt_2"] = time.Now().Add(-keep - time.Hour)
	s.lines = s.limit
	require.NoError(t, claim(t, s, "evt_3").Done(t.Context()))
	assert.Equal(t, 2, s.lines)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.NotContains(t, string(text), "evt_2")
	files, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	assert.Len(t, files, 2, "the file and its lock")
	require.NoError(t, claim(t, s, "evt_4").Done(t.Context()))
	require.NoError(t, s.Close())

	s, err = openFileStore(path)
	require.NoError(t, err)
	defer s.Close()
	claim(t, s, "evt_2")
	for _, id := range []string{"evt_1", "evt_3", "evt_4"} {
		refused(t, s, id, mid.ErrEventHandled)
	}
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
