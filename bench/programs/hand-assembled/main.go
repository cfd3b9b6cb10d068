// One call with the usual parts put together by hand: what the fair floor is made of.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/hashicorp/go-retryablehttp"
	"golang.org/x/oauth2"
	"golang.org/x/time/rate"
)

// logged writes a line for each request.
type logged struct{ next http.RoundTripper }

func (l logged) RoundTrip(req *http.Request) (*http.Response, error) {
	start := time.Now()
	resp, err := l.next.RoundTrip(req)
	if err != nil {
		slog.Warn("request", "method", req.Method, "path", req.URL.Path, "duration", time.Since(start), "error", err)
		return nil, err
	}
	slog.Info("request", "method", req.Method, "path", req.URL.Path, "duration", time.Since(start), "status", resp.StatusCode)
	return resp, nil
}

func main() {
	rc := retryablehttp.NewClient()
	rc.HTTPClient.Timeout = time.Minute
	src := oauth2.ReuseTokenSource(nil, oauth2.StaticTokenSource(&oauth2.Token{AccessToken: os.Args[2]}))
	rc.HTTPClient.Transport = logged{&oauth2.Transport{Source: src, Base: rc.HTTPClient.Transport}}
	if err := rate.NewLimiter(rate.Inf, 1).Wait(context.Background()); err != nil {
		panic(err)
	}
	resp, err := rc.StandardClient().Get(os.Args[1])
	if err != nil {
		panic(err)
	}
	defer resp.Body.Close()
	var v struct {
		ID string `json:"id"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&v); err != nil {
		panic(err)
	}
	fmt.Println(v.ID)
}
