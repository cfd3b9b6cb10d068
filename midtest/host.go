package midtest

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// host is an http.Server that, unlike http.Server, waits at its close for every
// connection's goroutine.
type host struct {
	server *http.Server
	served chan struct{}
	conns  sync.WaitGroup
}

// startHost serves h on l. The requests' contexts end with ctx.
func startHost(ctx context.Context, l net.Listener, h http.Handler) *host {
	t := &host{served: make(chan struct{})}
	t.server = &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ConnState:         t.count,
	}
	go func() {
		defer close(t.served)
		_ = t.server.Serve(l) // always ends with an error: that of close
	}()
	return t
}

func (t *host) count(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		t.conns.Add(1)
	case http.StateClosed, http.StateHijacked:
		t.conns.Done()
	}
}

func (t *host) close() {
	// Its errors are those of the listener, which is not needed any more.
	_ = t.server.Close()
	<-t.served
	_ = t.server.Close() // again, for a connection accepted while it closed
	t.conns.Wait()
}
