package mid

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
	"time"

	"github.com/mobid-io/mid-go/internal/multipart"
	"github.com/mobid-io/mid-go/internal/transport"
)

// RequestOption changes one call.
type RequestOption func(*requestConfig) error

type requestConfig struct {
	idempotencyKey string
	header         []transport.Field
	response       *Response
	noRetry        bool
}

// WithIdempotencyKey sets the call's Idempotency-Key, 1 to 255 visible ASCII
// characters. A POST that is sent again with the same key and the same body,
// even by another process, gets the first answer again; with another body it
// gets a 409. Without it every POST has a random key, the same on all its
// attempts.
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
// Fields that the SDK is in charge of, such as Authorization, are refused.
func WithHeader(key, value string) RequestOption {
	return func(c *requestConfig) error {
		if !isToken(key) || strings.ContainsFunc(value, func(r rune) bool { return (r < ' ' && r != '\t') || r == 0x7f }) {
			return invalid("WithHeader", "needs a header name and a value without control characters")
		}
		key = textproto.CanonicalMIMEHeaderKey(key)
		switch key {
		case "Idempotency-Key":
			return invalid("WithHeader", "does not set Idempotency-Key; use WithIdempotencyKey")
		case "Accept-Encoding", "Authorization", "Connection", "Content-Length", "Content-Type", "Host",
			"Trailer", "Transfer-Encoding", "Upgrade":
			return invalid("WithHeader", "does not set "+key+", which the SDK is in charge of")
		}
		c.header = append(c.header, transport.Field{Key: key, Value: value})
		return nil
	}
}

// WithResponse has r filled with what came with the call's result, on errors
// too. It must not be nil, nor shared by calls that run at the same time.
func WithResponse(r *Response) RequestOption {
	return func(c *requestConfig) error {
		if r == nil {
			return invalid("WithResponse", "needs a Response")
		}
		c.response = r
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

// Response is what came with a call's result, see [WithResponse]. All but
// Attempts is zero if no final answer came.
type Response struct {
	StatusCode int
	Header     http.Header
	// RequestID names the request to MID's support.
	RequestID string
	// Timestamp is the server's, from the envelope; the zero time if it told
	// none.
	Timestamp time.Time
	// RateLimit is the quota as this answer told it.
	RateLimit RateLimit
	// Attempts counts the times that the request was sent.
	Attempts int
	// Data is the envelope's data as it came, with the fields that the SDK
	// does not know; nil if there was none. It may be personal data.
	Data json.RawMessage
}

// request is one call, ready to be sent.
type request struct {
	method, path, query string // path is escaped and relative to the base URL
	id                  string // the path's last segment, as it is
	contentType         string
	body                transport.Body
}

// do sends a request and decodes the answer; see [pipeline.decode].
func (p *pipeline) do(ctx context.Context, r request, into target, cfg requestConfig) error {
	if ctx == nil {
		return errNoContext
	}
	call := p.call(ctx, r)
	call.NoRetry = cfg.noRetry
	switch {
	case cfg.idempotencyKey != "":
		call.Header = append(call.Header, transport.Field{Key: "Idempotency-Key", Value: cfg.idempotencyKey})
	case r.method == http.MethodPost || r.method == http.MethodPatch:
		call.Header = append(call.Header, transport.Field{Key: "Idempotency-Key", Value: rand.Text()})
	}
	call.Header = append(call.Header, cfg.header...)

	resp, err := p.calls.Do(call)
	var env *envelope
	if err != nil {
		err = p.failure(call, err)
	} else {
		env, err = p.decode(call, resp, into)
	}
	if cfg.response != nil {
		cfg.response.fill(call, resp, env)
	}
	return err
}

// newRequestConfig is called before the parameters are checked, so that no
// Response keeps what came with an earlier call. It allocates only if there are
// options.
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
	if cfg.response != nil {
		*cfg.response = Response{}
	}
	return *cfg, nil
}

var errNoContext = invalid("ctx", "is nil; use context.Background()")

// call makes the state that a request has on its way through the pipeline.
func (p *pipeline) call(ctx context.Context, r request) *transport.Call {
	call := transport.NewCall(ctx, r.method, r.body)
	call.Header = append(call.Header,
		transport.Field{Key: "Accept", Value: "application/json"},
		transport.Field{Key: "User-Agent", Value: p.userAgent})
	call.URL = *p.base
	call.URL.RawQuery = r.query
	call.URL.Path = p.base.Path + r.path + r.id
	if id := url.PathEscape(r.id); id != r.id || strings.Contains(r.path, "%") || p.base.RawPath != "" {
		call.URL.RawPath = p.base.EscapedPath() + r.path + id
		call.URL.Path, _ = url.PathUnescape(call.URL.RawPath)
	}
	if r.body != nil {
		contentType := r.contentType
		if contentType == "" {
			contentType = "application/json"
		}
		call.Header = append(call.Header, transport.Field{Key: "Content-Type", Value: contentType})
	}
	return call
}

// relative is the path of a request as errors and logs have it.
func (p *pipeline) relative(u *url.URL) string {
	return strings.TrimPrefix(u.EscapedPath(), p.base.EscapedPath())
}

func get[T any](ctx context.Context, c *Client, prefix, id string, opts []RequestOption) (*T, error) {
	cfg, err := newRequestConfig(opts)
	if err != nil {
		return nil, err
	}
	if id == "" {
		return nil, invalid("id", "is empty")
	}
	if id == "." || id == ".." {
		return nil, invalid("id", "must be the id of an existing resource, not a dot segment")
	}
	return fetch[T](ctx, c, request{method: http.MethodGet, path: prefix, id: id}, cfg)
}

type params interface{ validate() error }

func post[T any](ctx context.Context, c *Client, path string, in params, opts []RequestOption) (*T, error) {
	cfg, err := newRequestConfig(opts)
	if err != nil {
		return nil, err
	}
	if err := in.validate(); err != nil {
		return nil, err
	}
	body, err := jsonBody(in)
	if err != nil {
		return nil, err
	}
	return fetch[T](ctx, c, request{method: http.MethodPost, path: path, body: body}, cfg)
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

func upload[T any](ctx context.Context, c *Client, path string, in formParams, opts []RequestOption) (*T, error) {
	cfg, err := newRequestConfig(opts)
	if err != nil {
		return nil, err
	}
	if err := in.validate(); err != nil {
		return nil, err
	}
	if ctx == nil {
		return nil, errNoContext
	}
	f := in.form()
	body, err := multipart.New(ctx, c.pipeline.boundary(cfg.idempotencyKey), f.fields, multipart.File{
		Name:        f.file.Name,
		ContentType: f.file.ContentType,
		Size:        f.file.Size,
		Open:        f.file.Open,
		Progress:    f.progress,
	})
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return fetch[T](ctx, c, request{method: http.MethodPost, path: path, body: body, contentType: body.ContentType()}, cfg)
}

// boundary is the same whenever a call is repeated with the caller's own
// Idempotency-Key: a server may compare bodies byte by byte. Without the secret
// nobody can guess it, or a file could end its part and begin another.
func (p *pipeline) boundary(key string) string {
	if key == "" || p.secret() == "" {
		return multipart.NewBoundary()
	}
	mac := hmac.New(sha256.New, []byte(p.secret()))
	mac.Write([]byte("mid multipart boundary\x00" + key))
	return "mid-" + hex.EncodeToString(mac.Sum(nil)[:16])
}

func fetch[T any](ctx context.Context, c *Client, r request, cfg requestConfig) (*T, error) {
	a := new(answer[T])
	if err := c.pipeline.do(ctx, r, a, cfg); err != nil {
		return nil, err
	}
	return a.Data, nil
}

// jsonBody encodes in. The encoder's error may quote the value, which may be
// personal data, so it names the type alone.
func jsonBody(in any) (transport.Body, error) {
	data, err := json.Marshal(in)
	if err != nil {
		return nil, invalid("in", "can't be encoded as JSON: "+jsonTrouble(err))
	}
	return transport.Bytes(data), nil
}

// isToken reports whether s is a token of RFC 9110 section 5.6.2.
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
}
