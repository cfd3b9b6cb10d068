// One call with the usual parts put together by hand.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/hashicorp/go-retryablehttp"
	"golang.org/x/oauth2"
	"golang.org/x/time/rate"
)

func main() {
	rc := retryablehttp.NewClient()
	src := oauth2.ReuseTokenSource(nil, oauth2.StaticTokenSource(&oauth2.Token{AccessToken: os.Args[2]}))
	rc.HTTPClient.Transport = &oauth2.Transport{Source: src, Base: rc.HTTPClient.Transport}
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
