package midtest

import (
	"context"
	"net"
	"net/http"
)

type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// newHTTPClient makes a client whose connections come from dial or, if it is
// nil, from the network.
func newHTTPClient(dial dialFunc) *http.Client {
	return &http.Client{Transport: &http.Transport{
		DialContext:         dial,
		MaxIdleConnsPerHost: 100, // tests are concurrent, the default is 2
	}}
}

func listenLoopback() net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		l, err = net.Listen("tcp", "[::1]:0")
	}
	if err != nil {
		panic("midtest: NewServer: can't listen on a loopback port: " + err.Error())
	}
	return l
}

// authority is the host and port that reach a listener from this machine.
func authority(addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	if ok && tcp.IP.IsUnspecified() {
		tcp = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: tcp.Port}
		return tcp.String()
	}
	return addr.String()
}
