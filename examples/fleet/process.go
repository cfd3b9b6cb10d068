package main

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/mobid-io/mid-go"
)

// roleEnv says, as JSON, that this process is a worker, and what it works with.
const roleEnv = "MID_FLEET_WORKER"

type role struct {
	Account   account
	SessionID string
}

// report is a line that a worker writes to its standard output.
type report struct {
	Addr    string // of its webhook receiver: the first line
	Served  int    `json:",omitempty"` // calls
	Failed  int    `json:",omitempty"`
	Handled string `json:",omitempty"` // the id of an event
}

// runWorker is the main function of a worker. It ends when its standard input does,
// with the process that started it.
func runWorker(text string) error {
	signal.Ignore(os.Interrupt) // that is for the process that started it
	var r role
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return err
	}
	redis.SetLogger(quiet{})
	client, err := newClient(r.Account, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	if err != nil {
		return err
	}
	var mu sync.Mutex
	out := json.NewEncoder(os.Stdout)
	say := func(line report) {
		mu.Lock()
		defer mu.Unlock()
		_ = out.Encode(line) // it fails if no one reads any more
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	say(report{Addr: listener.Addr().String()})
	server := &http.Server{Handler: client.Webhooks.Handler(mid.EventHandlers{
		Other: func(_ context.Context, e *mid.Event) error {
			say(report{Handled: e.ID})
			return nil
		},
	})}
	go func() { _ = server.Serve(listener) }() // until it is closed
	defer server.Close()

	ctx, stop := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() { work(ctx, client, r.SessionID, say) })
	}
	_, _ = io.Copy(io.Discard, os.Stdin) // until it ends, however it ends
	stop()
	all.Wait()
	return nil
}

// quiet keeps go-redis from writing a line for each connection that it can't make:
// midredis says once that Redis is gone.
type quiet struct{}

func (quiet) Printf(context.Context, string, ...any) {}

// worker is a process of the fleet, as its parent sees it.
type worker struct {
	cmd   *exec.Cmd
	stdin io.Closer
	addr  string

	mu      sync.Mutex
	served  int
	failed  int
	handled []string
	killed  bool
	read    sync.WaitGroup
}

// startWorker starts this program once more, as a worker.
func startWorker(r role) (*worker, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	w := &worker{cmd: exec.Command(program)}
	w.cmd.Env = append(os.Environ(), roleEnv+"="+string(text))
	w.cmd.Stderr = os.Stderr
	if w.stdin, err = w.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := w.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := w.cmd.Start(); err != nil {
		return nil, err
	}
	lines := json.NewDecoder(stdout)
	var first report
	if err := lines.Decode(&first); err != nil {
		w.end()
		return nil, err
	}
	w.addr = first.Addr
	w.read.Go(func() {
		for line := (report{}); lines.Decode(&line) == nil; line = (report{}) {
			w.note(line)
		}
	})
	return w, nil
}

func (w *worker) note(line report) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.served += line.Served
	w.failed += line.Failed
	if line.Handled != "" {
		w.handled = append(w.handled, line.Handled)
	}
}

// kill ends the worker wherever it is, as a crash does.
func (w *worker) kill() {
	w.mu.Lock()
	w.killed = true
	w.mu.Unlock()
	_ = w.cmd.Process.Kill()
	w.end()
}

// end has the worker end its work, and waits for it.
func (w *worker) end() {
	_ = w.stdin.Close()
	w.read.Wait()
	_ = w.cmd.Wait() // its status says how it ended, which is known
}

func (w *worker) count() (served, failed int, handled []string, killed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.served, w.failed, append([]string(nil), w.handled...), w.killed
}
