package main

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// guard refuses requests for hosts that are not this server: that is what a web
// page sends whose domain was rebound to this address, and to the browser it
// would be of the same origin.
type guard struct {
	exposed bool   // listens on more than loopback
	public  string // the host that -public-url names; empty: none
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
		return "mid-mock answers to localhost, to addresses and to names without a dot alone, so that no " +
			"web page can reach it through a domain of its own. Name another host with -public-url."
	}
	return "mid-mock listens on a loopback address and answers to localhost and loopback addresses alone, " +
		"so that no web page can reach it. Name another host with -public-url."
}

// admits reports whether a Host header names this server. The port does not
// matter: a tunnel may have another one.
func (g guard) admits(host string) bool {
	name := hostname(host)
	if name == "localhost" || strings.HasSuffix(name, ".localhost") || name != "" && name == g.public {
		return true
	}
	addr, err := netip.ParseAddr(name)
	if g.exposed {
		// A web page's domain has a dot, and an address can't be rebound.
		return err == nil || !strings.Contains(name, ".")
	}
	return err == nil && addr.Unmap().IsLoopback()
}

// hostname is the host of a Host header in one spelling.
func hostname(host string) string {
	name := strings.Trim(host, "[]")
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	return strings.ToLower(strings.TrimSuffix(name, "."))
}
