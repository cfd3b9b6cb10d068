package mid

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/oauth2"

	"github.com/mobid-io/mid-go/internal/credentials"
	"github.com/mobid-io/mid-go/internal/multipart"
	"github.com/mobid-io/mid-go/internal/pacing"
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
	fetchToken func(context.Context) (*oauth2.Token, error)

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
		Name:        f.file.baseName(),
		ContentType: f.file.ContentType,
		Size:        f.file.Size,
		Open:        f.file.Open,
		Empty:       errEmptyFile,
		Progress:    f.progress,
	})
	r := request{operation: op, path: op.path, params: in}
	if err != nil {
		return nil, p.noAnswer(r.newCall(ctx, p.base, p.userAgent), err)
	}
	defer body.Close()
	r.body, r.contentType = body, body.ContentType()
	doc, err := send[T](ctx, p, r, cfg)
	if failure, ok := errors.AsType[*multipart.Panic](body.Err()); ok {
		panic(failure.Value) // the application's, where its caller expects it
	}
	return doc, err
}

// boundary is the same whenever a call is repeated with the caller's own
// Idempotency-Key, because a server may compare bodies byte by byte. It can't be
// guessed without the secret, or a file could end its part and begin another.
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
	// A token request will wait for the limiter as long as the call would, but
	// does not know the call's deadline.
	if cache, ok := p.tokenCache.(interface{ Ready() bool }); ok && !cache.Ready() {
		if err := p.limiter.Check(ctx, pacing.Ahead); err != nil {
			return nil, p.refusal(err)
		}
	}
	return p.tokenCache.Token(ctx, p.fetchToken)
}

// checkedCache is a token cache of the application's.
type checkedCache struct{ TokenCache }

func (c checkedCache) Token(ctx context.Context, fetch func(context.Context) (*oauth2.Token, error)) (*oauth2.Token, error) {
	var failed atomic.Pointer[error]
	token, err := c.TokenCache.Token(ctx, func(ctx context.Context) (*oauth2.Token, error) {
		token, err := fetch(ctx)
		if err != nil {
			failed.Store(&err)
		}
		return token, err
	})
	if err == nil {
		err = usable("WithTokenCache", token)
	} else if cause := failed.Load(); cause != nil && !errors.Is(err, *cause) {
		// The cache has dropped the chain, and a wait would not see that another
		// look is in vain.
		err = &sendError{text: err.Error(), causes: []error{err, *cause}}
	}
	return token, fromPart(ctx, "token cache", err)
}

// exchange returns the fetch function of the client's own credentials, whose
// token request has the given body. It passes the lower half of the pipeline. The
// body is in a closure, so that no dump of the client shows it.
func (p *pipeline) exchange(body []byte) func(context.Context) (*oauth2.Token, error) {
	return func(ctx context.Context) (*oauth2.Token, error) {
		r := request{operation: opToken, path: opToken.path, body: transport.Bytes(body)}
		call := r.newCall(ctx, p.base, p.userAgent)
		sent := time.Now()
		resp, err := p.tokens.Do(call)
		if err != nil {
			return nil, p.noAnswer(call, err)
		}
		env, err := p.answer(call, resp, nil)
		if err != nil {
			return nil, err
		}
		token, err := credentials.Parse(transport.Data(resp), sent)
		if err != nil {
			return nil, p.unreadable(call, resp, env, err.Error())
		}
		return token, nil
	}
}

// checked returns the fetch function of an application's token source.
func (p *pipeline) checked(source TokenSource) func(context.Context) (*oauth2.Token, error) {
	return func(ctx context.Context) (*oauth2.Token, error) {
		token, err := source.Token(ctx)
		if err == nil {
			err = usable("WithTokenSource", token)
		}
		if e, ok := err.(*APIError); ok { //nolint:errorlint // such as OAuth2TokenSource's
			own := *e
			own.Details = slices.Clone(e.Details)
			p.scrubError(new(transport.Call), &own)
			err = &own
		}
		return token, fromPart(ctx, "token source", err)
	}
}

// usable refuses a token that would be retried, and waited for, in vain.
func usable(option string, token *oauth2.Token) error {
	switch {
	case token == nil || token.AccessToken == "":
		return invalid(option, "returned no token")
	case !credentials.Sendable(token.AccessToken):
		return invalid(option, "returned a token with characters that no header may hold")
	}
	return nil
}

// wait waits for a request's turn.
func (p *pipeline) wait(ctx context.Context) error {
	lane := pacing.Ordinary
	if transport.Ahead(ctx) {
		lane = pacing.Ahead
	}
	return fromPart(ctx, "limiter", p.refusal(p.limiter.Wait(ctx, lane)))
}

// refusal is err or, if the client's own queue refused a request, the error that
// its caller gets.
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

// minPause is how long a 429 that asks for no wait stops the client.
const minPause = time.Second

// partError is an error of a part that the application may have given.
type partError struct {
	part string
	err  error
}

func (e *partError) Error() string { return fmt.Sprintf("the %s: %v", e.part, e.err) }

func (e *partError) Unwrap() error { return e.err }

// fromPart names the part of the client that an error is from, unless the error
// says so itself, or is only the end of ctx.
func fromPart(ctx context.Context, part string, err error) error {
	if err == nil || ctx.Err() != nil || isReported(err) {
		return err
	}
	if _, named := err.(*partError); named { //nolint:errorlint // the outermost names it
		return err
	}
	return &partError{part, err}
}
