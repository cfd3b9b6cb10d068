package mid_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

// A secret manager writes the credentials to files and replaces them while the
// program runs. The function reads them for each token request, which is about once
// an hour. If one file is replaced before the other, the server refuses the pair,
// and both are read once more.
func ExampleWithCredentialsFunc() {
	server := midtest.NewServer()
	defer server.Close()
	folder := secretManager("client_id", server.ClientID, "client_secret", server.ClientSecret)
	defer func() { _ = os.RemoveAll(folder) }()

	read := func(name string) (string, error) {
		data, err := os.ReadFile(filepath.Join(folder, name))
		return strings.TrimSpace(string(data)), err
	}
	client, err := mid.NewClient("", "",
		mid.WithCredentialsFunc(func(context.Context) (clientID, clientSecret string, err error) {
			if clientID, err = read("client_id"); err != nil {
				return "", "", err
			}
			clientSecret, err = read("client_secret")
			return clientID, clientSecret, err
		}),
		mid.WithWebhooks(mid.WebhookConfig{Secrets: []string{"the account's webhook secret"}}),
		mid.WithBaseURL(server.URL),
	)
	if err != nil {
		log.Fatal(err)
	}
	session, err := client.Authentication.CreateSession(context.Background(), mid.CreateAuthSessionParams{Intent: mid.IntentLogin})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(session.Status)
	// Output: pending
}

// A certificate that is renewed as a file is read at each TLS handshake.
func ExampleWithClientCertificateFunc() {
	client, err := mid.NewClient("client_bluebird", "a secret from the vault",
		mid.WithClientCertificateFunc(func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			cert, err := tls.LoadX509KeyPair("/run/secrets/mid/tls.crt", "/run/secrets/mid/tls.key")
			return &cert, err
		}),
	)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(client)
	// Output: mid.Client{https://api.mobid.io/v1}
}

// secretManager writes files, given as names and contents, to a new folder.
func secretManager(files ...string) string {
	folder, err := os.MkdirTemp("", "secrets")
	if err != nil {
		log.Fatal(err)
	}
	for i := 0; i+1 < len(files); i += 2 {
		if err := os.WriteFile(filepath.Join(folder, files[i]), []byte(files[i+1]+"\n"), 0o600); err != nil {
			log.Fatal(err)
		}
	}
	return folder
}
