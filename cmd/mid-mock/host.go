package main

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// guard refuses requests for hosts that are not this server. A web page whose
// domain was rebound to this address sends such requests, and to the browser
// they would be of the same origin.
type guard struct {
	exposed bool   // listens on more than loopback
	public  string // the host that -public-url names; empty if it is not given
}

func (g guard) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !g.admits(r.Host) {
			http.Error(w, g.refusal(), http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (g guard) refusal() string {
	if g.exposed {
		return "mid-mock answers only to localhost, to addresses and to names without a dot, so that no " +
			"web page can reach it through a domain of its own. Name another host with -public-url."
	}
	return "mid-mock listens on a loopback address and answers only to localhost and loopback addresses, " +
		"so that no web page can reach it. Name another host with -public-url."
}

// admits reports whether a Host header names this server. The port does not
// matter: a tunnel may have another one.
func (g guard) admits(host string) bool {
	name := hostname(host)
	if isThisMachine(name) || name != "" && name == g.public {
		return true
	}
	// A web page's domain has a dot, and an address can't be rebound.
	_, err := netip.ParseAddr(name)
	return g.exposed && (err == nil || !strings.Contains(name, "."))
}

// reachable reports whether other machines can reach this server, by its own
// address or through what -public-url names.
func (g guard) reachable() bool {
	return g.exposed || g.public != "" && !isThisMachine(g.public)
}

// isThisMachine reports whether a host's name is one of loopback.
func isThisMachine(name string) bool {
	addr, err := netip.ParseAddr(name)
	return err == nil && addr.Unmap().IsLoopback() || name == "localhost" || strings.HasSuffix(name, ".localhost")
}

// hostname is the host of a Host header in one spelling.
func hostname(host string) string {
	name := strings.Trim(host, "[]")
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	return strings.ToLower(strings.TrimSuffix(name, "."))
}
