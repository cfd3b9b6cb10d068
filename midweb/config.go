package midweb

import (
	"fmt"
	"html/template"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/mobid-io/mid-go"
)

// Config says how people sign in to a site. Keys and SignedIn are required; all
// else has defaults. New copies what it needs.
type Config struct {
	// Keys seal what the browsers carry. Each has at least 32 random bytes, and
	// all processes of a site have the same. The first seals, and each opens. To
	// replace a key, add the new one behind it in all processes, then put it
	// first, and take the old one away a quarter of an hour later.
	Keys [][]byte
	// SignedIn makes the site's own session for the person who approved. It looks
	// up the site's user by result.UserID, and sets the site's cookie. If it writes
	// no answer, the browser goes on to the page that it came for. It is called
	// once for each approval. Browsers must not cache what depends on the session,
	// a redirect to the sign-in included: set Cache-Control to no-store there.
	SignedIn func(w http.ResponseWriter, r *http.Request, result *mid.AuthenticationResult)

	// Origin is the site's own, as the address bar shows it, like
	// https://shop.example. If empty, any https origin is assumed. A proxy must
	// then keep the Host, for browsers that send no Sec-Fetch-Site. Over http,
	// which works on loopback only, the cookies are not Secure and have plain names.
	Origin string
	// CallbackURL is where MID reaches the handler of the client's Webhooks. If
	// empty, MID sends no events, and pages ask it more often.
	CallbackURL string
	// Intent is what people approve. If empty, it is [mid.IntentLogin]. A site may
	// have sign-ins of several intents.
	Intent mid.Intent
	// Person returns the person that a sign-in is for, and what the app is to show.
	// If it returns an error, the error is logged, and the person sees that signing
	// in is not possible. If nil, anyone may approve.
	Person func(r *http.Request) (Person, error)
	// Next is the path where people go on after signing in. A request to the page
	// with the parameter next, a path on the site, overrides it. If empty, it is /.
	Next string

	// Name is the site's, for the title and the header. If empty, the texts do
	// without it.
	Name string
	// Templates replace those of the page with the same names, see [Page]. If nil,
	// the page is the default one.
	Templates *template.Template
	// Texts replace those of the page with the same language and key, and add
	// languages. The keys are in the file texts.go of this package. A text that a
	// language lacks is in English. If nil, there are English and German.
	Texts map[string]map[string]string

	// Store makes sure that each approval signs in once among all processes that
	// share the store. If nil, each process only knows its own sign-ins.
	Store mid.EventStore
	// Brake bounds the sign-ins that may begin. Its zero value has good bounds.
	Brake Brake
	// Poll says how often MID is asked about a session while its page is in view.
	// If zero, the intervals are from one to two seconds or, with a CallbackURL,
	// from two to six. They are longer when the Share of Brake is too small.
	Poll mid.PollOptions
	// Logger gets the failures, with the ids of sessions and without personal data.
	// If nil, nothing is logged.
	Logger *slog.Logger
}

// Format writes a fixed text, whatever the verb: the keys are secret.
func (Config) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hiddenConfig) }

// LogValue is the same for package log/slog.
func (Config) LogValue() slog.Value { return slog.StringValue(hiddenConfig) }

const (
	hiddenConfig = "midweb.Config{…}"
	hiddenPerson = "midweb.Person{…}"
)

// Person is the person that a site knows to be at the browser, because they are
// signed in already or have named themselves.
type Person struct {
	// Recipient is the person's mobile number in E.164 form. Only that phone may
	// then approve. If empty, any phone may.
	Recipient string
	// Metadata is sent to MID with the session, for the app to show. The value of
	// [MetadataNumber] is shown on the page too. The key midweb is reserved.
	Metadata map[string]string
}

// Format writes a fixed text, whatever the verb: all of it is personal data.
func (Person) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hiddenPerson) }

// LogValue is the same for package log/slog.
func (Person) LogValue() slog.Value { return slog.StringValue(hiddenPerson) }

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// withDefaults returns a copy with defaults for what is not set, or says what is
// wrong.
func (c Config) withDefaults() (Config, error) {
	if len(c.Keys) == 0 {
		return c, wrong("Keys", "is empty: sealing needs a key")
	}
	for i, key := range c.Keys {
		if len(key) < minKey {
			return c, wrong("Keys["+strconv.Itoa(i)+"]", "is too short: at least "+strconv.Itoa(minKey)+" random bytes are needed")
		}
	}
	if c.SignedIn == nil {
		return c, wrong("SignedIn", "is nil: it makes the site's session")
	}
	if c.Intent == "" {
		c.Intent = mid.IntentLogin
	}
	if !plainWord.MatchString(string(c.Intent)) {
		return c, wrong("Intent", "is invalid: it becomes part of a cookie's name")
	}
	if err := checkOrigin(c.Origin); err != nil {
		return c, err
	}
	if c.CallbackURL != "" {
		if u, err := url.Parse(c.CallbackURL); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			return c, wrong("CallbackURL", "must be an absolute http or https URL")
		}
	}
	if c.Next == "" {
		c.Next = "/"
	}
	if localPath(c.Next, "") == "" {
		return c, wrong("Next", "must be a path on the site")
	}
	if c.Brake.Share < 0 || c.Brake.Share > 1 {
		return c, wrong("Brake.Share", "is not between 0 and 1")
	}
	if c.Brake.TrustedProxies < 0 {
		return c, wrong("Brake.TrustedProxies", "is negative")
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c.withPoll()
}

func (c Config) withPoll() (Config, error) {
	if c.Poll.MinInterval < 0 || c.Poll.MaxInterval < 0 {
		return c, wrong("Poll", "has a negative interval")
	}
	least, most := time.Second, 2*time.Second
	if c.CallbackURL != "" {
		least, most = 2*time.Second, 6*time.Second
	}
	if c.Poll.MinInterval == 0 {
		c.Poll.MinInterval = least
		if c.Poll.MaxInterval > 0 {
			c.Poll.MinInterval = min(least, c.Poll.MaxInterval)
		}
	}
	if c.Poll.MaxInterval == 0 {
		c.Poll.MaxInterval = most
	}
	c.Poll.MaxInterval = max(c.Poll.MaxInterval, c.Poll.MinInterval)
	return c, nil
}

func checkOrigin(origin string) error {
	if origin == "" {
		return nil
	}
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || origin != u.Scheme+"://"+u.Host {
		return wrong("Origin", "must be an origin, like https://shop.example")
	}
	if u.Scheme == "http" && !isLoopback(u.Hostname()) {
		return wrong("Origin", "is plain http, which carries sign-ins on loopback only")
	}
	return nil
}

func isLoopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

func wrong(field, reason string) error {
	return &mid.ValidationError{Field: "midweb.Config." + field, Reason: reason}
}
