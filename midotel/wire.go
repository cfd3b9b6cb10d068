package midotel

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/mobid-io/mid-go"
)

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// middleware makes the span and the metrics of each wire send.
func (t *Telemetry) middleware(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		s := t.startSend(req)
		returned := false
		defer func() {
			if !returned {
				s.end(errNotReturned)
			}
		}()
		resp, err := next.RoundTrip(req.WithContext(s.ctx))
		returned = true
		if err != nil || resp == nil {
			s.end(cmp.Or(err, errNothing))
			return resp, err
		}
		s.answered(resp)
		if resp.Body == nil {
			s.end(nil)
			return resp, nil
		}
		resp.Body = &body{ReadCloser: resp.Body, send: s}
		return resp, nil
	})
}

// send is one wire send. It ends when its answer's body is closed, or when its context
// ends: an attempt whose time is over is left behind, and may hang for long.
type send struct {
	t     *Telemetry
	ctx   context.Context
	span  trace.Span
	begun time.Time
	attrs []attribute.KeyValue // of the metric

	mu      sync.Mutex
	status  int // 0 without an answer
	over    bool
	forsake func() bool // stops waiting for the context's end
}

func (t *Telemetry) startSend(req *http.Request) *send {
	op, _ := mid.OperationFrom(req.Context())
	queued := mid.QueueTime(req.Context())
	noteSend(req.Context(), op, queued)
	host, port := address(req.URL)
	s := &send{t: t, begun: time.Now(), attrs: []attribute.KeyValue{
		method(req.Method),
		semconv.ServerAddress(host),
		semconv.ServerPort(port),
	}}
	name := s.attrs[0].Value.AsString()
	if s.attrs[0] == semconv.HTTPRequestMethodOther {
		name = "HTTP" // as the conventions say
	}
	if op.Path != "" {
		name += " " + op.Path
		s.attrs = append(s.attrs, semconv.URLTemplate(op.Path))
	}
	s.ctx, s.span = t.tracer.Start(req.Context(), name, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(s.attrs...))
	if s.span.IsRecording() {
		s.span.SetAttributes(keyOperation.String(op.Name), semconv.URLFull(shownURL(req.URL, op.Path)))
		if op.Attempt > 1 {
			s.span.SetAttributes(semconv.HTTPRequestResendCount(op.Attempt - 1))
		}
	}
	t.queueDuration.Record(s.ctx, queued.Seconds(), metric.WithAttributes(keyOperation.String(op.Name)))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forsake = context.AfterFunc(s.ctx, func() { s.end(ended(s.ctx)) })
	return s
}

// answered notes what the answer's header says.
func (s *send) answered(resp *http.Response) {
	s.mu.Lock()
	s.status = resp.StatusCode
	s.mu.Unlock()
	if resp.StatusCode == http.StatusTooManyRequests {
		s.t.rateLimited.Add(s.ctx, 1)
	}
	if rest, err := strconv.Atoi(resp.Header.Get("X-RateLimit-Remaining")); err == nil && rest >= 0 {
		s.t.remaining.Record(s.ctx, int64(rest))
	}
	if s.span.IsRecording() && resp.ProtoMajor > 0 {
		s.span.SetAttributes(semconv.NetworkProtocolVersion(protocol(resp)))
	}
}

// end ends the span, once.
func (s *send) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return
	}
	s.over = true
	s.forsake()
	attrs := s.attrs
	if s.status != 0 {
		attrs = append(attrs, semconv.HTTPResponseStatusCode(s.status))
		s.span.SetAttributes(semconv.HTTPResponseStatusCode(s.status))
	}
	if kind, failed := s.failure(err); failed {
		attrs = append(attrs, kind)
		s.span.SetAttributes(kind)
		s.span.SetStatus(codes.Error, "") // the type says it all
	}
	s.t.wireDuration.RecordSet(s.ctx, time.Since(s.begun).Seconds(), attribute.NewSet(attrs...))
	s.span.End()
}

// failure returns what kept the send from its answer, or made the answer an error.
func (s *send) failure(err error) (kind attribute.KeyValue, failed bool) {
	if refuses(s.status) { // whether or not it could be read
		return statusType(s.status), true
	}
	if err == nil {
		return kind, false
	}
	if cause := ended(s.ctx); cause != nil {
		err = cause
	}
	return errorType(err), true
}

// body ends a send when it breaks or is closed. The SDK closes it when it has read it.
type body struct {
	io.ReadCloser
	send *send
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		b.send.end(err)
	}
	return n, err
}

func (b *body) Close() error {
	err := b.ReadCloser.Close()
	b.send.end(ended(b.send.ctx))
	return err
}

// method keeps the number of values small, as the semantic conventions ask:
// Client.Call takes any.
func method(name string) attribute.KeyValue {
	switch name {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return semconv.HTTPRequestMethodKey.String(name)
	}
	return semconv.HTTPRequestMethodOther
}

func address(u *url.URL) (host string, port int) {
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		port = 443
		if u.Scheme == "http" {
			port = 80
		}
	}
	return u.Hostname(), port
}

// shownURL is the URL with its template in place of ids, and without a query. Of a
// path without a template, or one that middleware has changed, nothing is shown: it
// may hold anything.
func shownURL(u *url.URL, template string) string {
	shown := u.Scheme + "://" + u.Host
	fixed, _, hasID := strings.Cut(template, "{")
	path := u.EscapedPath()
	base := strings.LastIndex(path, fixed)
	if template == "" || base < 0 || strings.Contains(path[base+len(fixed):], "/") || !hasID && base+len(fixed) != len(path) {
		return shown + "/REDACTED"
	}
	return shown + path[:base] + template
}

func protocol(resp *http.Response) string {
	if resp.ProtoMajor == 1 {
		return "1." + strconv.Itoa(resp.ProtoMinor)
	}
	return strconv.Itoa(resp.ProtoMajor)
}
