package midsql_test

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midsql"
)

// What a receiver's process is started with.
const (
	receiverDSN     = "MIDSQL_TEST_DSN"
	receiverDriver  = "MIDSQL_TEST_DRIVER"
	receiverDialect = "MIDSQL_TEST_DIALECT"
	receiverLease   = "MIDSQL_TEST_LEASE"
)

const secret = "whsec_test"

// task is the data of an event: what its handler does.
type task struct {
	ID    string        `json:"id"`
	Pause time.Duration `json:"pause"` // between the handler's writes, and after them
}

// receive is the main function of a receiver. It writes its address to its
// standard output, and ends when its standard input does.
func receive() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve() error {
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	db, err := sql.Open(os.Getenv(receiverDriver), os.Getenv(receiverDSN))
	if err != nil {
		return err
	}
	db.SetMaxIdleConns(senders) // new connections would be most of the work
	store, err := midsql.New(db, midsql.Dialect(os.Getenv(receiverDialect)))
	if err != nil {
		return err
	}
	lease, err := time.ParseDuration(os.Getenv(receiverLease))
	if err != nil {
		return err
	}
	hooks, err := mid.NewWebhookService(mid.WebhookConfig{Secrets: []string{secret}, Store: store, Lease: lease})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("http://" + listener.Addr().String())
	return http.Serve(listener, hooks.Handler(mid.EventHandlers{Other: work}))
}

// work has effects that are seen if it runs twice or half.
func work(ctx context.Context, event *mid.Event) error {
	var todo task
	if err := json.Unmarshal(event.Data, &todo); err != nil {
		return err
	}
	for step := 1; step <= 2; step++ {
		if _, err := midsql.Tx(ctx).ExecContext(ctx, `INSERT INTO effects (event, step) VALUES ($1, $2)`, event.ID, step); err != nil {
			return err
		}
		time.Sleep(todo.Pause) // the work that a kill interrupts
	}
	return nil
}

// receiver is a process that receives deliveries.
type receiver struct {
	url   string
	cmd   *exec.Cmd
	stdin io.Closer
}

// startReceiver returns when the receiver listens.
func startReceiver(d database, lease time.Duration) (*receiver, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), receiverDSN+"="+d.dsn, receiverDriver+"="+d.driver,
		receiverDialect+"="+string(d.dialect), receiverLease+"="+lease.String())
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	r := &receiver{cmd: cmd, stdin: stdin}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		r.kill()
		return nil, fmt.Errorf("the receiver ended early: %w", err)
	}
	r.url = strings.TrimSpace(line)
	return r, nil
}

// kill ends the process wherever it is.
func (r *receiver) kill() {
	_ = r.cmd.Process.Kill()
	r.stdin.Close()
	_ = r.cmd.Wait() // its status says that it was killed
}

func (r *receiver) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	require.NoError(t, r.cmd.Process.Signal(s))
}

// sender delivers events as MID does.
type sender struct {
	hooks  *mid.WebhookService
	client *http.Client
}

func newSender(t *testing.T) *sender {
	t.Helper()
	hooks, err := mid.NewWebhookService(mid.WebhookConfig{Secrets: []string{secret}})
	require.NoError(t, err)
	s := &sender{hooks: hooks, client: &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 32}}}
	t.Cleanup(s.client.CloseIdleConnections)
	return s
}

// deliver returns the status of the answer, or 0 if there was none.
func (s *sender) deliver(ctx context.Context, url, event string, pause time.Duration) int {
	data, err := json.Marshal(task{ID: event, Pause: pause})
	if err != nil {
		return 0
	}
	body := fmt.Sprintf(`{"id":%q,"type":"test.work","timestamp":%d,"data":%s}`, event, time.Now().UnixMilli(), data)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return 0
	}
	request.Header.Set(mid.SignatureHeader, s.hooks.Sign([]byte(body)))
	response, err := s.client.Do(request)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode
}
