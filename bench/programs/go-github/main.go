// The smallest program that uses go-github.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/google/go-github/v92/github"
)

func main() {
	c, err := github.NewClient(github.WithAuthToken(os.Args[1]))
	if err != nil {
		panic(err)
	}
	r, _, err := c.Repositories.Get(context.Background(), "octocat", "Hello-World")
	if err != nil {
		panic(err)
	}
	fmt.Println(r.GetFullName())
}
