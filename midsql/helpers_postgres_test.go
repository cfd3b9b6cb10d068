package midsql_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"
)

// postgresServer is a PostgreSQL that all tests of a run share.
type postgresServer struct {
	addr      string
	dir       string
	cmd       *exec.Cmd
	stdin     io.Closer
	output    bytes.Buffer // complete when cmd has ended
	databases atomic.Int64
}

var (
	errNoPostgres = errors.New("PostgreSQL is missing: apt-get install postgresql")
	theServer     = sync.OnceValues(startPostgres)
	runningServer atomic.Pointer[postgresServer] // for the end of the run
)

// newPostgres returns the data source name of a new database on a real server.
// Where there is no server to start, the test is skipped, or fails if
// everything is required to run.
func newPostgres(t *testing.T) string {
	t.Helper()
	server, err := theServer()
	if errors.Is(err, errNoPostgres) && os.Getenv("MID_E2E") != "required" {
		t.Skip(err)
	}
	require.NoError(t, err)
	name := fmt.Sprintf("test%d", server.databases.Add(1))
	db, err := sql.Open("pgx", server.dsn("postgres"))
	require.NoError(t, err)
	defer db.Close()
	_, err = db.ExecContext(t.Context(), "CREATE DATABASE "+name)
	require.NoError(t, err)
	return server.dsn(name)
}

func (s *postgresServer) dsn(database string) string {
	return fmt.Sprintf("postgres://mid@%s/%s?sslmode=disable", s.addr, database)
}

func startPostgres() (_ *postgresServer, err error) {
	folders, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil || len(folders) == 0 {
		return nil, errNoPostgres
	}
	bin := slices.Max(folders)
	s := &postgresServer{}
	if s.addr, err = freeAddr(); err != nil {
		return nil, err
	}
	if s.dir, err = os.MkdirTemp("", "midsql"); err != nil {
		return nil, err
	}
	runningServer.Store(s)
	as, err := unprivileged(s.dir)
	if err != nil {
		return nil, err
	}
	data := filepath.Join(s.dir, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "mid", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	initdb.Dir, initdb.SysProcAttr = s.dir, as
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	return s, s.run(as, filepath.Join(bin, "postgres"), "-D", data)
}

// run starts the server. The shell stops it when its standard input ends: at
// the end of the tests, or when their process is gone.
func (s *postgresServer) run(as *syscall.SysProcAttr, postgres ...string) error {
	host, port, err := net.SplitHostPort(s.addr)
	if err != nil {
		return err
	}
	args := slices.Concat([]string{"-c", `"$@" & pid=$!; read -r _; kill -INT $pid; wait $pid`, "sh"}, postgres, []string{
		"-c", "listen_addresses=" + host, "-c", "port=" + port, "-c", "unix_socket_directories=",
		"-c", "fsync=off", "-c", "max_connections=200",
	})
	s.cmd = exec.Command("sh", args...)
	s.cmd.Dir, s.cmd.SysProcAttr = s.dir, as
	s.cmd.Stdout, s.cmd.Stderr = &s.output, &s.output
	if s.stdin, err = s.cmd.StdinPipe(); err != nil {
		return err
	}
	if err := s.cmd.Start(); err != nil {
		return err
	}
	return s.awaitReady()
}

func (s *postgresServer) awaitReady() error {
	db, err := sql.Open("pgx", s.dsn("postgres"))
	if err != nil {
		return err
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for {
		if err = db.PingContext(ctx); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("PostgreSQL does not answer: %w", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// stopPostgres ends the server if one was started.
func stopPostgres() {
	s := runningServer.Load()
	if s == nil {
		return
	}
	if s.stdin != nil {
		s.stdin.Close()
		_ = s.cmd.Wait() // its status says that it was interrupted
	}
	os.RemoveAll(s.dir)
}

// unprivileged gives dir to a user that PostgreSQL agrees to run as: it refuses
// to be root.
func unprivileged(dir string) (*syscall.SysProcAttr, error) {
	if os.Getuid() != 0 {
		return &syscall.SysProcAttr{}, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		u, err = user.Lookup("nobody")
	}
	if err != nil {
		return nil, err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, os.Chown(dir, int(uid), int(gid))
}

// freeAddr returns a loopback address where nothing listens.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
