// Package fake pins the exported API of package midtest, for tests of modules
// that use the SDK.
package fake

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

var (
	_ func(...midtest.Option) *midtest.Server              = midtest.NewServer
	_ func(time.Duration) midtest.Option                   = midtest.WithAutoComplete
	_ func(int, time.Duration) midtest.Option              = midtest.WithQuota
	_ func(mid.Plan) midtest.Option                        = midtest.WithPlan
	_ func(mid.FieldNames) midtest.Option                  = midtest.WithFieldNames
	_ func(midtest.Envelope) midtest.Option                = midtest.WithEnvelope
	_ func(time.Duration) midtest.Option                   = midtest.WithTokenLifetime
	_ func() midtest.Option                                = midtest.WithInMemory
	_ func(net.Listener) midtest.Option                    = midtest.WithListener
	_ func(func(http.Handler) http.Handler) midtest.Option = midtest.WithMiddleware
	_ func(*midtest.Server, ...mid.Option) *mid.Client     = (*midtest.Server).Client
	_ func(*midtest.Server) *http.Client                   = (*midtest.Server).HTTPClient
	_ func(*midtest.Server)                                = (*midtest.Server).Close

	_ func(*midtest.Server, string) error                         = (*midtest.Server).Scan
	_ func(*midtest.Server, string, string) error                 = (*midtest.Server).Approve
	_ func(*midtest.Server, string) error                         = (*midtest.Server).Reject
	_ func(*midtest.Server, string) error                         = (*midtest.Server).Expire
	_ func(*midtest.Server, string, midtest.Outcome) error        = (*midtest.Server).CompleteVerification
	_ func(*midtest.Server, string, mid.VerificationChecks) error = (*midtest.Server).UpdateChecks
	_ func(*midtest.Server, string, string) error                 = (*midtest.Server).Sign
	_ func(*midtest.Server, string, string) error                 = (*midtest.Server).Decline

	_ func(*midtest.Server, midtest.Fault)      = (*midtest.Server).Inject
	_ func(*midtest.Server, int, time.Duration) = (*midtest.Server).SetQuota
	_ func(*midtest.Server)                     = (*midtest.Server).RevokeTokens
	_ func(*midtest.Server) []midtest.Request   = (*midtest.Server).Requests
	_ func(*midtest.Server) []midtest.Delivery  = (*midtest.Server).Events
	_ func(*midtest.Server) int                 = (*midtest.Server).TokenRequests
	_ func(*midtest.Server, http.Handler)       = (*midtest.Server).HandleCallbacks
	_ func(*midtest.Server, string) error       = (*midtest.Server).Redeliver
	_ func(*midtest.Server, http.Handler)       = (*midtest.Server).HandlePages

	_ func(*midtest.Server) []mid.AuthSession      = (*midtest.Server).AuthSessions
	_ func(*midtest.Server) []mid.Verification     = (*midtest.Server).Verifications
	_ func(*midtest.Server) []mid.SigningDocument  = (*midtest.Server).SigningDocuments
	_ func(*midtest.Server) []mid.IdentityDocument = (*midtest.Server).IdentityDocuments
	_ func(*midtest.Server) []mid.SigningSession   = (*midtest.Server).SigningSessions

	_ = []midtest.Envelope{midtest.EnvelopeSuccess, midtest.EnvelopeCode}
	_ = []fmt.Formatter{midtest.Request{}, midtest.Delivery{}}

	_ = midtest.Server{URL: string(""), ClientID: string(""), ClientSecret: string(""), WebhookSecret: string("")}
	_ = midtest.Fault{
		Method:         string(""),
		Path:           string(""),
		Times:          int(0),
		Chance:         float64(0),
		Status:         int(0),
		Code:           string(""),
		RetryAfter:     time.Duration(0),
		Latency:        time.Duration(0),
		DropConnection: bool(false),
		Truncate:       bool(false),
		Body:           string(""),
		ContentType:    string(""),
	}
	_ = midtest.Outcome{
		Status:          mid.VerificationStatus(""),
		Confidence:      float64(0),
		Checks:          mid.VerificationChecks{},
		ExtractedData:   mid.ExtractedData{},
		RejectionReason: string(""),
	}
	_ = midtest.Request{
		Method:   string(""),
		Path:     string(""),
		Query:    url.Values{},
		Header:   http.Header{},
		Body:     []byte{},
		BodySize: int64(0),
		Status:   int(0),
		Time:     time.Time{},
	}
	_ = midtest.Delivery{
		EventID:   string(""),
		Type:      mid.EventType(""),
		SubjectID: string(""),
		URL:       string(""),
		Attempt:   int(0),
		Status:    int(0),
		Err:       error(nil),
		Time:      time.Time{},
		Payload:   []byte{},
		Signature: string(""),
	}
)
