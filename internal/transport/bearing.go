package transport

import (
	"slices"

	"golang.org/x/oauth2"
)

// bearing is what a call knows of its access tokens.
type bearing struct {
	token    *oauth2.Token // of the present request; nil before the first
	used     []string      // all that were sent, for keeping them out of texts
	room     [2]string     // for used
	replayed bool          // after a 401
}

// take makes a token that of the call's next request.
func (b *bearing) take(t *oauth2.Token) {
	b.token = t
	if slices.Contains(b.used, t.AccessToken) {
		return
	}
	if b.used == nil {
		b.used = b.room[:0]
	}
	b.used = append(b.used, t.AccessToken)
}
