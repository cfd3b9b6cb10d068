package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mobid-io/mid-go"
)

// signedEvent is an event as MID sends it.
type signedEvent struct {
	id        string
	kind      mid.EventType
	data      string
	body      []byte
	signature string
}

// honestEvent has the ids evt_NAME and, of its subject, sub_NAME.
func honestEvent(name string, n int) signedEvent {
	kinds := []mid.EventType{mid.EventAuthenticationCompleted, mid.EventVerificationCompleted, mid.EventSigningCompleted}
	statuses := []string{"approved", "verified", "completed"}
	return signedEvent{
		id:   "evt_" + name,
		kind: kinds[n%3],
		data: fmt.Sprintf(`{"id":"sub_%s","status":%q,"metadata":{"order":"7"}}`, name, statuses[n%3]),
	}
}

// signed is the event as a delivery of that time.
func (e signedEvent) signed(by *mid.WebhookService, at time.Time) signedEvent {
	e.body = fmt.Appendf(nil, `{"id":%q,"type":%q,"timestamp":%d,"data":%s}`, e.id, e.kind, at.UnixMilli(), e.data)
	e.signature = by.Sign(e.body)
	return e
}

func (e signedEvent) delivery() delivery {
	return delivery{signatures: []string{e.signature}, body: bytes.NewReader(e.body)}
}

// delivery is a request that says it is MID's.
type delivery struct {
	method     string // empty: POST
	signatures []string
	body       io.Reader
}

// outcome is the status of an answer, or why there is none.
type outcome struct {
	status int
	text   string
}

func (o outcome) String() string {
	if o.status != 0 {
		return strconv.Itoa(o.status)
	}
	return o.text
}

func (c *abuser) deliver(ctx context.Context, d delivery) outcome {
	if d.method == "" {
		d.method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(ctx, d.method, "http://"+c.addr+"/hook", d.body)
	if err != nil {
		return outcome{text: err.Error()}
	}
	req.Header[mid.SignatureHeader] = d.signatures
	req.Header.Set("Content-Type", "application/json")
	res, err := c.http.Do(req)
	if err != nil {
		return outcome{text: "connection closed"}
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body) // so that the connection is used again
	return outcome{status: res.StatusCode}
}

// attack is a kind of hostile delivery.
type attack struct {
	name   string
	status []int // that may answer it; a connection that closes always may
	seldom int   // one in so many that would be made is
	make   func(*abuser) delivery
	raw    string // sent as it is, in place of what make makes
	slow   bool
}

func (a attack) expects(status int) bool { return status == 0 || slices.Contains(a.status, status) }

// fresh is an event that MID never sent.
func (c *abuser) fresh() signedEvent {
	return honestEvent(fmt.Sprintf("forged-%d", c.choose.Uint64()), c.choose.IntN(3))
}

// withSignature is a forged event with a signature that depends on the right one.
func withSignature(change func(c *abuser, right string) []string) func(*abuser) delivery {
	return func(c *abuser) delivery {
		e := c.fresh().signed(c.sign, time.Now())
		d := e.delivery()
		d.signatures = change(c, e.signature)
		return d
	}
}

// aged is an event that was once signed, or is not to be yet.
func aged(by time.Duration) func(*abuser) delivery {
	return func(c *abuser) delivery { return c.fresh().signed(c.sign, time.Now().Add(by)).delivery() }
}

// signedBody is a body that is signed and no event, or one without good data.
func signedBody(text string) func(*abuser) delivery {
	return func(c *abuser) delivery {
		now := strconv.FormatInt(time.Now().UnixMilli(), 10)
		body := []byte(strings.NewReplacer("NOW", now, "NEW", strconv.FormatUint(c.choose.Uint64(), 10), "DEEP", strings.Repeat("[", 20_000)).Replace(text))
		return signedEvent{body: body, signature: c.sign.Sign(body)}.delivery()
	}
}

func randomSum(c *abuser) string {
	sum := make([]byte, 32)
	for i := range sum {
		sum[i] = byte(c.choose.Uint32())
	}
	return hex.EncodeToString(sum)
}

const megabyte = 1 << 20

// rawHead is the beginning of a delivery whose signature could be one.
const rawHead = "POST /hook HTTP/1.1\r\nHost: a\r\nX-Webhook-Signature: " +
	"0000000000000000000000000000000000000000000000000000000000000000\r\n"

var attacks = []attack{
	{name: "random signature", status: []int{401}, make: withSignature(func(c *abuser, _ string) []string { return []string{randomSum(c)} })},
	{name: "another secret", status: []int{401}, make: func(c *abuser) delivery { return c.fresh().signed(c.forge, time.Now()).delivery() }},
	{name: "signature of another event", status: []int{401}, make: func(c *abuser) delivery {
		d := c.fresh().signed(c.sign, time.Now()).delivery()
		d.signatures = []string{c.captured().signature}
		return d
	}},
	{name: "changed body", status: []int{401}, make: func(c *abuser) delivery {
		e := c.captured()
		e.body = bytes.Replace(e.body, []byte("sub_"), []byte("sub-"), 1)
		return e.delivery()
	}},
	{name: "replay", status: []int{204}, make: func(c *abuser) delivery { return c.captured().delivery() }},
	{name: "stale", status: []int{401}, make: aged(-6 * time.Minute)},
	{name: "from the future", status: []int{401}, make: aged(6 * time.Minute)},
	{name: "no signature", status: []int{401}, make: withSignature(func(*abuser, string) []string { return nil })},
	{name: "empty signature", status: []int{401}, make: withSignature(func(*abuser, string) []string { return []string{""} })},
	{name: "signature cut", status: []int{401}, make: withSignature(func(_ *abuser, right string) []string { return []string{right[:63]} })},
	{name: "signature with a prefix", status: []int{401}, make: withSignature(func(_ *abuser, right string) []string { return []string{"sha256=" + right} })},
	{name: "signature in base64", status: []int{401}, make: withSignature(func(_ *abuser, right string) []string {
		sum, _ := hex.DecodeString(right)
		return []string{base64.StdEncoding.EncodeToString(sum)}
	})},
	{name: "two signatures in one header", status: []int{401}, make: withSignature(func(c *abuser, right string) []string { return []string{randomSum(c) + "," + right} })},
	{name: "two headers, the first one forged", status: []int{401}, make: withSignature(func(c *abuser, right string) []string { return []string{randomSum(c), right} })},
	{name: "huge header", status: []int{401, 431}, seldom: 5, make: withSignature(func(*abuser, string) []string { return []string{strings.Repeat("a", 2*megabyte)} })},
	{name: "huge body", status: []int{413}, seldom: 10, make: func(c *abuser) delivery {
		return delivery{signatures: []string{randomSum(c)}, body: bytes.NewReader(make([]byte, 4*megabyte))}
	}},
	{name: "huge body without a length", status: []int{413}, seldom: 10, make: func(c *abuser) delivery {
		return delivery{signatures: []string{randomSum(c)}, body: readerOnly{bytes.NewReader(make([]byte, 4*megabyte))}}
	}},
	{name: "body of the largest size", status: []int{401}, seldom: 10, make: func(c *abuser) delivery {
		return delivery{signatures: []string{randomSum(c)}, body: bytes.NewReader(make([]byte, megabyte))}
	}},
	{name: "empty body", status: []int{401}, make: func(c *abuser) delivery {
		return delivery{signatures: []string{randomSum(c)}, body: http.NoBody}
	}},
	{name: "GET", status: []int{405}, make: func(c *abuser) delivery {
		d := c.fresh().signed(c.sign, time.Now()).delivery()
		d.method = http.MethodGet
		return d
	}},
	{name: "signed, no JSON", status: []int{400}, make: signedBody(`<event/>`)},
	{name: "signed, null", status: []int{401}, make: signedBody(`null`)},
	{name: "signed, deep", status: []int{400}, make: signedBody(`{"id":"evt_NEW","type":"authentication.completed","timestamp":NOW,"data":DEEP`)},
	{name: "signed, no id", status: []int{400}, make: signedBody(`{"type":"authentication.completed","timestamp":NOW,"data":{"id":"sess_1"}}`)},
	{name: "signed, no time", status: []int{401}, make: signedBody(`{"id":"evt_NEW","type":"authentication.completed","data":{"id":"sess_1"}}`)},
	{name: "signed, no data", status: []int{500}, make: signedBody(`{"id":"evt_NEW","type":"authentication.completed","timestamp":NOW,"data":null}`)},
	{name: "signed, data of the wrong type", status: []int{500}, make: signedBody(`{"id":"evt_NEW","type":"authentication.completed","timestamp":NOW,"data":[7]}`)},
	{name: "slow", seldom: 40, slow: true},
	{name: "no HTTP", status: []int{400}, raw: "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"},
	{name: "space before the colon", status: []int{400}, raw: "POST /hook HTTP/1.1\r\nHost: a\r\nX-Webhook-Signature : 00\r\nContent-Length: 2\r\n\r\n{}"},
	{name: "two lengths", status: []int{400}, raw: "POST /hook HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"},
	{name: "body longer than announced", status: []int{401}, raw: rawHead + "Content-Length: 2\r\n\r\n{}{}{}"},
	{name: "broken chunks", status: []int{400}, raw: rawHead + "Transfer-Encoding: chunked\r\n\r\nZZ\r\n{}\r\n0\r\n\r\n"},
	{name: "cut off", status: []int{400}, raw: rawHead + "Content-Length: 100\r\n\r\n{"},
}

// captured is an honest delivery that was acknowledged; if all were lost, it is
// none.
func (c *abuser) captured() signedEvent {
	if len(c.acknowledged) == 0 {
		return signedEvent{}
	}
	return c.acknowledged[c.choose.IntN(len(c.acknowledged))]
}

// sendRaw sends a text, and then nothing more.
func sendRaw(ctx context.Context, addr, text string) outcome {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return outcome{text: "not connected"}
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Minute)) // it fails on a closed connection only
	if _, err = io.WriteString(conn, text); err == nil {
		err = conn.(*net.TCPConn).CloseWrite()
	}
	if err != nil {
		return outcome{text: "connection closed"}
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return outcome{text: "connection closed"}
	}
	res.Body.Close()
	return outcome{status: res.StatusCode}
}

// sendSlowly sends a body for two seconds, and leaves before its end.
func sendSlowly(ctx context.Context, addr string) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return
	}
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "POST /hook HTTP/1.1\r\nHost: a\r\n%s: %064d\r\nContent-Length: 1000000\r\n\r\n", mid.SignatureHeader, 7)
	for range 40 {
		if err != nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
		_, err = io.WriteString(conn, strings.Repeat("a", 100))
	}
}
