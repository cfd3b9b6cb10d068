// Package web pins the exported API of package midweb, for sites that mount it.
package web

import (
	"html/template"
	"log/slog"
	"net/http"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midweb"
)

var (
	_ func(*mid.Client, midweb.Config) (*midweb.SignIn, error) = midweb.New
	_ http.Handler                                             = (*midweb.SignIn)(nil)
	_ func(*midweb.SignIn)                                     = (*midweb.SignIn).Close

	_ = midweb.Config{
		Keys:        [][]byte(nil),
		SignedIn:    (func(http.ResponseWriter, *http.Request, *mid.AuthenticationResult))(nil),
		Origin:      string(""),
		CallbackURL: string(""),
		Intent:      mid.Intent(""),
		Person:      (func(*http.Request) (midweb.Person, error))(nil),
		Next:        string(""),
		Name:        string(""),
		Templates:   (*template.Template)(nil),
		Texts:       map[string]map[string]string(nil),
		Store:       mid.EventStore(nil),
		Brake:       midweb.Brake{PerAddress: int(0), Share: float64(0), TrustedProxies: int(0)},
		Poll:        mid.PollOptions{},
		Logger:      (*slog.Logger)(nil),
	}
	_ = midweb.Person{Recipient: string(""), Metadata: map[string]string(nil)}
	_ = midweb.Page{
		State: string(""), Name: string(""), Language: string(""), Text: map[string]string(nil), Next: string(""),
		QR: template.URL(""), Link: template.URL(""), Number: string(""),
		Life: int(0), Remaining: int(0), Clock: string(""), Of: string(""), Renew: bool(false), Retry: int(0),
	}
	_ func(midweb.Page) string = midweb.Page.Dir
	_ func(midweb.Page) string = midweb.Page.Title
	_ func(midweb.Page) bool   = midweb.Page.Open
	_ string                   = midweb.MetadataNumber
)
