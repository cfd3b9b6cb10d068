package midweb

import (
	"net/http"
	"time"
)

// cookie is a sealed cookie: it holds a T that the browser can't read.
type cookie[T any] struct {
	name   string
	secure bool
	sealer *sealer
}

// newCookie returns the cookie of a name. Where it goes by https, its name has
// the prefix that keeps other hosts of the domain, and plain http, from setting
// it (draft-ietf-httpbis-rfc6265bis, section 4.1.3.2).
func newCookie[T any](name string, secure bool, keys [][]byte) (*cookie[T], error) {
	sealer, err := newSealer(keys, name)
	if err != nil {
		return nil, err
	}
	if secure {
		name = "__Host-" + name
	}
	return &cookie[T]{name: name, secure: secure, sealer: sealer}, nil
}

// get returns what the browser's cookie holds, and whether it has a good one.
func (c *cookie[T]) get(r *http.Request) (T, bool) {
	var v T
	sent, err := r.Cookie(c.name)
	if err != nil || !c.sealer.open(sent.Value, &v) {
		var none T
		return none, false
	}
	return v, true
}

// set gives the browser a cookie that holds v, for as long as life.
func (c *cookie[T]) set(w http.ResponseWriter, v T, life time.Duration) error {
	value, err := c.sealer.seal(v)
	if err != nil {
		return err
	}
	c.write(w, value, max(int(life.Seconds()), 1))
	return nil
}

// drop has the browser forget the cookie.
func (c *cookie[T]) drop(w http.ResponseWriter) { c.write(w, "", -1) }

func (c *cookie[T]) write(w http.ResponseWriter, value string, seconds int) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure but on loopback, which New sees to
		Name:     c.name,
		Value:    value,
		Path:     "/", // as the prefix asks for
		MaxAge:   seconds,
		HttpOnly: true,
		Secure:   c.secure,
		SameSite: http.SameSiteLaxMode, // not Strict: the app's link leads back from elsewhere
	})
}
