package transport

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/url"
	"runtime"
	"sync"
	"time"
	"weak"
)

// pool is a transport of the SDK's own. Its idle connections close when the
// last client that uses it is gone.
type pool struct{ transport *http.Transport }

// RoundTrip is the transport's.
func (p *pool) RoundTrip(req *http.Request) (*http.Response, error) {
	return p.transport.RoundTrip(req)
}

// Own returns a round tripper that sends through a transport of one client, and
// closes its idle connections when the client is gone.
func Own(t *http.Transport) http.RoundTripper {
	p := &pool{t}
	runtime.AddCleanup(p, (*http.Transport).CloseIdleConnections, t)
	return p
}

// shared holds the transports that clients share, by their attempt timeout, as
// long as one of the clients lives.
var shared struct {
	sync.Mutex
	pools map[time.Duration]weak.Pointer[pool]
}

// Shared returns the default transport's round tripper. All clients with the
// same attempt timeout send through one.
func Shared(attemptTimeout time.Duration) http.RoundTripper {
	shared.Lock()
	defer shared.Unlock()
	if p := shared.pools[attemptTimeout].Value(); p != nil {
		return p
	}
	p := Own(Default(attemptTimeout)).(*pool)
	if shared.pools == nil {
		shared.pools = make(map[time.Duration]weak.Pointer[pool])
	}
	shared.pools[attemptTimeout] = weak.Make(p)
	runtime.AddCleanup(p, forget, attemptTimeout)
	return p
}

// forget removes what is left of a shared transport.
func forget(attemptTimeout time.Duration) {
	shared.Lock()
	defer shared.Unlock()
	if shared.pools[attemptTimeout].Value() == nil {
		delete(shared.pools, attemptTimeout)
	}
}

// Default returns a new transport as clients have it by default. It speaks TLS
// 1.3 or nothing, and keeps more idle connections to the one host than
// http.DefaultTransport, which keeps two.
//
// The pings of an HTTP/2 connection make the other side say something well
// within the attempt timeout, so that the [Attempt] stage knows a connection
// that has died without a word. Their own verdict comes too late to matter: the
// answer to a ping may wait behind an upload's bytes.
func Default(attemptTimeout time.Duration) *http.Transport {
	t := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		OnProxyConnectResponse: proxyAnswer,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS13},
		TLSHandshakeTimeout:    10 * time.Second,
		ExpectContinueTimeout:  time.Second,
		ForceAttemptHTTP2:      true,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: pingAfter(attemptTimeout), PingTimeout: time.Hour},
		MaxIdleConns:           256,
		MaxIdleConnsPerHost:    256,
		IdleConnTimeout:        90 * time.Second,
	}
	setDial(t)
	return t
}

func pingAfter(attemptTimeout time.Duration) time.Duration {
	return min(max(attemptTimeout/3, time.Millisecond), 10*time.Second)
}

// proxyAnswer gives the refusal of a proxy a type.
func proxyAnswer(_ context.Context, proxy *url.URL, _ *http.Request, answer *http.Response) error {
	if answer.StatusCode == http.StatusOK {
		return nil
	}
	return &ProxyError{Proxy: proxy.Host, Status: answer.StatusCode}
}
