package midweb

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"html/template"
	"net/url"
	"strings"
	"time"

	"github.com/mobid-io/mid-go"
)

const (
	maxLife  = 10 * time.Minute // of a code, whatever MID says
	grace    = 5 * time.Minute  // how long after its end an approval may still be taken up
	renewals = 5                // how often a page in view gets itself a new code
)

const (
	// MetadataNumber is the key of a number in [Person].Metadata that the page
	// and the phone both show, to be compared.
	MetadataNumber = "number"
	// metadataNonce is the key of what binds a session to its flow.
	metadataNonce = "midweb"
)

// flow is one attempt of one browser to sign in. The browser carries it,
// sealed, so that any process may go on with it.
type flow struct {
	Session  string    `json:"s"` // MID's id
	Nonce    string    `json:"n"` // the session was created for this flow
	Begun    time.Time `json:"b"`
	Ends     time.Time `json:"e"` // when the code expires, by the site's clock
	Next     string    `json:"x,omitempty"`
	Renewals int       `json:"r,omitempty"` // left
}

func newNonce() string { return rand.Text() }

// newFlow returns the flow of a session that MID has just created. serverNow
// is the time that its answer named: clocks differ, so that only the length of
// the session's life is to be trusted, and that within reason.
func newFlow(session *mid.AuthSession, serverNow time.Time, nonce, next string, left int) flow {
	if serverNow.IsZero() {
		serverNow = session.CreatedAt
	}
	now := time.Now()
	life := min(max(session.ExpiresAt.Sub(serverNow), 0), maxLife)
	return flow{
		Session:  session.ID,
		Nonce:    nonce,
		Begun:    now.Round(0),
		Ends:     now.Add(life).Round(0),
		Next:     next,
		Renewals: left,
	}
}

// over reports whether nothing can come of the flow any more.
func (f flow) over(now time.Time) bool { return now.After(f.Ends.Add(grace)) }

// life is how long the code is good for in all.
func (f flow) life() time.Duration { return f.Ends.Sub(f.Begun) }

// remaining is how long the code is still good for.
func (f flow) remaining(now time.Time) time.Duration { return max(f.Ends.Sub(now), 0) }

// tag names the flow to its own page, so that two tabs of a browser know whether
// they show the same code.
func (f flow) tag() string {
	sum := sha256.Sum256([]byte(f.Nonce))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

// code is what the page shows of a session.
type code struct {
	QR     template.URL
	Link   template.URL // opens the app, for a page that is on the phone itself
	Number string
}

var errNoCode = errors.New("midweb: the session has neither a PNG image as its QR code nor a link to the app")

// codeOf checks what MID sent: both end in attributes that could run scripts.
func codeOf(session *mid.AuthSession) (code, error) {
	c := code{Number: session.Metadata[MetadataNumber]}
	if strings.HasPrefix(session.QRCode, "data:image/png;base64,") {
		c.QR = template.URL(session.QRCode) //nolint:gosec // it is an image
	}
	if u, err := url.Parse(session.QRData); err == nil && (u.Scheme == "mid" || u.Scheme == "https") {
		c.Link = template.URL(session.QRData) //nolint:gosec // it is no script
	}
	if c.QR == "" && c.Link == "" {
		return c, errNoCode
	}
	return c, nil
}

// localPath returns path if it leads to a place on the site itself, else the
// fallback. Browsers take a backslash for a slash, and drop control characters.
func localPath(path, fallback string) string {
	const long = 1 << 10
	if len(path) > long || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.Contains(path, `\`) {
		return fallback
	}
	if u, err := url.Parse(path); err != nil || u.Host != "" || u.Scheme != "" {
		return fallback // the parser refuses control characters
	}
	return path
}
