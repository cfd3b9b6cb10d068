package mid_test

import (
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

// getters are the methods that put an id into a path.
func getters(c *mid.Client, t *testing.T) map[string]func(id string) error {
	ctx := t.Context()
	return map[string]func(id string) error{
		"/auth/sessions/":          func(id string) error { _, err := c.Authentication.GetSession(ctx, id); return err },
		"/identity/verifications/": func(id string) error { _, err := c.Identity.GetVerification(ctx, id); return err },
		"/signing/sessions/":       func(id string) error { _, err := c.Signing.GetSession(ctx, id); return err },
	}
}

func TestIDsThatAreNoSegmentSendNothing(t *testing.T) {
	t.Parallel()
	a := &api{}
	c := a.client(t)
	for prefix, get := range getters(c, t) {
		for _, id := range []string{"", ".", ".."} {
			v := requireInvalid(t, get(id))
			require.Equal(t, "id", v.Field, prefix)
			if id == "" {
				require.Equal(t, "is empty", v.Reason)
			} else {
				require.Equal(t, "must be the id of an existing resource, not a dot segment", v.Reason)
			}
		}
	}
	for _, err := range c.Authentication.WatchSession(t.Context(), "..", mid.PollOptions{}) {
		requireInvalid(t, err)
	}
	_, err := c.Signing.WaitForSession(t.Context(), "", mid.PollOptions{})
	requireInvalid(t, err)
	require.Empty(t, a.sent())
	require.Zero(t, a.tokenRequests())
}

func TestIDsAreOnePathSegment(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var wire, decoded string
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/auth/token", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, ok(`{"access_token":"token-of-the-test","token_type":"Bearer","expires_in":3600}`))
	})
	for _, prefix := range []string{"/auth/sessions/", "/identity/verifications/", "/signing/sessions/"} {
		mux.HandleFunc("GET /v1"+prefix+"{id}", func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			wire, decoded = r.RequestURI, r.PathValue("id")
			mu.Unlock()
			_, _ = io.WriteString(w, ok(`{"id":"x","session_id":"x","status":"pending"}`))
		})
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	c, err := mid.NewClient(testID, testSecret, mid.WithBaseURL(server.URL+"/v1"), mid.WithHTTPClient(&http.Client{}))
	require.NoError(t, err)

	for id, want := range map[string]string{
		"sess_abc-1.2~3": "sess_abc-1.2~3",
		"a/b":            "a%2Fb",
		"a?b=c":          "a%3Fb=c",
		"a#b":            "a%23b",
		"a%2Fb":          "a%252Fb",
		"..%2f":          "..%252f",
		"../admin":       "..%2Fadmin",
		"...":            "...",
		"%2e%2e":         "%252e%252e",
		"ä":              "%C3%A4",
		"a b":            "a%20b",
		"a+b":            "a+b",
		`a\b`:            "a%5Cb",
		"a;b":            "a%3Bb",
		"a:b@c":          "a:b@c",
		"line\nbreak":    "line%0Abreak",
		"\x00":           "%00",
		"//evil.example": "%2F%2Fevil.example",
		"http://a.b/c":   "http:%2F%2Fa.b%2Fc",
	} {
		for prefix, get := range getters(c, t) {
			require.NoError(t, get(id), "%q", id)
			require.Equal(t, "/v1"+prefix+want, wire)
			require.Equal(t, id, decoded)
		}
	}
}

func TestCallKeepsToTheBaseURL(t *testing.T) {
	t.Parallel()
	a := &api{handle: func(*http.Request) (*http.Response, error) { return answer(200, ""), nil }}
	c := a.client(t)
	for _, path := range []string{
		"https://evil.example/x", "http://evil.example", "//evil.example/x", "///evil.example/x", "ftp:x", "mailto:ada@example.com",
		"/..", "..", "/../x", "/a/..", "/a/../../b", "/./a", "/a/%2e%2e/b", "/a/%2E./b", "/a/..%2fb", "/a/..%5cb", `/a\..\b`,
		"/a#frag", "//", "/a\nb", "/a b\x00", "://x", "a:b", "/%zz", "//user@evil.example/",
	} {
		v := requireInvalid(t, c.Call(t.Context(), "GET", path, nil, nil))
		require.Equal(t, "path", v.Field, "%q", path)
		require.NotContains(t, v.Error(), "evil", "the value")
	}
	require.Empty(t, a.sent())
	require.Zero(t, a.tokenRequests())

	for path, want := range map[string]string{
		"/auth/sessions?limit=10&q=a%20b": "/v1/auth/sessions?limit=10&q=a%20b",
		"auth/sessions":                   "/v1/auth/sessions",
		"":                                "/v1/",
		"/":                               "/v1/",
		"?a=/../b":                        "/v1/?a=/../b",
		"/a%2Fb/c":                        "/v1/a%2Fb/c",
		"/ä/ö":                            "/v1/%C3%A4/%C3%B6",
		"/a b":                            "/v1/a%20b",
		"/...":                            "/v1/...",
		"user@host/x":                     "/v1/user@host/x",
		`\\evil.example\x`:                "/v1/%5C%5Cevil.example%5Cx",
		"/a//b/":                          "/v1/a//b/",
		"/%252e%252e/":                    "/v1/%252e%252e/",
		"/@evil.example":                  "/v1/@evil.example",
	} {
		require.NoError(t, c.Call(t.Context(), "GET", path, nil, nil), "%q", path)
		got := last(a.sent())
		require.Equal(t, want, strings.TrimSuffix(got.Path+"?"+got.Query, "?"), "%q", path)
	}
}

func TestCallNeverLeavesTheHost(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"@evil.example/", ".evil.example", ":80@evil.example", `\evil.example`, "evil.example"} {
		a := &hostWatcher{}
		c, err := mid.NewClient(testID, testSecret, mid.WithHTTPClient(&http.Client{Transport: a}), mid.WithBaseURL("https://api.example"))
		require.NoError(t, err)
		_ = c.Call(t.Context(), "GET", path, nil, nil)
		for _, u := range a.urls {
			require.Equal(t, "https://api.example", u.Scheme+"://"+u.Host, "%q", path)
		}
	}
}

type hostWatcher struct {
	urls []*url.URL
}

func (h *hostWatcher) RoundTrip(r *http.Request) (*http.Response, error) {
	h.urls = append(h.urls, r.URL)
	if r.Host != r.URL.Host {
		return nil, fmt.Errorf("the Host is %s", r.Host)
	}
	if strings.HasSuffix(r.URL.Path, "/auth/token") {
		return tokenAnswer(1, 1e12), nil
	}
	return answer(200, ok("{}")), nil
}

func TestCallMethods(t *testing.T) {
	t.Parallel()
	a := &api{handle: func(*http.Request) (*http.Response, error) { return answer(204, ""), nil }}
	c := a.client(t)
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "PURGE"} {
		require.NoError(t, c.Call(t.Context(), method, "/x", nil, nil))
		require.Equal(t, method, last(a.sent()).Method)
	}
	n := len(a.sent())
	for _, method := range []string{"", " ", "get", "Post", "GET /x HTTP/1.1\r\n", "G ET", "GÉT"} {
		v := requireInvalid(t, c.Call(t.Context(), method, "/x", nil, nil))
		require.EqualError(t, v, "mid: method must be an HTTP method in upper case, like GET")
	}
	require.Len(t, a.sent(), n)
}

func TestCallIn(t *testing.T) {
	t.Parallel()
	a := &api{handle: func(*http.Request) (*http.Response, error) { return answer(200, ok("null")), nil }}
	c := a.client(t)
	for _, tt := range []struct {
		in   any
		want string
	}{
		{nil, ""},
		{map[string]any{"a": 1}, `{"a":1}`},
		{(*int)(nil), "null"},
		{[]int{}, "[]"},
	} {
		require.NoError(t, c.Call(t.Context(), "PUT", "/x", tt.in, nil))
		got := last(a.sent())
		require.Equal(t, tt.want, got.Body)
		if tt.in == nil {
			require.Empty(t, got.Header.Get("Content-Type"))
		} else {
			require.Equal(t, "application/json", got.Header.Get("Content-Type"))
		}
		require.Equal(t, "application/json", got.Header.Get("Accept"))
	}
	n := len(a.sent())
	const unfit = "it holds a value that JSON can't express, like a channel, NaN or a cycle"
	for _, tt := range []struct {
		in   any
		want string
	}{
		{make(chan int), unfit},
		{[]float64{math.NaN()}, unfit},
		{map[bool]int{true: 1}, unfit},
		{mute("ada@example.com"), "the encoder of mid_test.mute fails"},
	} {
		err := c.Call(t.Context(), "POST", "/x", tt.in, nil)
		requireInvalid(t, err)
		require.EqualError(t, err, "mid: in can't be encoded as JSON: "+tt.want)
	}
	require.Len(t, a.sent(), n)
}

type mute string

func (m mute) MarshalJSON() ([]byte, error) { return nil, fmt.Errorf("can't encode %s", string(m)) }

func TestCallOut(t *testing.T) {
	t.Parallel()
	var text string
	data := ""
	a := &api{handle: func(*http.Request) (*http.Response, error) { return answer(200, ok(data)), nil }}
	c := a.client(t)
	call := func(out any) error { return c.Call(t.Context(), "GET", "/x", nil, out) }

	data = `{"id":"sess_1","status":"pending"}`
	var s mid.AuthSession
	require.NoError(t, call(&s))
	require.Equal(t, mid.AuthPending, s.Status)
	m := map[string]any{}
	require.NoError(t, call(&m))
	require.Equal(t, "sess_1", m["id"])
	var anything any
	require.NoError(t, call(&anything))
	require.Equal(t, any(m), anything)
	require.NoError(t, call(nil))

	const prefix = "mid: GET /x: 200 OK: the answer's data does not fit into "
	require.EqualError(t, call(&text), prefix+"*string: it, or a value in it, is not a JSON string [request req_1]")
	require.EqualError(t, call(new(int8)), prefix+"*int8: it, or a value in it, is not a number that fits into int8 [request req_1]")
	require.EqualError(t, call(new([]int)), prefix+"*[]int: it, or a value in it, is not a JSON array [request req_1]")
	require.EqualError(t, call(new(struct{ Status bool })), prefix+"*struct { Status bool }: its field Status is not true or false [request req_1]")
	var e *mid.APIError
	require.ErrorAs(t, call(&text), &e)
	require.Equal(t, "req_1", e.RequestID)

	data = `"ada@example.com"`
	require.NoError(t, call(&text))
	require.Equal(t, "ada@example.com", text)
	for _, out := range []any{new(struct{}), new(int), new(picky), new(struct{ A picky })} {
		require.NotContains(t, call(out).Error(), "ada", "%T", out)
	}

	n := len(a.sent())
	for _, out := range []any{s, "text", (*mid.AuthSession)(nil), m, 5} {
		require.EqualError(t, call(out), "mid: out must be a pointer that is not nil, or nil itself")
	}
	require.Len(t, a.sent(), n, "what can't work is not sent")
}

type picky int

func (picky) UnmarshalJSON(data []byte) error { return fmt.Errorf("can't decode %s", data) }

// out is the caller's: an error does not change it.
func TestCallLeavesOutAloneOnErrors(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"success":false,"data":{"id":"x"}}`,
		`{"success":true,"data":{"id":"x"},"error":{"code":"conflict"}}`,
	} {
		c := once(t, status(200, body))
		s := mid.AuthSession{ID: "before"}
		require.Error(t, c.Call(t.Context(), "GET", "/x", nil, &s))
		require.Equal(t, mid.AuthSession{ID: "before"}, s)
	}
}

func TestCallWithoutData(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", " \n", "{}", ok("null"), ok(`{"id":1}`), ok(`"x"`)} {
		for _, code := range []int{200, 204} {
			require.NoError(t, once(t, status(code, body)).Call(t.Context(), "DELETE", "/x", nil, nil), "%d %q", code, body)
		}
	}
	err := once(t, status(200, "<html>Sign in</html>")).Call(t.Context(), "DELETE", "/x", nil, nil)
	require.ErrorContains(t, err, "the answer is a web page, not JSON")
}

func TestNilContextIsRefused(t *testing.T) {
	t.Parallel()
	a := &api{}
	err := a.client(t).Call(nil, "GET", "/x", nil, nil) //nolint:staticcheck // on purpose
	require.EqualError(t, err, "mid: ctx is nil; use context.Background()")
	require.Zero(t, a.tokenRequests())
}

// A Response that is used again reports the present call only, even one that
// nothing was sent for.
func TestResponseIsOfThisCall(t *testing.T) {
	a := &api{handle: answers(status(404, problem("not_found", "no", "")))}
	c := a.client(t)
	for name, call := range map[string]func(opt mid.RequestOption) error{
		"get": func(opt mid.RequestOption) error {
			_, err := c.Authentication.GetSession(t.Context(), "", opt)
			return err
		},
		"post": func(opt mid.RequestOption) error {
			_, err := c.Authentication.CreateSession(t.Context(), mid.CreateAuthSessionParams{}, opt)
			return err
		},
		"upload": func(opt mid.RequestOption) error {
			_, err := c.Signing.UploadDocument(t.Context(), mid.UploadSigningDocumentParams{}, opt)
			return err
		},
		"call": func(opt mid.RequestOption) error { return c.Call(t.Context(), "GET", "//elsewhere", nil, nil, opt) },
	} {
		var r mid.Response
		require.ErrorIs(t, look(t.Context(), c, mid.WithResponse(&r)), mid.ErrNotFound)
		require.Equal(t, 404, r.StatusCode)
		require.Error(t, call(mid.WithResponse(&r)))
		require.Equal(t, mid.Response{}, r, name)
	}
}
