package transport

import "net/http"

// setDial does nothing: without a dialer of its own, net/http sends requests
// through the browser's fetch.
func setDial(*http.Transport) {}
