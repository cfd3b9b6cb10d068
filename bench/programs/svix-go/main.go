// The smallest program that verifies a webhook with svix-webhooks.
package main

import (
	"fmt"
	"net/http"
	"os"

	svix "github.com/svix/svix-webhooks/go"
)

func main() {
	wh, err := svix.NewWebhook(os.Args[1])
	if err != nil {
		panic(err)
	}
	fmt.Println(wh.Verify([]byte(os.Args[2]), http.Header{}))
}
