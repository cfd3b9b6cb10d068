package midtest

import "net/http"

// answer is a whole answer in memory: it can be remembered for a repeated
// request, and cut by a fault.
type answer struct {
	status      int
	requestID   string
	contentType string
	header      http.Header // beside those that every answer has; may be nil
	body        []byte
}

const jsonType = "application/json"
