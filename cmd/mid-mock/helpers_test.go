package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

// asProgram makes the test binary be mid-mock itself.
const asProgram = "MID_MOCK_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

// output is a terminal that can be read while it is written to.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// program is mid-mock as it runs.
type program struct {
	t              *testing.T
	stdout, stderr output
	url            string // of the page, without a slash at its end
	stop           context.CancelFunc
	exit           chan int
}

// start runs mid-mock on a free port until the test ends.
func start(t *testing.T, args ...string) *program {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	p := &program{t: t, stop: stop, exit: make(chan int, 1)}
	go func() { p.exit <- run(ctx, append([]string{"-addr", "127.0.0.1:0"}, args...), &p.stdout, &p.stderr) }()
	t.Cleanup(func() {
		stop()
		assert.Equal(t, 0, p.wait())
		assert.Contains(t, p.stdout.String(), "\nStopped.\n")
	})
	p.url = pageAddress(t, &p.stdout)
	return p
}

// pageAddress waits until the program tells it.
func pageAddress(t *testing.T, stdout *output) string {
	t.Helper()
	line := regexp.MustCompile(`(?m)^ +(http://\S+)/\n\nCtrl-C stops it\.$`)
	require.Eventually(t, func() bool { return line.MatchString(stdout.String()) }, 10*time.Second, time.Millisecond)
	return line.FindStringSubmatch(stdout.String())[1]
}

func (p *program) wait() int {
	p.t.Helper()
	select {
	case code := <-p.exit:
		p.exit <- code // for the next that asks
		return code
	case <-time.After(10 * time.Second):
		p.t.Fatal("mid-mock does not stop")
		return -1
	}
}

// client is what a program of the user has after pasting what mid-mock printed.
func (p *program) client() *mid.Client {
	p.t.Helper()
	exports := regexp.MustCompile(`(?m)^  export (\w+)=(.+)$`).FindAllStringSubmatch(p.stdout.String(), -1)
	require.Len(p.t, exports, 4)
	for _, e := range exports {
		p.t.Setenv(e[1], e[2])
	}
	client, err := mid.NewClientFromEnv()
	require.NoError(p.t, err)
	return client
}

// see opens a page as a browser does.
func (p *program) see(path string) string {
	p.t.Helper()
	res, err := http.Get(p.url + path)
	require.NoError(p.t, err)
	return p.read(res, http.StatusOK)
}

// press sends the form on a page whose action ends so, and returns the page
// that it leads to.
func (p *program) press(path, action string, fields ...string) string {
	p.t.Helper()
	page := p.see(path)
	form := regexp.MustCompile(`<form method="post" action="([^"]*` + action + `)">(<input type="hidden" name="from" value="page">)?`).FindStringSubmatch(page)
	require.NotNil(p.t, form, "no form to %s in %s", action, page)
	values := map[string][]string{}
	if form[2] != "" {
		values["from"] = []string{"page"}
	}
	for i := 0; i < len(fields); i += 2 {
		values[fields[i]] = []string{fields[i+1]}
	}
	res, err := http.PostForm(p.url+form[1], values)
	require.NoError(p.t, err)
	return p.read(res, http.StatusOK)
}

func (p *program) read(res *http.Response, status int) string {
	p.t.Helper()
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(p.t, err)
	require.Equal(p.t, status, res.StatusCode, "%s", body)
	return string(body)
}

func receive[T any](t *testing.T, events <-chan T) T {
	t.Helper()
	select {
	case e := <-events:
		return e
	case <-time.After(10 * time.Second):
		t.Fatal("no event came")
		panic("unreachable")
	}
}
func (p *program) session(c *mid.Client, params mid.CreateAuthSessionParams) *mid.AuthSession {
	p.t.Helper()
	params.Intent = mid.IntentPayment
	session, err := c.Authentication.CreateSession(p.t.Context(), params)
	require.NoError(p.t, err)
	return session
}

func (p *program) verification(c *mid.Client, metadata map[string]string) *mid.Verification {
	p.t.Helper()
	upload := func(kind mid.DocumentType) string {
		doc, err := c.Identity.UploadDocument(p.t.Context(), mid.UploadIdentityDocumentParams{
			File: mid.FileFromBytes("page.png", []byte("picture")),
			Type: kind,
		})
		require.NoError(p.t, err)
		return doc.ID
	}
	v, err := c.Identity.StartVerification(p.t.Context(), mid.StartVerificationParams{
		DocumentType:    mid.DocumentPassport,
		Country:         "DE",
		DocumentFrontID: upload(mid.DocumentPassport),
		SelfieID:        upload(mid.DocumentSelfie),
		Metadata:        metadata,
	})
	require.NoError(p.t, err)
	return v
}

func (p *program) signing(c *mid.Client, document string, signers ...mid.SignerParams) *mid.SigningSession {
	p.t.Helper()
	doc, err := c.Signing.UploadDocument(p.t.Context(), mid.UploadSigningDocumentParams{
		File: mid.FileFromBytes("lease.pdf", []byte("%PDF-1.7")),
		Name: document,
	})
	require.NoError(p.t, err)
	session, err := c.Signing.CreateSession(p.t.Context(), mid.CreateSigningSessionParams{
		DocumentIDs: []string{doc.ID},
		Signers:     signers,
	})
	require.NoError(p.t, err)
	return session
}

var ada, bob = mid.SignerParams{Name: "Ada", Email: "ada@example.com"}, mid.SignerParams{Name: "Bob", Email: "bob@example.com"}
