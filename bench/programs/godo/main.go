// The smallest program that uses godo.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/digitalocean/godo"
)

func main() {
	p, _, err := godo.NewFromToken(os.Args[1]).Projects.Get(context.Background(), "default")
	if err != nil {
		panic(err)
	}
	fmt.Println(p.ID)
}
