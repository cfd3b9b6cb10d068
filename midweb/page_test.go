package midweb

import (
	"html/template"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

func TestTemplatesAreReplacedOneByOne(t *testing.T) {
	inWorld(t, func(c *Config) {
		c.Templates = template.Must(template.New("").Parse(`{{define "head"}}<link rel="stylesheet" href="/site.css">{{end}}
			{{define "footer"}}<footer>{{.Name}}, since 1898</footer>{{end}}`))
	}, func(t *testing.T, w *world) {
		v := w.visitor()
		p := v.get("")
		assert.Contains(t, p.body, `<link rel="stylesheet" href="/site.css">`)
		assert.Contains(t, p.body, "<footer>Alder &amp; Finch, since 1898</footer>")
		assert.Equal(t, atStart, p.state())
		v.start()
		assert.Contains(t, v.get("").body, "since 1898")
	})
}

func TestLanguages(t *testing.T) {
	inWorld(t, func(c *Config) {
		c.Texts = map[string]map[string]string{"ar": {"dir": "rtl", "heading": "سجّل الدخول بهاتفك"}}
	}, func(t *testing.T, w *world) {
		v := w.visitor()
		assert.Contains(t, v.get("").body, `<html lang="en" dir="ltr">`)
		v.header.Set("Accept-Language", "de-CH")
		v.start()
		p := v.get("")
		assert.Contains(t, p.body, `<html lang="de" dir="ltr">`)
		assert.Contains(t, p.body, "Hat Ihnen jemand diesen Code")
		v.header.Set("Accept-Language", "ar")
		p = v.get("")
		assert.Contains(t, p.body, `<html lang="ar" dir="rtl">`)
		assert.Contains(t, p.body, "سجّل الدخول بهاتفك")
	})
}

// Anyone who has a code put before them reads what it may do.
func TestWarningIsOnThePage(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		v := w.visitor()
		session := v.start()
		assert.Contains(t, v.get("").body, "Did someone send you this code")
		require.NoError(t, w.Scan(session))
		time.Sleep(5 * time.Second)
		p := v.get("")
		assert.Equal(t, scanned, p.state())
		assert.Contains(t, p.body, "Did someone send you this code")
	})
}

func TestCodeOf(t *testing.T) {
	good := mid.AuthSession{QRCode: "data:image/png;base64,iVBORw0KGgo=", QRData: "mid://auth?session=sess_1"}
	c, err := codeOf(&good)
	require.NoError(t, err)
	assert.EqualValues(t, good.QRCode, c.QR)
	assert.EqualValues(t, good.QRData, c.Link)
	for _, bad := range []string{"", "data:text/html,<script>", "javascript:alert(1)", "https://evil.example/a.png"} {
		s := good
		s.QRCode = bad
		c, err := codeOf(&s)
		require.NoError(t, err)
		assert.Empty(t, c.QR, bad)
	}
	for _, bad := range []string{"", "javascript:alert(1)", "data:text/html,<script>", "\x00mid://"} {
		s := good
		s.QRData = bad
		c, err := codeOf(&s)
		require.NoError(t, err)
		assert.Empty(t, c.Link, bad)
		s.QRCode = ""
		_, err = codeOf(&s)
		assert.ErrorIs(t, err, errNoCode)
	}
}
