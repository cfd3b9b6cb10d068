package mid

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"

	"github.com/mobid-io/mid-go/internal/jsonwire"
	"github.com/mobid-io/mid-go/internal/transport"
)

// RequestOption changes one call.
type RequestOption func(*requestConfig) error

type requestConfig struct {
	idempotencyKey string
	header         []transport.Field
	noRetry        bool
	// answered gets what came with the result; nil without WithResponse.
	answered interface {
		fill(call *transport.Call, resp *http.Response, env *envelope, requestID string)
	}
}

// WithIdempotencyKey sets the call's Idempotency-Key, 1 to 255 visible ASCII
// characters. If a POST is sent again with the same key and the same body, even by
// another process, MID answers as it did before. With another body it answers 409.
// Without this option every POST has a random key, the same on all its attempts.
func WithIdempotencyKey(key string) RequestOption {
	return func(c *requestConfig) error {
		if len(key) < 1 || len(key) > 255 || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return invalid("WithIdempotencyKey", "needs 1 to 255 visible ASCII characters")
		}
		c.idempotencyKey = key
		return nil
	}
}

// WithHeader sets a header field of the call's requests (RFC 9110 section 5).
// Fields that the SDK sets, such as Authorization, are refused.
func WithHeader(key, value string) RequestOption {
	return func(c *requestConfig) error {
		if !isToken(key) || strings.ContainsFunc(value, func(r rune) bool { return (r < ' ' && r != '\t') || r == 0x7f }) {
			return invalid("WithHeader", "needs a header name and a value without control characters")
		}
		key = textproto.CanonicalMIMEHeaderKey(key)
		switch key {
		case "Idempotency-Key":
			return invalid("WithHeader", "can't set Idempotency-Key; use WithIdempotencyKey")
		case "Accept-Encoding", "Authorization", "Connection", "Content-Length", "Content-Type", "Host",
			"Trailer", "Transfer-Encoding", "Upgrade":
			return invalid("WithHeader", "can't set "+key+", which the SDK sets")
		}
		c.header = append(c.header, transport.Field{Key: key, Value: value})
		return nil
	}
}

// WithoutRetry sends the call once: it is neither retried nor, after a 401,
// replayed with a new token.
func WithoutRetry() RequestOption {
	return func(c *requestConfig) error {
		c.noRetry = true
		return nil
	}
}

// newRequestConfig applies the options. It is called before the parameters are
// checked, so that no Response keeps the values of an earlier call. It allocates
// only if there are options.
func newRequestConfig(opts []RequestOption) (requestConfig, error) {
	if len(opts) == 0 {
		return requestConfig{}, nil
	}
	cfg := new(requestConfig)
	for _, opt := range opts {
		if opt == nil {
			return requestConfig{}, invalid("RequestOption", "is nil")
		}
		if err := opt(cfg); err != nil {
			return requestConfig{}, err
		}
	}
	return *cfg, nil
}

// request is one call, ready to be sent.
type request struct {
	operation
	path        string // escaped, and relative to the base URL
	query       string
	id          string         // the path's last segment, as it is
	json        []byte         // the body, or nil
	body        transport.Body // one of another kind, of the type contentType
	contentType string
	params      personal // what the body was made of; nil if nothing
}

// personal is what a call sends that its errors must not show.
type personal interface{ personal() []string }

type params interface {
	validate() error
	personal
}

// personalValues returns the personal values that a call has sent.
func personalValues(call *transport.Call) []string {
	if p, ok := call.Params.(personal); ok {
		return p.personal()
	}
	return nil
}

// begin makes call the state of the request on its way through the pipeline.
func (r *request) begin(ctx context.Context, call *transport.Call, base *url.URL, userAgent string) {
	call.Begin(ctx, r.method)
	call.Operation, call.Template, call.Params = r.name, r.operation.path, r.params
	call.Header = append(call.Header,
		transport.Field{Key: "Accept", Value: "application/json"},
		transport.Field{Key: "User-Agent", Value: userAgent})
	call.URL = *base
	call.URL.RawQuery = r.query
	call.URL.Path = base.Path + r.path + r.id
	if id := url.PathEscape(r.id); id != r.id || strings.Contains(r.path, "%") || base.RawPath != "" {
		call.URL.RawPath = base.EscapedPath() + r.path + id
		call.URL.Path, _ = url.PathUnescape(call.URL.RawPath)
	}
	contentType := r.contentType
	switch {
	case r.json != nil:
		call.SetBytes(r.json)
		contentType = "application/json"
	case r.body != nil:
		call.Body = r.body
	}
	if contentType != "" {
		call.Header = append(call.Header, transport.Field{Key: "Content-Type", Value: contentType})
	}
}

// form is what an upload sends.
type form struct {
	fields   [][2]string // the empty ones are left out
	file     File
	progress func(sent, total int64)
}

type formParams interface {
	params
	form() form
}

// jsonBody encodes in. The encoder's error may quote the value, which may be
// personal data, so only the type is named.
func jsonBody(in any) ([]byte, error) {
	data, err := json.Marshal(in)
	if err != nil {
		return nil, invalid("in", "can't be encoded as JSON: "+jsonwire.Trouble(err, in))
	}
	return data, nil
}

// jsonTexts is a JSON body whose texts may be personal, see [Client.Call].
type jsonTexts []byte

func (t jsonTexts) personal() []string {
	var texts []string
	decoder := json.NewDecoder(bytes.NewReader(t))
	for {
		token, err := decoder.Token()
		if err != nil {
			return texts
		}
		if text, ok := token.(string); ok {
			texts = append(texts, text)
		}
	}
}

// isToken reports whether s is a token of RFC 9110 section 5.6.2.
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
}

// splitPath refuses a path that would leave the base URL.
func splitPath(path string) (escaped, query string, err error) {
	u, err := url.Parse(path)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" || u.Fragment != "" ||
		strings.HasPrefix(path, "//") || strings.ContainsFunc(u.RawQuery, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return "", "", invalid("path", "must be relative to the base URL and escaped, like /auth/sessions?limit=10")
	}
	for segment := range strings.SplitSeq(strings.ReplaceAll(u.Path, `\`, "/"), "/") {
		if segment == "." || segment == ".." {
			return "", "", invalid("path", `must have no segment "." or ".."`)
		}
	}
	escaped = u.EscapedPath()
	if !strings.HasPrefix(escaped, "/") {
		escaped = "/" + escaped
	}
	return escaped, u.RawQuery, nil
}
