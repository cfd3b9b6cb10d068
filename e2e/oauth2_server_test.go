package e2e_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-oauth2/oauth2/v4/manage"
	"github.com/go-oauth2/oauth2/v4/models"
	"github.com/go-oauth2/oauth2/v4/server"
	"github.com/go-oauth2/oauth2/v4/store"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/mobid-io/mid-go/midtest"
)

// oauthGateway is a gateway before a fake server that takes only tokens of a
// token server of its own, which speaks RFC 6749 with forms.
type oauthGateway struct {
	http    *httptest.Server
	manager *manage.Manager
	config  clientcredentials.Config
	tokens  atomic.Int32 // token requests
	refused atomic.Int32 // requests without a good token
}

func newOAuthGateway(t *testing.T, srv *midtest.Server, lifetime time.Duration) *oauthGateway {
	t.Helper()
	clients := store.NewClientStore()
	require.NoError(t, clients.Set("shop", &models.Client{ID: "shop", Secret: "shop-secret"}))
	g := &oauthGateway{manager: manage.NewDefaultManager()}
	g.manager.MustTokenStorage(store.NewMemoryTokenStore())
	g.manager.MapClientStorage(clients)
	g.manager.SetClientTokenCfg(&manage.Config{AccessTokenExp: lifetime})
	oauth := server.NewDefaultServer(g.manager)

	mux := http.NewServeMux()
	mux.HandleFunc("/oauth/token", func(w http.ResponseWriter, r *http.Request) {
		g.tokens.Add(1)
		_ = oauth.HandleTokenRequest(w, r) // it answers its errors itself
	})
	mux.Handle("/v1/", g.guard(oauth, g.forward(t, srv)))
	g.http = httptest.NewServer(mux)
	t.Cleanup(g.http.Close)
	g.config = clientcredentials.Config{
		ClientID:     "shop",
		ClientSecret: "shop-secret",
		TokenURL:     g.http.URL + "/oauth/token",
		AuthStyle:    oauth2.AuthStyleInHeader, // else the first request is a guess
	}
	return g
}

// guard lets pass what has a good token.
func (g *oauthGateway) guard(oauth *server.Server, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := oauth.ValidationBearerToken(r); err != nil {
			g.refused.Add(1)
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"error":{"code":"unauthorized","message":"the gateway does not know this token"}}`))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// forward puts a token of the fake server in the place of the gateway's.
func (g *oauthGateway) forward(t *testing.T, srv *midtest.Server) http.Handler {
	t.Helper()
	target, err := url.Parse("http://" + hostOf(srv))
	require.NoError(t, err)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	inside, err := straightToken{srv}.Token(bounded(t))
	require.NoError(t, err)
	return &httputil.ReverseProxy{
		Transport: transport,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Header.Set("Authorization", "Bearer "+inside.AccessToken)
		},
	}
}
