package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

// demo plays the app and the phone. It is for a first look: delete this file in
// a copy.
func demo(ctx context.Context) error {
	fake := midtest.NewServer()
	defer fake.Close()
	backend := httptest.NewServer(newLogins(fake.Client(), signIn))
	defer backend.Close()

	begun, err := send(ctx, backend.URL+"/login", nil)
	if err != nil {
		return err
	}
	fmt.Println("The app opens the link:   ", begun["link"])
	for _, session := range fake.AuthSessions() {
		if session.Status == mid.AuthPending {
			fmt.Println("The user approves on the phone.")
			if err := fake.Approve(session.ID, "user_ada"); err != nil {
				return err
			}
		}
	}
	for _, what := range []string{"The app finishes:         ", "Someone sends it again:   "} {
		finished, err := send(ctx, backend.URL+"/login/finish", map[string]string{"attempt": begun["attempt"]})
		if err != nil {
			return err
		}
		fmt.Println(what, finished["status"])
	}
	return nil
}

func send(ctx context.Context, url string, in map[string]string) (map[string]string, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	var out map[string]string
	return out, json.NewDecoder(resp.Body).Decode(&out)
}
