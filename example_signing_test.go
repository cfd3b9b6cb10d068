package mid_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

// uploadLease uploads a document for the examples below.
func uploadLease(client *mid.Client) *mid.SigningDocument {
	document, err := client.Signing.UploadDocument(context.Background(), mid.UploadSigningDocumentParams{
		File: mid.FileFromBytes("lease.pdf", []byte("%PDF-1.4")),
	})
	if err != nil {
		log.Fatal(err)
	}
	return document
}

// askTwoToSign creates a session for the examples below.
func askTwoToSign(client *mid.Client) *mid.SigningSession {
	session, err := client.Signing.CreateSession(context.Background(), mid.CreateSigningSessionParams{
		DocumentIDs: []string{uploadLease(client).ID},
		Signers: []mid.SignerParams{
			{Name: "Isolde Wren", Email: "isolde@example.com"},
			{Name: "Theo Quill", Email: "theo@example.org"},
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	return session
}

func ExampleSigningService_UploadDocument() {
	server := midtest.NewServer()
	defer server.Close()
	client := server.Client()

	document, err := client.Signing.UploadDocument(context.Background(), mid.UploadSigningDocumentParams{
		File: mid.FileFromBytes("lease.pdf", []byte("%PDF-1.4")), // or FileFromPath
		Name: "Lease of the houseboat",
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(document.Name, document.ContentType, document.Size)
	// Output: Lease of the houseboat application/pdf 8
}

func ExampleSigningService_CreateSession() {
	server := midtest.NewServer()
	defer server.Close()
	client := server.Client()

	document := uploadLease(client)
	session, err := client.Signing.CreateSession(context.Background(), mid.CreateSigningSessionParams{
		DocumentIDs: []string{document.ID},
		Signers: []mid.SignerParams{
			{Name: "Isolde Wren", Email: "isolde@example.com"},
			{Name: "Theo Quill", Email: "theo@example.org"},
		},
		ExpiresIn:        48 * time.Hour,
		RequireBiometric: new(false),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(session.Status, session.ExpiresAt.Sub(session.CreatedAt))
	for _, signer := range session.Signers {
		// Send signer.SignURL to the signer, and to no one else.
		fmt.Println(signer.Name, signer.Status, signer.SignURL != "")
	}
	// Output:
	// pending 48h0m0s
	// Isolde Wren awaiting_signature true
	// Theo Quill awaiting_signature true
}

func ExampleSigningService_GetSession() {
	server := midtest.NewServer()
	defer server.Close()
	client := server.Client()

	id := askTwoToSign(client).ID
	if err := server.Sign(id, "isolde@example.com"); err != nil { // the signer
		log.Fatal(err)
	}
	session, err := client.Signing.GetSession(context.Background(), id)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(session.Status)
	for _, signer := range session.Signers {
		fmt.Println(signer.Name, signer.Status, !signer.SignedAt.IsZero())
	}
	// Output:
	// pending
	// Isolde Wren signed true
	// Theo Quill awaiting_signature false
}

// People take their time to sign. A wait needs a bound, and a webhook is better
// than a wait of days.
func ExampleSigningService_WaitForSession() {
	server := midtest.NewServer()
	defer server.Close()
	client := server.Client()

	id := askTwoToSign(client).ID
	if err := server.Decline(id, "theo@example.org"); err != nil { // the signer
		log.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute)
	defer cancel()
	session, err := client.Signing.WaitForSession(ctx, id, mid.PollOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(session.Status)
	// Output: declined
}

func ExampleSigningService_WatchSession() {
	server := midtest.NewServer()
	defer server.Close()
	client := server.Client()

	id := askTwoToSign(client).ID
	poll := mid.PollOptions{MinInterval: time.Millisecond}
	for session, err := range client.Signing.WatchSession(context.Background(), id, poll) {
		if err != nil {
			log.Fatal(err)
		}
		next := "" // who signs next
		signed := 0
		for _, signer := range session.Signers {
			if signer.Status == mid.SignerSigned {
				signed++
			} else if next == "" {
				next = signer.Email
			}
		}
		fmt.Printf("%s, %d of %d\n", session.Status, signed, len(session.Signers))
		if next != "" {
			if err := server.Sign(id, next); err != nil { // the signer
				log.Fatal(err)
			}
		}
	}
	// Output:
	// pending, 0 of 2
	// pending, 1 of 2
	// completed, 2 of 2
}
