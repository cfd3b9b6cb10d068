// The smallest program that uses openai-go.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
)

func main() {
	c := openai.NewClient(option.WithAPIKey(os.Args[1]))
	m, err := c.Models.Get(context.Background(), "gpt-4o-mini")
	if err != nil {
		panic(err)
	}
	fmt.Println(m.ID)
}
