package midweb

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"strconv"
	"time"
)

//go:embed templates static
var files embed.FS

// Page is what the templates get. To replace a template, give one of the same name
// in [Config].Templates. The cards of the page are start, flow, busy and problem.
// Around them are header, footer and head, which is empty and ends the head
// element; layout is the whole page. The default templates are in the folder
// templates of this package. The script needs the ids and data attributes of flow.
type Page struct {
	State    string            // start, waiting, scanned, approved, rejected, expired, failed, busy or problem
	Name     string            // [Config].Name
	Language string            // such as en, in lower case
	Text     map[string]string // of the language, by key

	// Next is the path where the person goes on, if it is not [Config].Next.
	Next string

	// QR and Link are the code as an image and as a link to the app. Either may be
	// empty. Number is to be compared with the phone's. It may be empty.
	QR, Link template.URL
	Number   string
	// Life is how long a code is valid, and Remaining how long this one still is,
	// in seconds. Clock is Remaining in minutes and seconds.
	Life, Remaining int
	Clock           string
	// Of names the sign-in that the page's stream is about. Renew reports whether
	// the page may get a new code by itself.
	Of    string
	Renew bool

	// Retry is after how many seconds a busy page tries again.
	Retry int
}

// Dir returns the direction of the language, ltr or rtl.
func (p Page) Dir() string {
	if p.Text["dir"] == "rtl" {
		return "rtl"
	}
	return "ltr"
}

// Title returns the page's title, which says its state.
func (p Page) Title() string {
	if title := p.Text[p.State+"_title"]; title != "" {
		return title
	}
	return p.Text["waiting_title"]
}

// Open reports whether something may still happen to a flow.
func (p Page) Open() bool { return !state(p.State).final() || state(p.State) == approved }

// show fills in what is known of a flow.
func (p *Page) show(s state, f flow, c code) {
	remaining := int(f.remaining(time.Now()).Seconds())
	p.State = string(s)
	p.QR, p.Link, p.Number = c.QR, c.Link, c.Number
	p.Life, p.Remaining = int(f.life().Seconds()), remaining
	p.Clock = fmt.Sprintf("%d:%02d", remaining/60, remaining%60)
	p.Of, p.Renew, p.Next = f.tag(), f.Renewals > 0, f.Next
}

// pages renders the pages.
type pages struct {
	set       *template.Template
	name      string
	languages languages
	assets    map[string]asset
}

type asset struct {
	data []byte
	etag string
}

func newPages(name string, own *template.Template, texts map[string]map[string]string) (*pages, error) {
	set, err := template.ParseFS(files, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("midweb: %w", err)
	}
	if own != nil {
		for _, t := range own.Templates() {
			if t.Tree == nil {
				continue
			}
			if _, err := set.AddParseTree(t.Name(), t.Tree.Copy()); err != nil {
				return nil, fmt.Errorf("midweb: template %s: %w", t.Name(), err)
			}
		}
	}
	languages, err := newLanguages(texts)
	if err != nil {
		return nil, err
	}
	p := &pages{set: set, name: name, languages: languages, assets: make(map[string]asset)}
	for _, s := range []state{atStart, waiting, scanned, approved, rejected, expired, failed, busy, problem} {
		sample := Page{State: string(s), Name: name, Language: english, Text: languages[english], Number: "42"}
		if err := set.ExecuteTemplate(io.Discard, "layout", sample); err != nil {
			return nil, fmt.Errorf("midweb: %w", err)
		}
	}
	for _, name := range []string{"midweb.css", "midweb.js"} {
		data, err := files.ReadFile("static/" + name)
		if err != nil {
			return nil, fmt.Errorf("midweb: %w", err)
		}
		sum := sha256.Sum256(data)
		p.assets[name] = asset{data, `"` + hex.EncodeToString(sum[:8]) + `"`}
	}
	return p, nil
}

// page begins a page in the language that the browser asks for.
func (p *pages) page(r *http.Request, s state) Page {
	language := p.languages.choose(r.Header.Get("Accept-Language"))
	return Page{State: string(s), Name: p.name, Language: language, Text: p.languages[language]}
}

// render sends a page as a whole or, if it can't be made, an error as a whole.
func (p *pages) render(w http.ResponseWriter, r *http.Request, status int, page Page) error {
	var b bytes.Buffer
	if err := p.set.ExecuteTemplate(&b, "layout", page); err != nil {
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return fmt.Errorf("midweb: %w", err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = b.WriteTo(w) // a browser that went away needs no page
	}
	return nil
}

// static serves the style sheet or the script. Browsers ask each time whether
// it has changed.
func (p *pages) static(w http.ResponseWriter, r *http.Request, name string) {
	file := p.assets[name]
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("ETag", file.etag)
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(file.data))
}

// protect sets the headers that keep a page to itself: nothing from elsewhere
// runs in it, and it runs nowhere else.
func protect(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "+
		"font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "+
		"require-trusted-types-for 'script'; trusted-types 'none'")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
	// Not no-referrer: with it browsers send the page's own form with
	// "Origin: null", which looks like another site's.
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cache-Control", "no-store")
}
