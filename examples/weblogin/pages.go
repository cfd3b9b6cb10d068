package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/mobid-io/mid-go"
)

//go:embed templates static
var files embed.FS

var (
	homePage    = page("home.html")
	signInPage  = page("signin.html")
	accountPage = page("account.html")
	problemPage = page("problem.html")
)

func page(name string) *template.Template {
	return template.Must(template.ParseFS(files, "templates/layout.html", "templates/icons.html", "templates/"+name))
}

// static serves the style sheet, the script and the icon. Browsers ask each
// time whether they have changed.
func static() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, err := files.ReadFile(strings.TrimPrefix(r.URL.Path, "/"))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		sum := sha256.Sum256(data)
		w.Header().Set("Cache-Control", "no-cache")
		w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:8])+`"`)
		http.ServeContent(w, r, r.URL.Path, time.Time{}, bytes.NewReader(data))
	})
}

// home shows who is signed in, or the button that begins.
func (a *app) home(w http.ResponseWriter, r *http.Request) {
	p, ok := a.sessions.check(a.cookie(r, sessionCookie))
	if !ok {
		a.render(w, r, http.StatusOK, homePage, nil)
		return
	}
	a.render(w, r, http.StatusOK, accountPage, p)
}

// startSignIn begins a flow for this browser, in place of one that it had. It
// is a POST: pages that are prefetched, and crawlers, create no sessions.
func (a *app) startSignIn(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 20*time.Second)
	defer cancel()
	cookie, err := a.flows.start(ctx)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	a.flows.drop(a.cookie(r, flowCookie))
	a.setCookie(w, r, flowCookie, cookie, maxLife+keep)
	http.Redirect(w, r, "/signin", http.StatusSeeOther)
}

// signIn shows the browser's flow and, once it is approved, signs it in. The
// page comes here again by script or, without scripts, by refreshing itself.
func (a *app) signIn(w http.ResponseWriter, r *http.Request) {
	cookie := a.cookie(r, flowCookie)
	if r.Method == http.MethodGet { // not HEAD
		if result, ok := a.flows.take(cookie); ok {
			a.admit(w, r, result)
			return
		}
	}
	f := a.flows.of(cookie)
	if f == nil {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	current, _ := f.look()
	remaining := int(f.remaining().Seconds())
	a.render(w, r, http.StatusOK, signInPage, map[string]any{
		"State":     current,
		"Refresh":   !current.final(),
		"QR":        f.qr,
		"Link":      f.link,
		"Life":      f.minutes(),
		"Seconds":   int(f.life.Seconds()),
		"Remaining": remaining,
		"Clock":     fmt.Sprintf("%d:%02d", remaining/60, remaining%60),
		"Phone":     a.phoneURL,
		"Session":   f.session,
	})
}

// admit signs the browser in as who approved. A product looks up its own user
// by result.UserID here.
func (a *app) admit(w http.ResponseWriter, r *http.Request, result *mid.AuthenticationResult) {
	value, err := a.sessions.issue(result)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	if former, ok := a.sessions.check(a.cookie(r, sessionCookie)); ok {
		a.sessions.end(former)
	}
	a.dropCookie(w, r, flowCookie)
	a.setCookie(w, r, sessionCookie, value, sessionLife)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (a *app) signOut(w http.ResponseWriter, r *http.Request) {
	if p, ok := a.sessions.check(a.cookie(r, sessionCookie)); ok {
		a.sessions.end(p)
	}
	a.flows.drop(a.cookie(r, flowCookie))
	a.dropCookie(w, r, flowCookie)
	a.dropCookie(w, r, sessionCookie)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// fail tells the user that it did not work, and the log why.
func (a *app) fail(w http.ResponseWriter, r *http.Request, err error) {
	a.log.ErrorContext(r.Context(), "can't serve a page", slog.String("path", r.URL.Path), slog.Any("error", err))
	wait := 10 * time.Second
	if limit, ok := errors.AsType[*mid.RateLimitError](err); ok {
		wait = max(wait, limit.RetryAfter)
	}
	w.Header().Set("Retry-After", strconv.Itoa(int(wait.Seconds())))
	a.render(w, r, http.StatusServiceUnavailable, problemPage, nil)
}

// render sends a page as a whole or, if it can't be made, an error as a whole.
func (a *app) render(w http.ResponseWriter, r *http.Request, status int, page *template.Template, data any) {
	var b bytes.Buffer
	if err := page.ExecuteTemplate(&b, "layout", data); err != nil {
		a.log.ErrorContext(r.Context(), "can't render a page", slog.String("path", r.URL.Path), slog.Any("error", err))
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if _, err := b.WriteTo(w); err != nil {
		a.log.DebugContext(r.Context(), "a browser went away", slog.Any("error", err))
	}
}
