package midweb

import (
	"net/http"
	"net/netip"
	"strings"
)

// addressOf names the place that a request comes from: its IPv4 address or,
// because a household or a rented server has all of one, its IPv6 /64. Each of
// the proxies that stand before the site appended to X-Forwarded-For whom it
// was asked by, so that what a client wrote there itself is further to the left
// than the site looks. A header that is too short, and what is no address, give
// the connection's own address.
func addressOf(r *http.Request, proxies int) string {
	if proxies > 0 {
		hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		if i := len(hops) - proxies; i >= 0 {
			if place, ok := place(strings.TrimSpace(hops[i])); ok {
				return place
			}
		}
	}
	if place, ok := place(r.RemoteAddr); ok {
		return place
	}
	return r.RemoteAddr // a Unix socket's: all of its requests are one place
}

func place(text string) (string, bool) {
	addr, err := netip.ParseAddr(strings.Trim(text, "[]"))
	if err != nil {
		withPort, err := netip.ParseAddrPort(text)
		if err != nil {
			return "", false
		}
		addr = withPort.Addr()
	}
	addr = addr.Unmap().WithZone("")
	if addr.Is6() {
		return netip.PrefixFrom(addr, 64).Masked().String(), true
	}
	return addr.String(), true
}
