package midtest

import (
	"context"
	"crypto/rand"
	"sync"
	"testing"
	"time"
)

// patience is how long a conformance test waits for what should take no time:
// far longer than a slow machine or a store on a network needs.
var patience = 10 * time.Second

// promise is one that the documentation of an interface makes.
type promise[S any] struct {
	name string
	test func(S)
}

// conform tests the promises one after the other: an implementation may allow one
// claim, or one holder of its lock, at a time.
func conform[S any](t *testing.T, begin func(*testing.T) S, promises []promise[S]) {
	t.Helper()
	for _, p := range promises {
		t.Run(p.name, func(t *testing.T) { p.test(begin(t)) })
	}
}

// lasting is a ctx that outlives the test, for what is cleaned up at its end.
func lasting(t *testing.T) context.Context { return context.WithoutCancel(t.Context()) }

// promptly fails the test if f takes longer than patience.
func promptly(t *testing.T, broken string, f func()) {
	t.Helper()
	if !inTime(f) {
		t.Fatalf("%s (waited %v)", broken, patience)
	}
}

// inTime reports whether f returned within patience.
func inTime(f func()) bool {
	returned := make(chan struct{})
	go func() {
		defer close(returned)
		f()
	}()
	return arrives(returned)
}

// arrives reports whether anything comes over a channel within patience, or it
// is closed.
func arrives[T any](c <-chan T) bool {
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-c:
		return true
	case <-late.C:
		return false
	}
}

// eventually reports whether ok returns true within patience.
func eventually(ok func() bool) bool {
	const pause = 10 * time.Millisecond
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(pause) {
		if ok() {
			return true
		}
	}
	return false
}

// together calls f from n goroutines at the same time and returns their errors.
// It fails the test if they take longer than patience.
func together(t *testing.T, n int, broken string, f func(i int) error) []error {
	t.Helper()
	failures := make([]error, n)
	promptly(t, broken, func() {
		var start, all sync.WaitGroup
		start.Add(1)
		for i := range n {
			all.Go(func() {
				start.Wait()
				failures[i] = f(i)
			})
		}
		start.Done()
		all.Wait()
	})
	return failures
}

// report fails the test with each error that there is.
func report(t *testing.T, failures []error) {
	t.Helper()
	for _, err := range failures {
		if err != nil {
			t.Error(err)
		}
	}
}

// unique is a name that no other run uses: what is tested may be shared.
func unique(prefix string) string { return prefix + rand.Text() }

// shown is an error in a message: no error is no claim's refusal.
func shown(err error) string {
	if err == nil {
		return "no error"
	}
	return "the error \"" + err.Error() + "\""
}
