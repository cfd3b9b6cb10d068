package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/mobid-io/mid-go"
)

// item is a thing on the page, most of them for someone to decide.
type item interface {
	// Key is unique among all items, and its element's id.
	Key() string
	// Open reports whether it waits for a decision.
	Open() bool
	// State changes whenever the item must be drawn anew.
	State() string
}

// subject is an item with a page of its own.
type subject interface {
	item
	Title() string
	// Reached is the status in the words of the API.
	Reached() string
}

type authItem struct {
	mid.AuthSession
	OwnPage bool // it is shown on a page of its own
}

func (i authItem) Key() string     { return i.ID }
func (i authItem) Open() bool      { return !i.Status.Final() }
func (i authItem) State() string   { return string(i.Status) }
func (i authItem) Reached() string { return string(i.Status) }

// Title is what the phone asks.
func (i authItem) Title() string {
	switch i.Intent {
	case mid.IntentLogin:
		return "Sign in"
	case mid.IntentPayment:
		return "Confirm a payment"
	case mid.IntentConsent:
		return "Give consent"
	}
	return string(i.Intent)
}

type verificationItem struct {
	mid.Verification
	OwnPage bool
}

func (i verificationItem) Key() string     { return i.ID }
func (i verificationItem) Open() bool      { return !i.Status.Final() }
func (i verificationItem) State() string   { return string(i.Status) }
func (i verificationItem) Reached() string { return string(i.Status) }

// Title is what is to be verified.
func (i verificationItem) Title() string {
	switch i.DocumentType {
	case mid.DocumentPassport:
		return "Passport, " + i.Country
	case mid.DocumentNationalID:
		return "National ID, " + i.Country
	case mid.DocumentDriversLicense:
		return "Driver’s license, " + i.Country
	}
	return string(i.DocumentType) + ", " + i.Country
}

// Percent is the confidence. It is empty until there is one.
func (i verificationItem) Percent() string {
	if i.Confidence == nil {
		return ""
	}
	return strconv.FormatFloat(*i.Confidence*100, 'f', -1, 64) + " %"
}

type signingItem struct {
	mid.SigningSession
	Documents []string // their names
	OwnPage   bool
}

func (i signingItem) Key() string     { return i.ID }
func (i signingItem) Open() bool      { return i.Status == mid.SigningPending }
func (i signingItem) Reached() string { return string(i.Status) }

func (i signingItem) State() string {
	var b strings.Builder
	b.WriteString(string(i.Status))
	for _, signer := range i.Signers {
		b.WriteString(" " + string(signer.Status))
	}
	return b.String()
}

// Title names the documents.
func (i signingItem) Title() string { return strings.Join(i.Documents, ", ") }

// Asked are the signers as the page shows them.
func (i signingItem) Asked() []signerItem {
	asked := make([]signerItem, len(i.Signers))
	for n, signer := range i.Signers {
		asked[n] = signerItem{Signer: signer, Session: i, OwnPage: i.OwnPage}
	}
	return asked
}

type signerItem struct {
	mid.Signer
	Session signingItem
	OwnPage bool
}

// Key is the last part of the signer's link.
func (i signerItem) Key() string { return i.SignURL[strings.LastIndexByte(i.SignURL, '/')+1:] }

func (i signerItem) Open() bool { return i.Session.Open() && i.Status == mid.SignerAwaiting }

func (i signerItem) State() string { return string(i.Session.Status) + " " + string(i.Status) }

// tone sorts statuses into those that look alike: waiting, good, bad and off.
func tone(status any) string {
	switch fmt.Sprint(status) {
	case string(mid.AuthApproved), string(mid.VerificationVerified), string(mid.SigningCompleted), string(mid.SignerSigned):
		return "good"
	case string(mid.AuthRejected), string(mid.SigningDeclined):
		return "bad"
	case string(mid.AuthExpired):
		return "off"
	}
	return "wait"
}

// label is a wire value for people to read.
func label(value any) string { return strings.ReplaceAll(fmt.Sprint(value), "_", " ") }
