// The smallest program that uses the SDK.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/mobid-io/mid-go"
)

func main() {
	client, err := mid.NewClient(os.Args[1], os.Args[2])
	if err != nil {
		panic(err)
	}
	session, err := client.Authentication.GetSession(context.Background(), os.Args[3])
	if err != nil {
		panic(err)
	}
	fmt.Println(session.ID)
}
