package mid

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"time"

	"golang.org/x/oauth2"

	"github.com/mobid-io/mid-go/internal/credentials"
	"github.com/mobid-io/mid-go/internal/multipart"
	"github.com/mobid-io/mid-go/internal/pacing"
	"github.com/mobid-io/mid-go/internal/random"
	"github.com/mobid-io/mid-go/internal/transport"
)

// pipeline is what all services send through. newPipeline shows the order of its
// stages.
type pipeline struct {
	failures
	userAgent  string
	fieldNames FieldNames // of what is sent
	observers  callObservers

	calls  transport.Retry // with all stages
	tokens transport.Retry // for token requests: without the auth stage

	tokenCache TokenCache
	fetchToken fetchFunc

	limiter pacer
}

func get[T any](ctx context.Context, p *pipeline, op operation, id string, opts []RequestOption) (*T, error) {
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
	return send[T](ctx, p, request{operation: op, path: op.prefix(), id: id}, cfg)
}

func post[T any](ctx context.Context, p *pipeline, op operation, in params, opts []RequestOption) (*T, error) {
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
	if p.fieldNames == CamelCase {
		body = camelNames(body)
	}
	return send[T](ctx, p, request{operation: op, path: op.path, json: body, params: in}, cfg)
}

func upload[T any](ctx context.Context, p *pipeline, op operation, in formParams, opts []RequestOption) (*T, error) {
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
	if p.fieldNames == CamelCase {
		for i := range f.fields {
			f.fields[i][0] = camelCase(f.fields[i][0])
		}
	}
	body, err := multipart.New(ctx, p.boundary(cfg.idempotencyKey), f.fields, multipart.File{
		Name:        f.file.baseName(),
		ContentType: f.file.ContentType,
		Size:        f.file.Size,
		Open:        f.file.Open,
		Empty:       errEmptyFile,
		Progress:    f.progress,
	})
	r := request{operation: op, path: op.path, params: in}
	if err != nil {
		return nil, p.noAnswer(p.newCall(ctx, r), err)
	}
	defer body.Close()
	r.body, r.contentType = body, body.ContentType()
	doc, err := send[T](ctx, p, r, cfg)
	if failure, ok := errors.AsType[*multipart.Panic](body.Err()); ok {
		panic(failure.Value) // the application's, in the goroutine of its call
	}
	return doc, err
}

// boundary is the same whenever a call is repeated with the caller's own
// Idempotency-Key, because a server may compare bodies byte by byte. It is made
// with the secret, because a file that held it could end its part and begin
// another.
func (p *pipeline) boundary(key string) string {
	if key == "" || p.secret() == "" {
		return multipart.NewBoundary()
	}
	secret := sha256.Sum256([]byte(p.secret())) // of a length that FIPS 140 accepts as a key
	mac := hmac.New(sha256.New, secret[:])
	mac.Write([]byte("mid multipart boundary\x00" + key))
	return "mid-" + hex.EncodeToString(mac.Sum(nil)[:16])
}

func send[T any](ctx context.Context, p *pipeline, r request, cfg requestConfig) (*T, error) {
	var s struct { // on the heap in one piece
		call   transport.Call
		answer answer[T]
	}
	s.answer.kind = r.answers
	if err := p.do(ctx, &s.call, r, &s.answer, cfg); err != nil {
		return nil, err
	}
	return s.answer.Data, nil
}

var errNoContext = invalid("ctx", "is nil; use context.Background()")

// do sends a request, with the zero Call as its state, and decodes the answer into
// the target, see decode.
func (p *pipeline) do(ctx context.Context, call *transport.Call, r request, into target, cfg requestConfig) error {
	if ctx == nil {
		return errNoContext
	}
	if len(p.observers) == 0 {
		return p.exchange(ctx, call, r, into, cfg)
	}
	ctx, end := p.observers.begin(ctx, Operation{Name: r.name, Path: r.operation.path})
	err := errPanicked
	defer func() { end(err) }()
	err = p.exchange(ctx, call, r, into, cfg)
	return err
}

func (p *pipeline) exchange(ctx context.Context, call *transport.Call, r request, into target, cfg requestConfig) error {
	r.begin(ctx, call, p.base, p.userAgent)
	call.NoRetry = cfg.noRetry
	switch {
	case cfg.idempotencyKey != "":
		call.Header = append(call.Header, transport.Field{Key: "Idempotency-Key", Value: cfg.idempotencyKey})
	case r.method == http.MethodPost || r.method == http.MethodPatch:
		call.Header = append(call.Header, transport.Field{Key: "Idempotency-Key", Value: random.Text()})
	}
	call.Header = append(call.Header, cfg.header...)

	resp, err := p.calls.Do(call)
	var env *envelope
	if err != nil {
		err = p.noAnswer(call, err)
	} else {
		env, err = p.answer(call, resp, into)
	}
	if cfg.answered != nil {
		id := ""
		if env != nil { // a proxy may have made it of the request
			id = p.scrub(call, env.Meta.RequestID.String())
		}
		cfg.answered.fill(call, resp, env, id)
	}
	return err
}

func (p *pipeline) newCall(ctx context.Context, r request) *transport.Call {
	call := new(transport.Call)
	r.begin(ctx, call, p.base, p.userAgent)
	return call
}

// token returns a token for one wire send.
func (p *pipeline) token(ctx context.Context) (*oauth2.Token, error) {
	token, err := p.tokenCache.Token(ctx, p.fetchToken)
	return token, tokenFailure(err)
}

// asTokenRequest gives fetch a context with the token's operation. It must not have
// the call that caused the fetch, because that goes on while a renewal runs.
func (p *pipeline) asTokenRequest(fetch fetchFunc) fetchFunc {
	r := request{operation: opToken}
	return func(ctx context.Context) (*oauth2.Token, error) { return fetch(p.newCall(ctx, r)) }
}

// requestToken sends a token request with the given body. It passes the lower
// half of the pipeline.
func (p *pipeline) requestToken(ctx context.Context, body []byte) (*oauth2.Token, error) {
	r := request{operation: opToken, path: opToken.path, json: body}
	call := p.newCall(ctx, r)
	resp, err := p.tokens.Do(call)
	if err != nil {
		return nil, p.noAnswer(call, err)
	}
	env, err := p.answer(call, resp, nil)
	if err != nil {
		return nil, err
	}
	token, err := credentials.Parse(transport.Data(resp), call.Left)
	if err != nil {
		return nil, p.unreadable(call, resp, env, err.Error())
	}
	return token, nil
}

// wait waits for a request's turn.
func (p *pipeline) wait(ctx context.Context) error {
	lane := pacing.Ordinary
	if transport.Ahead(ctx) {
		lane = pacing.Ahead
	}
	return fromPart(ctx, "limiter", p.refusal(p.limiter.Wait(ctx, lane)))
}

// refusal returns err or, if the client's own queue refused a request, the error
// that the caller gets.
func (p *pipeline) refusal(err error) error {
	if r, ok := errors.AsType[*pacing.Refusal](err); ok {
		return &RateLimitError{RetryAfter: r.Wait, RateLimit: RateLimit(p.limiter.Quota()), Err: r.Err, tooLong: r.Err == nil}
	}
	return err
}

// observe notes how a request ended; resp is nil if no answer came.
func (p *pipeline) observe(resp *http.Response, sent bool) {
	outcome := pacing.Outcome{Sent: sent}
	if resp != nil {
		quota, _ := transport.ReadQuota(resp.Header)
		outcome.Quota = pacing.Quota(quota)
		outcome.Date = resp.Header.Get("Date")
		outcome.Answered = resp.StatusCode < http.StatusInternalServerError
		if resp.StatusCode == http.StatusTooManyRequests {
			outcome.RetryAfter = max(transport.RetryAfter(resp), min(minPause, p.calls.MaxRetryAfter))
		}
	}
	p.limiter.Observe(outcome)
}

// minPause is how long the client pauses after a 429 that asks for no wait.
const minPause = time.Second
