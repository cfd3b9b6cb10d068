// The smallest program that uses stripe-go.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/stripe/stripe-go/v86"
)

func main() {
	c, err := stripe.NewClient(os.Args[1]).V1Customers.Retrieve(context.Background(), "cus_1", nil)
	if err != nil {
		panic(err)
	}
	fmt.Println(c.ID)
}
