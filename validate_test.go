package mid_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

// refused is a change that makes good parameters wrong.
type refused[P any] struct {
	change func(p *P)
	field  string
	reason string
}

const private = "PRIVATE"

// requireRefused sends good parameters, and none of the wrong ones.
func requireRefused[P any](t *testing.T, good func() P, send func(c *mid.Client, p P) error, cases []refused[P]) {
	t.Helper()
	a := &api{handle: answers(status(200, ok(`{"id":"x","session_id":"x","status":"pending"}`)))}
	c := a.client(t)
	require.NoError(t, send(c, good()))
	require.Len(t, a.sent(), 1)
	for _, tt := range cases {
		p := good()
		tt.change(&p)
		v := requireInvalid(t, send(c, p))
		require.Equal(t, tt.field, v.Field)
		require.Equal(t, tt.reason, v.Reason, tt.field)
		require.NotContains(t, v.Error(), private, "the value")
	}
	require.Len(t, a.sent(), 1, "nothing that can't be right is sent")
}

const (
	wantPhone   = "must be a plus sign and 2 to 15 digits, the first not zero, like +14155550123"
	wantURL     = "must be an absolute http or https URL"
	wantCountry = "must be two upper-case letters, like DE"
	wantEmail   = "must be a plain e-mail address, like ada@example.com"
	wantHours   = "must be a whole number of hours, at least one, like 48*time.Hour"
)

func TestCreateAuthSessionParamsAreChecked(t *testing.T) {
	t.Parallel()
	type P = mid.CreateAuthSessionParams
	cases := []refused[P]{
		{func(p *P) { p.Intent = "" }, "Intent", "is empty"},
		{func(p *P) { p.Intent = " " }, "Intent", "is empty"},
	}
	for _, number := range []string{private, "14155550123", "+0415", "+1", "+", "+1234567890123456", "+1 415", "+1-415", "+٣٤٥٦", "00141555"} {
		cases = append(cases, refused[P]{func(p *P) { p.Recipient = number }, "Recipient", wantPhone})
	}
	for _, u := range []string{private, "/hook", "//example.com/hook", "ftp://example.com", "https://", "https:///hook", "https://:443/", "https:example.com", "javascript:alert(1)", "https://exa mple.com", "\x00",
		"https://example.com/a b", "https://example.com/?a= b", "https://example.com:99999/", "https://example.com:0/"} {
		cases = append(cases, refused[P]{func(p *P) { p.CallbackURL = u }, "CallbackURL", wantURL})
	}
	requireRefused(t,
		func() P {
			return P{Intent: "an intent of next year", Recipient: "+14155550123", CallbackURL: "https://shop.example:65535/hooks%20?a=b"}
		},
		func(c *mid.Client, p P) error {
			_, err := c.Authentication.CreateSession(t.Context(), p)
			return err
		}, cases)
}

func TestShortestAndLongestNumbersAreSent(t *testing.T) {
	t.Parallel()
	c := once(t, status(200, ok(`{"id":"x","session_id":"x","status":"pending"}`)))
	for _, number := range []string{"", "+12", "+" + strings.Repeat("9", 15)} {
		_, err := c.Authentication.CreateSession(t.Context(), mid.CreateAuthSessionParams{Intent: mid.IntentLogin, Recipient: number})
		require.NoError(t, err, number)
	}
}

// Which codes are assigned changes, and is the server's to know.
func TestCountriesOfTheRightFormAreSent(t *testing.T) {
	t.Parallel()
	c := once(t, status(200, ok(`{"id":"ver_1","status":"processing"}`)))
	for _, code := range []string{"DE", "XK", "EU", "ZZ"} {
		_, err := c.Identity.StartVerification(t.Context(), mid.StartVerificationParams{
			DocumentType: mid.DocumentPassport, Country: code, DocumentFrontID: "doc_1", SelfieID: "doc_2",
		})
		require.NoError(t, err, code)
	}
}

func TestVerifyAuthenticationParamsAreChecked(t *testing.T) {
	t.Parallel()
	type P = mid.VerifyAuthenticationParams
	requireRefused(t,
		func() P { return P{SessionID: "sess_1"} },
		func(c *mid.Client, p P) error {
			_, err := c.Authentication.Verify(t.Context(), p)
			return err
		},
		[]refused[P]{
			{func(p *P) { p.SessionID = "" }, "SessionID", "is empty"},
			{func(p *P) { p.SessionID = "\t" }, "SessionID", "is empty"},
		})
}

func TestUploadIdentityDocumentParamsAreChecked(t *testing.T) {
	t.Parallel()
	type P = mid.UploadIdentityDocumentParams
	requireRefused(t,
		func() P {
			return P{File: mid.FileFromBytes("front.png", []byte("x")), Type: mid.DocumentPassport, Side: mid.SideFront, Country: "GB"}
		},
		func(c *mid.Client, p P) error {
			_, err := c.Identity.UploadDocument(t.Context(), p)
			return err
		},
		[]refused[P]{
			{func(p *P) { p.Type = "" }, "Type", "is empty"},
			{func(p *P) { p.Country = private }, "Country", wantCountry},
			{func(p *P) { p.Country = "gb" }, "Country", wantCountry},
			{func(p *P) { p.Country = "GBR" }, "Country", wantCountry},
			{func(p *P) { p.Country = "É" }, "Country", wantCountry},
		})
	v := requireInvalid(t, uploadIdentity(t, mid.File{Name: private + ".png"}))
	require.True(t, strings.HasPrefix(v.Field, "File"), v.Field)
	require.NotContains(t, v.Error(), private)
}

func uploadIdentity(t *testing.T, f mid.File) error {
	t.Helper()
	_, err := once(t, status(500, "")).Identity.UploadDocument(t.Context(), mid.UploadIdentityDocumentParams{File: f, Type: mid.DocumentPassport})
	return err
}

func TestStartVerificationParamsAreChecked(t *testing.T) {
	t.Parallel()
	type P = mid.StartVerificationParams
	requireRefused(t,
		func() P {
			return P{DocumentType: mid.DocumentPassport, Country: "GB", DocumentFrontID: "doc_1", SelfieID: "doc_2"}
		},
		func(c *mid.Client, p P) error {
			_, err := c.Identity.StartVerification(t.Context(), p)
			return err
		},
		[]refused[P]{
			{func(p *P) { p.DocumentType = "" }, "DocumentType", "is empty"},
			{func(p *P) { p.Country = "" }, "Country", "is empty"},
			{func(p *P) { p.Country = private }, "Country", wantCountry},
			{func(p *P) { p.DocumentFrontID = "" }, "DocumentFrontID", "is empty"},
			{func(p *P) { p.SelfieID = " " }, "SelfieID", "is empty"},
			{func(p *P) { p.CallbackURL = private }, "CallbackURL", wantURL},
		})
}

func TestUploadSigningDocumentParamsAreChecked(t *testing.T) {
	t.Parallel()
	type P = mid.UploadSigningDocumentParams
	good := func() P { return P{File: mid.FileFromBytes("contract.pdf", []byte("%PDF-1.7"))} }
	c := once(t, status(200, ok(`{"id":"x","session_id":"x","status":"pending"}`)))
	_, err := c.Signing.UploadDocument(t.Context(), good())
	require.NoError(t, err)
	for _, change := range []func(*P){
		func(p *P) { p.File = mid.File{} },
		func(p *P) { p.File.Open = nil },
		func(p *P) { p.File.Size = -1 },
	} {
		p := good()
		change(&p)
		_, err := c.Signing.UploadDocument(t.Context(), p)
		v := requireInvalid(t, err)
		require.True(t, strings.HasPrefix(v.Field, "File"), v.Field)
	}
}

func TestCreateSigningSessionParamsAreChecked(t *testing.T) {
	t.Parallel()
	type P = mid.CreateSigningSessionParams
	cases := []refused[P]{
		{func(p *P) { p.DocumentIDs = nil }, "DocumentIDs", "is empty; give the id of at least one uploaded document"},
		{func(p *P) { p.DocumentIDs[1] = "" }, "DocumentIDs[1]", "is empty"},
		{func(p *P) { p.Signers = nil }, "Signers", "is empty; name at least one signer"},
		{func(p *P) { p.Signers[1].Name = "" }, "Signers[1].Name", "is empty"},
		{func(p *P) { p.Signers[1].Email = "" }, "Signers[1].Email", "is empty"},
		{func(p *P) { p.ExpiresIn = -time.Hour }, "ExpiresIn", wantHours},
		{func(p *P) { p.ExpiresIn = 90 * time.Minute }, "ExpiresIn", wantHours},
		{func(p *P) { p.ExpiresIn = 48 }, "ExpiresIn", wantHours},
		{func(p *P) { p.CallbackURL = private }, "CallbackURL", wantURL},
	}
	for _, address := range []string{private, "ada", "@example.com", "Ada <ada@example.com>", "ada@example.com ", "ada@example.com, b@example.com", "ada@exa mple.com", "ada@example.com\r\nBcc: b@example.com"} {
		cases = append(cases, refused[P]{func(p *P) { p.Signers[0].Email = address }, "Signers[0].Email", wantEmail})
	}
	requireRefused(t,
		func() P {
			return P{
				DocumentIDs: []string{"doc_1", "doc_2"},
				Signers:     []mid.SignerParams{{Name: "Ada Marsh", Email: "ada@example.com"}, {Name: "Ben", Email: "ben+sign@example.org"}},
				ExpiresIn:   48 * time.Hour,
			}
		},
		func(c *mid.Client, p P) error {
			_, err := c.Signing.CreateSession(t.Context(), p)
			return err
		}, cases)
}
