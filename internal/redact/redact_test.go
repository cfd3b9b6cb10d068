package redact

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Secrets that read differently in JSON, HTML and URLs.
var odd = []string{
	`wJalr/XUtn+FEMI="K7M<DENG>&bPx`, `back\slash\\twice"quoted`, `100%25 percent`, `&amp;&lt; already`, "s p a c e s+plus",
	"'single' `tick`", `tëst-ünïcode-пароль`, "tab\tand\nline", `\\\\\\\\\\\\\\\\"""""""x`, `%%%%%%%%`,
}

// echoes are the forms in which an echo could spell a text.
func echoes(text string) map[string]string {
	plain := new(bytes.Buffer)
	encoder := json.NewEncoder(plain)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text)
	inJSON, _ := json.Marshal(text)
	twice, _ := json.Marshal(string(inJSON))
	all := map[string]string{
		"as it is":          text,
		"JSON":              strings.Trim(plain.String(), "\"\n"),
		"JSON for HTML":     strings.Trim(string(inJSON), `"`),
		"JSON, upper case":  strings.NewReplacer(`\u003c`, `\u003C`, `\u003e`, `\u003E`).Replace(strings.Trim(string(inJSON), `"`)),
		"JSON with slashes": strings.ReplaceAll(strings.Trim(string(inJSON), `"`), "/", `\/`),
		"JSON in JSON":      string(twice[3 : len(twice)-3]),
		"form":              url.QueryEscape(text),
		"path":              url.PathEscape(text),
		"lower-case path":   strings.ToLower(url.PathEscape(text)),
		"HTML":              html.EscapeString(text),
		"HTML, names":       strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;").Replace(text),
		"HTML, hexadecimal": strings.NewReplacer("&", "&#x26;", "<", "&#X3C;", ">", "&#x3e;", `"`, "&#x0022;", "/", "&#x2F;").Replace(text),
		"Go":                strings.Trim(fmt.Sprintf("%q", text), `"`),
		"UTF-16":            strings.Join(strings.Split(text, ""), "\x00"),
		"parted":            text[:5] + "\u200b" + text[5:],
	}
	if strings.ToLower(text) != text {
		delete(all, "lower-case path")
	}
	return all
}

func TestSecretsAreTakenOutInEverySpelling(t *testing.T) {
	for _, secret := range odd {
		for name, echo := range echoes(secret) {
			got := Texts("You sent: "+echo+".", []string{secret}, nil)
			require.Equal(t, "You sent: [REDACTED].", got, "%s of %s: %s", name, secret, echo)
		}
	}
}

func TestPersonalValuesAreTakenOutInEverySpellingAndCase(t *testing.T) {
	for _, value := range []string{"ada@example.com", "Ada Marsh", "+14155550123", "Élodie Núñez", "O'Neil", "passport of Ada.jpg"} {
		for name, echo := range echoes(value) {
			got := Texts("For "+echo+": no.", nil, []string{value})
			require.Equal(t, "For [REDACTED]: no.", got, "%s of %s: %s", name, value, echo)
		}
		require.Equal(t, "For [REDACTED]: no.", Texts("For "+strings.ToUpper(value)+": no.", nil, []string{value}))
	}
}

func TestTheLongestIsTakenOut(t *testing.T) {
	for _, secrets := range [][]string{{"abcdefgh", "abcdefgh-ijkl"}, {"abcdefgh-ijkl", "abcdefgh"}} {
		require.Equal(t, "[REDACTED] [REDACTED]", Texts("abcdefgh-ijkl abcdefgh", secrets, nil))
	}
}

func TestWordsAreKept(t *testing.T) {
	text := "the client secret is invalid: invalid_client, id idempotency_conflict, e 0 Edward"
	for secret, want := range map[string]string{
		"client": strings.Replace(text, "client ", Mark+" ", 1),
		"e":      strings.Replace(text, " e ", " "+Mark+" ", 1),
		"id":     strings.Replace(text, " id ", " "+Mark+" ", 1),
		"not":    text,
		"":       text,
	} {
		require.Equal(t, want, Texts(text, []string{secret}, nil), secret)
	}
	require.Equal(t, text, Texts(text, nil, []string{"Ed", "e", ""}), "a name as a part of a word, and a single letter")
	require.Equal(t, "no "+Mark+"s", Texts("no hunter22s", []string{"hunter22"}, nil), "a secret of some length, wherever it stands")
}

func TestLongTextsTakeLittleTime(t *testing.T) {
	long := strings.Repeat("Lorem ipsum dolor sit amet; ", 2500) // 70 kB
	allocations := testing.AllocsPerRun(10, func() { _ = Texts(long, []string{odd[0], strings.Repeat("t", 900)}, nil) })
	require.LessOrEqual(t, allocations, 1., "a text without a secret costs a look")
	hard := strings.Repeat(`\`, 5000) + strings.Repeat(`%`, 5000)
	require.Equal(t, hard, Texts(hard, []string{strings.Repeat(`\`, 60) + "x", strings.Repeat(`%`, 60) + "x"}, nil))
}

func FuzzTexts(f *testing.F) {
	f.Add("x", `wJalr/XUtn+FEMI="K7M<DENG>&bPx`, "y")
	f.Add("&", "&amp;&amp;&amp;", ";")
	f.Fuzz(func(t *testing.T, before, secret, after string) {
		if len(secret) < shortSecret || strings.ContainsFunc(secret, isInvisible) || strings.Contains(Mark, secret) {
			return
		}
		require.NotContains(t, Texts(before+secret+after, []string{secret}, nil), secret)
	})
}
