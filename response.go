package mid

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/mobid-io/mid-go/internal/jsonwire"
	"github.com/mobid-io/mid-go/internal/redact"
	"github.com/mobid-io/mid-go/internal/transport"
)

// Response is what came with a call's result, see [WithResponse]. If no final
// answer came, all fields but Attempts are zero.
type Response struct {
	StatusCode int
	Header     http.Header
	// RequestID names the request to MID's support.
	RequestID string
	// Timestamp is the server's time from the envelope. It is the zero time if
	// the envelope has no time.
	Timestamp time.Time
	// RateLimit is the quota that this answer reports.
	RateLimit RateLimit
	// Attempts counts the times that the request was sent.
	Attempts int
	// Data is the envelope's data as it came, with the fields that the SDK does
	// not know. It is nil if the envelope has no data. It may be personal data.
	Data json.RawMessage
}

// WithResponse fills r with what came with the call's result, also if the call
// fails. r must not be nil, and must not be shared by calls that run at the same
// time.
func WithResponse(r *Response) RequestOption {
	return func(c *requestConfig) error {
		if r == nil {
			return invalid("WithResponse", "needs a Response")
		}
		*r = Response{} // without what an earlier call has left
		c.answered = r
		return nil
	}
}

// fill takes over what an answer says; resp is nil if no answer came.
func (r *Response) fill(call *transport.Call, resp *http.Response, env *envelope, requestID string) {
	r.Attempts = call.Attempts
	if resp == nil {
		return
	}
	r.StatusCode = resp.StatusCode
	r.Header = resp.Header
	r.RequestID = requestID
	r.Timestamp = env.Meta.Timestamp.time()
	if q, ok := transport.ReadQuota(resp.Header); ok {
		r.RateLimit = RateLimit(q)
	}
	// What was decoded is valid, and to find a part of that takes no parser.
	if body := transport.Data(resp); env.valid || json.Valid(body) {
		r.Data = jsonwire.Member(body, "data")
	}
}

// serverTime returns the server's time when it answered, or the local time if the
// answer does not say.
func (r *Response) serverTime() time.Time {
	if !r.Timestamp.IsZero() {
		return r.Timestamp
	}
	return transport.Date(r.Header, time.Now())
}

// Format writes the status, the request id and the attempts, whatever the verb:
// the data may be personal.
func (r Response) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "mid.Response{%d, request %s, attempts %d}", r.StatusCode, redact.OneLine(r.RequestID, maxName), r.Attempts)
}

// LogValue shows the status, the request id and the attempts only.
func (r Response) LogValue() slog.Value {
	return slog.GroupValue(slog.Int("status", r.StatusCode),
		slog.String("request_id", redact.OneLine(r.RequestID, maxName)), slog.Int("attempts", r.Attempts))
}
