// The smallest program that verifies a webhook with standard-webhooks.
package main

import (
	"fmt"
	"net/http"
	"os"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

func main() {
	wh, err := standardwebhooks.NewWebhook(os.Args[1])
	if err != nil {
		panic(err)
	}
	fmt.Println(wh.Verify([]byte(os.Args[2]), http.Header{}))
}
