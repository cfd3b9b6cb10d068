// Fleet measures processes that share one account's quota, against a fake server
// that keeps the plan's bucket and a real redis-server that it starts, and prints
// the tables of the README:
//
//	go run ./cmd/fleet
//	go run ./cmd/fleet -seconds 5 -processes 1,4 -plans Starter
//
// Every process is a real one: this program, started again.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
)

func main() {
	if text := os.Getenv(roleEnv); text != "" {
		if err := work(text, os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "fleet: a process:", err)
			os.Exit(1)
		}
		return
	}
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "fleet:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s, err := parse(args)
	if err != nil {
		return err
	}
	return measure(ctx, s, out)
}

func parse(args []string) (scope, error) {
	var s scope
	flags := flag.NewFlagSet("fleet", flag.ExitOnError)
	names := flags.String("plans", "Sandbox,Starter,Professional", "published plans")
	who := flags.String("contestants", allContestants, "what paces the processes")
	counts := flags.String("processes", "1,2,4,8,16", "how many processes")
	flags.Float64Var(&s.seconds, "seconds", 14, "length of each run at the limit, in which the plans are measured side by side")
	flags.Float64Var(&s.room, "room", 4, "length of each run below the limit, 0 for no such run")
	flags.IntVar(&s.roomProcesses, "room-processes", 4, "processes below the limit")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	s.plans, s.contestants = strings.Split(*names, ","), strings.Split(*who, ",")
	for _, name := range s.plans {
		if _, ok := plans[name]; !ok {
			return s, fmt.Errorf("there is no plan %q", name)
		}
	}
	for _, name := range s.contestants {
		if _, ok := contestants[name]; !ok {
			return s, fmt.Errorf("there is no contestant %q", name)
		}
	}
	for text := range strings.SplitSeq(*counts, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return s, fmt.Errorf("%q is no number of processes", text)
		}
		s.processes = append(s.processes, n)
	}
	if s.seconds <= 0 || s.room < 0 || s.roomProcesses < 1 {
		return s, fmt.Errorf("a length or a number of processes is too small")
	}
	return s, nil
}

// measure prints the tables.
func measure(ctx context.Context, s scope, out io.Writer) error {
	server, err := startRedis(ctx)
	if err != nil {
		return err
	}
	defer server.stop()
	fmt.Fprintf(out, "%s, redis-server %s.\n", machine(), server.version)
	if s.room > 0 {
		if err := roomTable(ctx, s, server.addr, out); err != nil {
			return err
		}
	}
	return loadTables(ctx, s, server.addr, out)
}
