//go:build !js

package transport

import (
	"net"
	"net/http"
	"time"
)

// setDial makes the transport's connections ones that the [Attempt] stage can
// look at.
func setDial(t *http.Transport) {
	t.DialContext = dial(&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second})
}
