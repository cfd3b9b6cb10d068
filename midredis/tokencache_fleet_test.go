package midredis_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/mobid-io/mid-go/midredis"
)

// askForTokens is the main function of a process that asks for a token for each
// line of its input.
func askForTokens(r role, stdin *bufio.Reader) error {
	cache, err := midredis.NewTokenCache(r.client(), r.Account, clientSecret, midredis.WithTimeout(10*time.Second))
	if err != nil {
		return err
	}
	fetch := func(ctx context.Context) (*oauth2.Token, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.URL, http.NoBody)
		if err != nil {
			return nil, err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return nil, err
		}
		defer response.Body.Close()
		var token oauth2.Token
		if err := json.NewDecoder(response.Body).Decode(&token); err != nil {
			return nil, err
		}
		token.Expiry = time.Now().Add(time.Duration(token.ExpiresIn) * time.Second)
		return &token, nil
	}
	if err := say("ready"); err != nil {
		return err
	}
	for {
		if _, err := stdin.ReadString('\n'); err != nil {
			return nil //nolint:nilerr // the test is over
		}
		token, err := cache.Token(context.Background(), fetch)
		if err != nil {
			return err
		}
		if err := say(token.AccessToken); err != nil {
			return err
		}
	}
}

// Eight processes that start at once, and whose token expires for all at once,
// make one token request each time.
func TestFleetMakesOneTokenRequestPerLifetime(t *testing.T) {
	const processes, lifetimes = 8, 2
	const life = 4 * time.Second
	var requests atomic.Int32
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n := requests.Add(1)
		time.Sleep(100 * time.Millisecond) // for the others to arrive
		fmt.Fprintf(w, `{"access_token":"issued-%d","token_type":"Bearer","expires_in":%d}`, n, life/time.Second)
	}))
	defer issuer.Close()
	server, account := sharedRedis(t), newAccount()
	var fleet [processes]*process
	for i := range fleet {
		var said string
		fleet[i] = role{Name: "token", Redis: server.addr, Account: account, URL: issuer.URL}.start(t)
		fleet[i].read(t, &said)
	}
	for n := 1; n <= lifetimes; n++ {
		for _, p := range fleet {
			p.tell(t)
		}
		for _, p := range fleet {
			var token string
			p.read(t, &token)
			assert.Equal(t, "issued-"+strconv.Itoa(n), token)
		}
		require.EqualValues(t, n, requests.Load(), "token requests after %d lifetimes", n)
		time.Sleep(life + 100*time.Millisecond)
	}
}
