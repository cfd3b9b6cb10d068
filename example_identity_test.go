package mid_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"strings"
	"testing/fstest"
	"time"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

// uploadImage uploads an image for the examples below.
func uploadImage(client *mid.Client, name string, typ mid.DocumentType) *mid.IdentityDocument {
	document, err := client.Identity.UploadDocument(context.Background(), mid.UploadIdentityDocumentParams{
		File: mid.FileFromBytes(name, []byte("\x89PNG\r\n\x1a\n")),
		Type: typ,
	})
	if err != nil {
		log.Fatal(err)
	}
	return document
}

// startVerification starts a verification for the examples below.
func startVerification(client *mid.Client) *mid.Verification {
	verification, err := client.Identity.StartVerification(context.Background(), mid.StartVerificationParams{
		DocumentType:    mid.DocumentPassport,
		Country:         "DE",
		DocumentFrontID: uploadImage(client, "passport.png", mid.DocumentPassport).ID,
		SelfieID:        uploadImage(client, "selfie.png", mid.DocumentSelfie).ID,
	})
	if err != nil {
		log.Fatal(err)
	}
	return verification
}

func ExampleIdentityService_UploadDocument() {
	server := midtest.NewServer()
	defer server.Close()
	client := server.Client()

	var sent int64
	document, err := client.Identity.UploadDocument(context.Background(), mid.UploadIdentityDocumentParams{
		File:     mid.FileFromBytes("passport.png", make([]byte, 100_000)),
		Type:     mid.DocumentPassport,
		Side:     mid.SideFront,
		Country:  "DE",
		Progress: func(n, _ int64) { sent = n }, // a progress bar, say
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(document.Type, document.Side, document.FileName, document.ContentType)
	fmt.Println(sent == document.Size)
	// Output:
	// passport front passport.png image/png
	// true
}

func ExampleIdentityService_StartVerification() {
	server := midtest.NewServer()
	defer server.Close()
	client := server.Client()

	front := uploadImage(client, "passport.png", mid.DocumentPassport)
	selfie := uploadImage(client, "selfie.png", mid.DocumentSelfie)
	verification, err := client.Identity.StartVerification(context.Background(), mid.StartVerificationParams{
		DocumentType:    mid.DocumentPassport,
		Country:         "DE",
		DocumentFrontID: front.ID,
		SelfieID:        selfie.ID,
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(verification.Status, verification.EstimatedTime)
	// Output: processing 30s
}

func ExampleIdentityService_GetVerification() {
	server := midtest.NewServer()
	defer server.Close()
	client := server.Client()

	id := startVerification(client).ID
	verification, err := client.Identity.GetVerification(context.Background(), id)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(verification.Status, verification.Checks.FaceMatch)
	fmt.Println("confidence known:", verification.Confidence != nil)
	// Output:
	// processing pending
	// confidence known: false
}

// What the document says is personal data, so it prints as a fixed text. The
// program reads its fields.
func ExampleIdentityService_WaitForVerification() {
	server := midtest.NewServer()
	defer server.Close()
	client := server.Client()

	id := startVerification(client).ID
	err := server.CompleteVerification(id, midtest.Outcome{ // the verifier
		ExtractedData: mid.ExtractedData{FirstName: "Isolde", LastName: "Wren"},
	})
	if err != nil {
		log.Fatal(err)
	}

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	verification, err := client.Identity.WaitForVerification(ctx, id, mid.PollOptions{})
	if err != nil {
		log.Fatal(err)
	}
	if verification.Status == mid.VerificationVerified {
		fmt.Println("confidence:", *verification.Confidence)
	} else {
		fmt.Println(verification.Status, verification.RejectionReason)
	}
	fmt.Println(verification.ExtractedData)
	fmt.Println(verification.ExtractedData.LastName == "Wren")
	// Output:
	// confidence: 0.98
	// mid.ExtractedData{[REDACTED]}
	// true
}

func ExampleIdentityService_WatchVerification() {
	server := midtest.NewServer()
	defer server.Close()
	client := server.Client()

	id := startVerification(client).ID
	poll := mid.PollOptions{MinInterval: time.Millisecond}
	for verification, err := range client.Identity.WatchVerification(context.Background(), id, poll) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(verification.Status)
		if verification.Status == mid.VerificationProcessing {
			err := server.CompleteVerification(id, midtest.Outcome{Status: mid.VerificationRejected}) // the verifier
			if err != nil {
				log.Fatal(err)
			}
		} else {
			fmt.Println(verification.RejectionReason)
		}
	}
	// Output:
	// processing
	// rejected
	// The face in the selfie does not match the document.
}

// A file that can be opened again is sent again after an attempt that failed.
func ExampleFileFromPath() {
	dir, err := os.MkdirTemp("", "mid-example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "passport.jpg")
	if err := os.WriteFile(path, []byte("an image"), 0o600); err != nil {
		log.Fatal(err)
	}

	file, err := mid.FileFromPath(path)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(file.Name, file.Size)
	// Output: passport.jpg 8
}

// A reader that can't seek, such as a request's body, is sent once. Its upload
// is not retried after the first byte.
func ExampleFileFromReader() {
	body := io.MultiReader(strings.NewReader("an "), strings.NewReader("image"))
	fmt.Println("stream:", mid.FileFromReader("selfie.jpg", body).Size)

	fmt.Println("reader that seeks:", mid.FileFromReader("selfie.jpg", bytes.NewReader([]byte("an image"))).Size)
	// Output:
	// stream: 0
	// reader that seeks: 8
}

// An embed.FS, with files that are built into the program, works the same way.
func ExampleFileFromFS() {
	files := fstest.MapFS{"images/selfie.jpg": {Data: []byte("an image")}}

	file, err := mid.FileFromFS(files, "images/selfie.jpg")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(file.Name, file.Size)
	// Output: selfie.jpg 8
}

// FileFromBytes is for data that is in memory anyway.
func ExampleFileFromBytes() {
	file := mid.FileFromBytes("selfie.jpg", []byte("an image"))
	fmt.Println(file.Name, file.Size)
	// Output: selfie.jpg 8
}
