package mid

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/oauth2"

	"github.com/mobid-io/mid-go/internal/credentials"
	"github.com/mobid-io/mid-go/internal/multipart"
	"github.com/mobid-io/mid-go/internal/transport"
)

// pipeline is what all services send through. The order of its stages is that of
// newPipeline.
type pipeline struct {
	failures
	userAgent string

	calls  transport.Retry // all stages
	tokens transport.Retry // for token requests: without the token's stage

	tokenCache TokenCache
	fetchToken fetchFunc

	limiter Limiter
	quota   quota
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
	return send[T](ctx, p, request{operation: op, path: op.path, body: body, params: in}, cfg)
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
	body, err := multipart.New(ctx, p.boundary(cfg.idempotencyKey), f.fields, multipart.File{
		Name:        f.file.Name,
		ContentType: f.file.ContentType,
		Size:        f.file.Size,
		Open:        f.file.Open,
		Progress:    f.progress,
	})
	if err != nil {
		return nil, fmt.Errorf("mid: %w", err)
	}
	defer func() { _ = body.Close() }() // what can go wrong with it has been reported by then
	r := request{operation: op, path: op.path, body: body, contentType: body.ContentType(), params: in}
	return send[T](ctx, p, r, cfg)
}

// boundary is the same whenever a call is repeated with the caller's own
// Idempotency-Key, because a server may compare bodies byte by byte. It can't be
// guessed without the secret, or a file could end its part and begin another.
func (p *pipeline) boundary(key string) string {
	if key == "" || p.secret() == "" {
		return multipart.NewBoundary()
	}
	mac := hmac.New(sha256.New, []byte(p.secret()))
	mac.Write([]byte("mid multipart boundary\x00" + key))
	return "mid-" + hex.EncodeToString(mac.Sum(nil)[:16])
}

func send[T any](ctx context.Context, p *pipeline, r request, cfg requestConfig) (*T, error) {
	a := new(answer[T])
	if err := p.do(ctx, r, a, cfg); err != nil {
		return nil, err
	}
	return a.Data, nil
}

var errNoContext = invalid("ctx", "is nil; use context.Background()")

// do sends a request and decodes the answer into a target; see decode.
func (p *pipeline) do(ctx context.Context, r request, into target, cfg requestConfig) error {
	if ctx == nil {
		return errNoContext
	}
	call := r.newCall(ctx, p.base, p.userAgent)
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
		err = p.noAnswer(call, err)
	} else {
		env, err = p.answer(call, resp, into)
	}
	if cfg.answered != nil {
		cfg.answered(call, resp, env)
	}
	return err
}

// token returns a token for one wire send.
func (p *pipeline) token(ctx context.Context) (*oauth2.Token, error) {
	token, err := p.tokenCache.Token(ctx, p.fetchToken)
	return token, tokenFailure(err)
}

// asTokenRequest has fetch see the token's operation in its context. It must not
// see the call that began it, which goes on while a renewal runs.
func (p *pipeline) asTokenRequest(fetch fetchFunc) fetchFunc {
	r := request{operation: opToken}
	return func(ctx context.Context) (*oauth2.Token, error) { return fetch(r.newCall(ctx, p.base, p.userAgent)) }
}

// requestToken sends a token request with the given body. It passes the lower
// half of the pipeline.
func (p *pipeline) requestToken(ctx context.Context, body []byte) (*oauth2.Token, error) {
	r := request{operation: opToken, path: opToken.path, body: transport.Bytes(body)}
	call := r.newCall(ctx, p.base, p.userAgent)
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

// wait waits for the limiter.
func (p *pipeline) wait(ctx context.Context) error {
	return fromPart(ctx, "limiter", p.limiter.Wait(ctx))
}

// observe reports to the limiter how a request ended; resp is nil if no answer
// came.
func (p *pipeline) observe(resp *http.Response, _ bool) {
	if resp == nil {
		p.limiter.Observe(RateLimit{}, 0)
		return
	}
	local := p.quota.observe(resp.Header, time.Now())
	var pause time.Duration
	if resp.StatusCode == http.StatusTooManyRequests {
		pause = max(transport.RetryAfter(resp), minPause)
	}
	p.limiter.Observe(local, pause)
}

// minPause is how long a 429 that asks for no wait stops the client.
const minPause = time.Second
