// One call with go-retryablehttp.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/hashicorp/go-retryablehttp"
)

func main() {
	req, err := retryablehttp.NewRequest("GET", os.Args[1], nil)
	if err != nil {
		panic(err)
	}
	req.Header.Set("Authorization", "Bearer "+os.Args[2])
	resp, err := retryablehttp.NewClient().Do(req)
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
