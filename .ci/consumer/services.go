package consumer

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/mobid-io/mid-go"
)

type progress = func(sent, total int64)

// Authentication.
var (
	_ create[*mid.AuthenticationService, mid.CreateAuthSessionParams, mid.AuthSession]             = (*mid.AuthenticationService).CreateSession
	_ get[*mid.AuthenticationService, mid.AuthSession]                                             = (*mid.AuthenticationService).GetSession
	_ create[*mid.AuthenticationService, mid.VerifyAuthenticationParams, mid.AuthenticationResult] = (*mid.AuthenticationService).Verify
	_ wait[*mid.AuthenticationService, mid.AuthSession]                                            = (*mid.AuthenticationService).WaitForSession
	_ watch[*mid.AuthenticationService, mid.AuthSession]                                           = (*mid.AuthenticationService).WatchSession

	_ = mid.CreateAuthSessionParams{
		Intent:      mid.Intent(""),
		Recipient:   string(""),
		CallbackURL: string(""),
		Metadata:    map[string]string(nil),
	}
	_ = mid.AuthSession{
		ID:          string(""),
		Status:      mid.AuthStatus(""),
		Intent:      mid.Intent(""),
		Recipient:   string(""),
		QRCode:      string(""),
		QRData:      string(""),
		UserID:      string(""),
		Method:      string(""),
		CreatedAt:   time.Time{},
		ExpiresAt:   time.Time{},
		CompletedAt: time.Time{},
		Metadata:    map[string]string(nil),
	}
	_ = mid.VerifyAuthenticationParams{SessionID: string(""), Expect: (*mid.AuthExpectation)(nil)}
	_ = mid.AuthExpectation{
		Intent:    mid.Intent(""),
		UserID:    string(""),
		Recipient: string(""),
		Metadata:  map[string]string(nil),
		MaxAge:    time.Duration(0),
	}
	_ = mid.AuthenticationResult{
		SessionID:  string(""),
		Verified:   bool(false),
		Status:     mid.AuthStatus(""),
		UserID:     string(""),
		Method:     string(""),
		VerifiedAt: time.Time{},
	}
	_ func(mid.AuthStatus) bool = mid.AuthStatus.Final
)

// The value sets, because switches of consumers depend on the values too. A map
// literal with the same key twice does not compile.
var (
	_ = map[mid.FieldNames]bool{mid.SnakeCase: true, mid.CamelCase: true}
	_ = map[mid.Intent]bool{mid.IntentLogin: true, mid.IntentPayment: true, mid.IntentConsent: true}
	_ = map[mid.AuthStatus]bool{
		mid.AuthPending: true, mid.AuthScanned: true, mid.AuthApproved: true, mid.AuthRejected: true, mid.AuthExpired: true,
	}
	_ = map[mid.VerificationStatus]bool{
		mid.VerificationProcessing: true, mid.VerificationVerified: true, mid.VerificationRejected: true, mid.VerificationExpired: true,
	}
	_ = map[mid.SigningStatus]bool{
		mid.SigningPending: true, mid.SigningCompleted: true, mid.SigningDeclined: true, mid.SigningExpired: true,
	}
	_ = map[mid.SignerStatus]bool{mid.SignerAwaiting: true, mid.SignerSigned: true, mid.SignerDeclined: true}
	_ = map[mid.DocumentType]bool{
		mid.DocumentPassport: true, mid.DocumentNationalID: true, mid.DocumentDriversLicense: true, mid.DocumentSelfie: true,
	}
	_ = map[mid.DocumentSide]bool{mid.SideFront: true, mid.SideBack: true}
)

// Identity.
var (
	_ create[*mid.IdentityService, mid.UploadIdentityDocumentParams, mid.IdentityDocument] = (*mid.IdentityService).UploadDocument
	_ create[*mid.IdentityService, mid.StartVerificationParams, mid.Verification]          = (*mid.IdentityService).StartVerification
	_ get[*mid.IdentityService, mid.Verification]                                          = (*mid.IdentityService).GetVerification
	_ wait[*mid.IdentityService, mid.Verification]                                         = (*mid.IdentityService).WaitForVerification
	_ watch[*mid.IdentityService, mid.Verification]                                        = (*mid.IdentityService).WatchVerification

	_ = mid.UploadIdentityDocumentParams{
		File:     mid.File{},
		Type:     mid.DocumentType(""),
		Side:     mid.DocumentSide(""),
		Country:  string(""),
		Progress: progress(nil),
	}
	_ = mid.IdentityDocument{
		ID:          string(""),
		Type:        mid.DocumentType(""),
		Side:        mid.DocumentSide(""),
		Country:     string(""),
		FileName:    string(""),
		ContentType: string(""),
		Size:        int64(0),
		SHA256:      string(""),
		CreatedAt:   time.Time{},
	}
	_ = mid.StartVerificationParams{
		DocumentType:    mid.DocumentType(""),
		Country:         string(""),
		DocumentFrontID: string(""),
		DocumentBackID:  string(""),
		SelfieID:        string(""),
		CallbackURL:     string(""),
		Metadata:        map[string]string(nil),
	}
	_ = mid.Verification{
		ID:              string(""),
		Status:          mid.VerificationStatus(""),
		DocumentType:    mid.DocumentType(""),
		Country:         string(""),
		EstimatedTime:   time.Duration(0),
		Confidence:      (*float64)(nil),
		Checks:          mid.VerificationChecks{},
		ExtractedData:   mid.ExtractedData{},
		RejectionReason: string(""),
		CreatedAt:       time.Time{},
		CompletedAt:     time.Time{},
		Metadata:        map[string]string(nil),
	}
	_ = [...]string{mid.CheckPending, mid.CheckPassed, mid.CheckFailed, mid.CheckCompleted}
	_ = mid.VerificationChecks{
		DocumentAuthenticity: string(""),
		FaceMatch:            string(""),
		LivenessDetection:    string(""),
		DataExtraction:       string(""),
	}
	_ = mid.ExtractedData{
		FirstName:      string(""),
		LastName:       string(""),
		DateOfBirth:    string(""),
		DocumentNumber: string(""),
		ExpiryDate:     string(""),
		Nationality:    string(""),
	}
	_ func(mid.VerificationStatus) bool = mid.VerificationStatus.Final
)

// Signing.
var (
	_ create[*mid.SigningService, mid.UploadSigningDocumentParams, mid.SigningDocument] = (*mid.SigningService).UploadDocument
	_ create[*mid.SigningService, mid.CreateSigningSessionParams, mid.SigningSession]   = (*mid.SigningService).CreateSession
	_ get[*mid.SigningService, mid.SigningSession]                                      = (*mid.SigningService).GetSession
	_ wait[*mid.SigningService, mid.SigningSession]                                     = (*mid.SigningService).WaitForSession
	_ watch[*mid.SigningService, mid.SigningSession]                                    = (*mid.SigningService).WatchSession

	_ = mid.UploadSigningDocumentParams{File: mid.File{}, Name: string(""), Progress: progress(nil)}
	_ = mid.SigningDocument{
		ID:          string(""),
		Name:        string(""),
		ContentType: string(""),
		Size:        int64(0),
		SHA256:      string(""),
		CreatedAt:   time.Time{},
	}
	_ = mid.CreateSigningSessionParams{
		DocumentIDs:      []string(nil),
		Signers:          []mid.SignerParams(nil),
		CallbackURL:      string(""),
		ExpiresIn:        time.Duration(0),
		RequireBiometric: (*bool)(nil),
		Metadata:         map[string]string(nil),
	}
	_ = mid.SignerParams{Name: string(""), Email: string("")}
	_ = mid.Signer{
		Name:              string(""),
		Email:             string(""),
		Status:            mid.SignerStatus(""),
		SignURL:           string(""),
		SignedAt:          time.Time{},
		IPAddress:         string(""),
		BiometricVerified: bool(false),
	}
	_ = mid.SigningSession{
		ID:               string(""),
		Status:           mid.SigningStatus(""),
		DocumentIDs:      []string(nil),
		Signers:          []mid.Signer(nil),
		RequireBiometric: bool(false),
		CreatedAt:        time.Time{},
		ExpiresAt:        time.Time{},
		CompletedAt:      time.Time{},
		Metadata:         map[string]string(nil),
	}
	_ func(mid.SigningStatus) bool = mid.SigningStatus.Final
)

// The methods that keep personal data out of logs, and those that read a
// resource that was stored as JSON.
var (
	_ = []slog.LogValuer{
		mid.CreateAuthSessionParams{}, mid.AuthSession{}, mid.VerifyAuthenticationParams{}, mid.AuthExpectation{},
		mid.AuthenticationResult{},
		mid.UploadIdentityDocumentParams{}, mid.IdentityDocument{}, mid.StartVerificationParams{}, mid.Verification{},
		mid.ExtractedData{},
		mid.UploadSigningDocumentParams{}, mid.SigningDocument{}, mid.CreateSigningSessionParams{}, mid.SignerParams{},
		mid.Signer{}, mid.SigningSession{},
		mid.Event{}, mid.WebhookConfig{}, mid.WebhookService{}, mid.Response{}, mid.APIError{},
	}
	_ = []fmt.Formatter{
		mid.CreateAuthSessionParams{}, mid.AuthSession{}, mid.VerifyAuthenticationParams{}, mid.AuthExpectation{},
		mid.AuthenticationResult{},
		mid.UploadIdentityDocumentParams{}, mid.IdentityDocument{}, mid.StartVerificationParams{}, mid.Verification{},
		mid.ExtractedData{},
		mid.UploadSigningDocumentParams{}, mid.SigningDocument{}, mid.CreateSigningSessionParams{}, mid.SignerParams{},
		mid.Signer{}, mid.SigningSession{},
		mid.Event{}, mid.WebhookConfig{}, mid.WebhookService{}, mid.Response{}, mid.APIError{},
	}
	_ = []json.Marshaler{mid.Verification{}, mid.CreateSigningSessionParams{}}
	_ = []json.Unmarshaler{(*mid.Verification)(nil)}
)
