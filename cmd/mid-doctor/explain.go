package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/mobid-io/mid-go"
)

// explain says what went wrong, in words of its own. Texts of a server may hold
// ids and personal data, so they are never quoted.
func explain(err error) string {
	if e, ok := errors.AsType[*mid.APIError](err); ok {
		return explainAnswer(err, e)
	}
	if e, ok := errors.AsType[*mid.ValidationError](err); ok {
		return e.Field + " " + e.Reason
	}
	certificate, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	name, unresolved := errors.AsType[*net.DNSError](err)
	_, alert := errors.AsType[tls.AlertError](err)
	_, notTLS := errors.AsType[tls.RecordHeaderError](err)
	switch {
	case errors.Is(err, mid.ErrRateLimited):
		return "the account's quota is used up; try again in a minute"
	case untrusted && certificate != nil:
		return "the server's certificate is not trusted; is there a proxy that opens TLS?"
	case unresolved && name.IsNotFound:
		return "the host has no address; is MID_BASE_URL right?"
	case unresolved:
		return "the host's address could not be found out; is the DNS up?"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the connection was refused; is MID_BASE_URL right?"
	case alert || notTLS:
		return "the server and the SDK don't agree on TLS; the SDK speaks TLS 1.3"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return "no answer came in time"
	}
	return "no answer came; is there a proxy or a firewall on the way?"
}

var plainCode = regexp.MustCompile(`^[a-z_]{1,40}$`)

func explainAnswer(err error, e *mid.APIError) string {
	if e.StatusCode/100 == 2 && len(e.Body) == 0 {
		return e.Message // the SDK's own: it quotes nothing of an unreadable success
	}
	text := fmt.Sprintf("%d %s", e.StatusCode, http.StatusText(e.StatusCode))
	if plainCode.MatchString(string(e.Code)) {
		text += " (" + string(e.Code) + ")"
	}
	switch {
	case errors.Is(err, mid.ErrInvalidClient):
		text += "; MID_CLIENT_ID or MID_CLIENT_SECRET is wrong"
	case e.StatusCode == http.StatusNotFound && e.Path == "/auth/token":
		text += "; does MID_BASE_URL end in /v1?"
	case errors.Is(err, mid.ErrForbidden):
		text += "; the account may not use it"
	case errors.Is(err, mid.ErrRateLimited):
		text += "; try again in " + max(e.RetryAfter, time.Second).Round(time.Second).String()
	}
	var refused []string
	for _, d := range e.Details {
		refused = append(refused, shownName(d.Field))
	}
	if refused != nil {
		text += "; it refuses " + strings.Join(refused, ", ")
	}
	return text
}

// verdictOf is that of a call that failed: a success that the SDK can't read is
// another thing than a refusal.
func verdictOf(err error) verdict {
	if e, ok := errors.AsType[*mid.APIError](err); ok && e.StatusCode/100 == 2 {
		return unreadable
	}
	return failed
}
