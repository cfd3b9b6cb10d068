// Package mid is the Go SDK for MID, the Mobile Identity API: users sign in on
// their phone, identities are verified from documents and biometrics, and
// documents are signed.
//
// # Start
//
// A [Client] needs the client id and the client secret of a MID account. Make
// one and keep it: it is safe for concurrent use and needs no closing.
//
//	client, err := mid.NewClient(clientID, clientSecret)
//	if err != nil {
//		return err
//	}
//	session, err := client.Authentication.CreateSession(ctx, mid.CreateAuthSessionParams{
//		Intent: mid.IntentLogin,
//	})
//	if err != nil {
//		return err
//	}
//	fmt.Println(session.QRData)
//
// Parameters are plain structs. A field with its zero value is absent. Every
// method takes a [context.Context], and returns when that ends. [Client.Call]
// reaches endpoints that the SDK does not know yet.
//
// # Credentials
//
// [NewClientFromEnv] reads MID_CLIENT_ID and MID_CLIENT_SECRET from the
// environment, and MID_BASE_URL and MID_WEBHOOK_SECRET if they are set.
// [WithSandbox] uses MID's sandbox. Accounts that require mutual TLS give their
// certificate with [WithClientCertificate]. Credentials and certificates that
// rotate are asked for when they are needed, by [WithCredentialsFunc] and
// [WithClientCertificateFunc].
//
// Access tokens are fetched when the first request needs one, kept in memory,
// renewed ahead of their expiry in the background, and replaced when the server
// refuses one. [WithTokenCache] shares them between processes, and
// [WithTokenSource] gets them in another way, such as a [TokenSource] made by
// [OAuth2TokenSource].
//
// Secrets and certificates that rotate are asked for when they are needed, see
// [WithCredentialsFunc] and [WithClientCertificateFunc].
//
// The secret and the token go only to the base URL's host. Redirects are not
// followed, plain http is refused except on loopback, and without
// [WithHTTPClient] the SDK speaks TLS 1.3 only. No error, log line or fmt verb
// shows the secret or the token.
//
// # Signing users in
//
// Create a session, show its QR code to the user, and wait until the user has
// approved it on the phone. [AuthSession.QRCode] is a data URL for an img
// element; [AuthSession.QRData] is the text that the code holds.
//
//	session, err = client.Authentication.WaitForSession(ctx, session.ID, mid.PollOptions{})
//	if err != nil {
//		return err
//	}
//	result, err := client.Authentication.Verify(ctx, mid.VerifyAuthenticationParams{
//		SessionID: session.ID,
//		Expect:    &mid.AuthExpectation{Intent: mid.IntentLogin},
//	})
//	if err != nil {
//		return err
//	}
//	if !result.Verified { // rejected, or expired
//		return fmt.Errorf("not signed in: %s", result.Status)
//	}
//	fmt.Println("signed in:", result.UserID)
//
// # Who is it, really?
//
// What a browser, an app or a webhook says about a session is no proof. Sign a
// user in only on [AuthenticationResult].Verified.
//
// Verify proves that a session was approved. It does not prove that it is the
// right one: a session may have been approved as a payment, by another person, or
// for another browser. So follow three rules.
//
//   - Verify only the id of a session that the backend created for this very
//     browser or app. Keep it in the browser's own server-side session, and take
//     no id from the outside.
//   - Say with Expect which session it must be. A random number in Metadata, made
//     for this sign-in, refuses all others; Recipient refuses other phones.
//   - Use a session once, and remember that it was used.
//
// Verify returns [ErrUnexpectedSession] for a session that differs from Expect.
// The directory examples/mobile has a backend that follows them.
//
// # Verifying identities
//
// Upload the document and the selfie, start the verification with their ids,
// and wait for it.
//
//	photo, err := mid.FileFromPath("passport.jpg")
//	if err != nil {
//		return err
//	}
//	front, err := client.Identity.UploadDocument(ctx, mid.UploadIdentityDocumentParams{
//		File: photo,
//		Type: mid.DocumentPassport,
//		Side: mid.SideFront,
//	})
//	if err != nil {
//		return err
//	}
//	// The selfie goes the same way, as a DocumentSelfie without a Side.
//	verification, err := client.Identity.StartVerification(ctx, mid.StartVerificationParams{
//		DocumentType:    mid.DocumentPassport,
//		Country:         "DE",
//		DocumentFrontID: front.ID,
//		SelfieID:        selfie.ID,
//	})
//	if err != nil {
//		return err
//	}
//	verification, err = client.Identity.WaitForVerification(ctx, verification.ID, mid.PollOptions{})
//
// [ExtractedData] is personal data. It prints as a fixed text; its fields are
// plain strings.
//
// # Having documents signed
//
// Upload a PDF file, name the signers and give each of them the link to sign
// at, [Signer.SignURL]. Anyone who has the link can sign.
//
//	signing, err := client.Signing.CreateSession(ctx, mid.CreateSigningSessionParams{
//		DocumentIDs: []string{document.ID},
//		Signers:     []mid.SignerParams{{Name: "Ada Marsh", Email: "ada@example.com"}},
//		ExpiresIn:   48 * time.Hour,
//	})
//	if err != nil {
//		return err
//	}
//	for _, signer := range signing.Signers {
//		fmt.Println(signer.SignURL)
//	}
//
// # Waiting
//
// The Wait methods poll until the status is final and return what they saw; it
// may not be the status that you hope for. The Watch methods are iterators
// that yield the first state and then every change.
//
//	for session, err := range client.Signing.WatchSession(ctx, signing.ID, mid.PollOptions{}) {
//		if err != nil {
//			return err
//		}
//		fmt.Println(session.Status)
//	}
//
// Failures that may pass, such as 429, 5xx, a broken network and those of a
// token source, cache or limiter of your own, are waited out. Failures that
// can't pass, such as [ErrNotFound], end the wait at once. A session whose expiry
// has passed, by the server's clock, is looked at once more. The expiry counts
// once a look has succeeded, so give ctx a deadline.
//
// [PollOptions] set the pace. An event that arrives at the client's webhooks has
// the waits of its resource look at once; see [Notifier].
//
// # Webhooks
//
// MID reports the end of a session or a verification to its callback URL.
// [WebhookService.Handler] verifies the signature over the raw body, refuses
// events that are older than five minutes, and runs your handler for each event
// until it has succeeded once, however often MID delivers it. After an error or a
// panic of the handler, or when its process has died, MID delivers the event
// again.
//
//	http.Handle("POST /mid/events", client.Webhooks.Handler(mid.EventHandlers{
//		AuthenticationCompleted: func(ctx context.Context, e *mid.Event, session *mid.AuthSession) error {
//			return nil
//		},
//	}))
//
// A receiver that calls nothing needs no client, see [NewWebhookService]. Give
// two secrets in [WebhookConfig] while one replaces the other. Receivers that
// run as several processes share a [WebhookConfig.Store].
// [WebhookService.Handle] does all of that for receivers without net/http, such
// as a queue or a function in the cloud. [WebhookService.ParseRequest] and
// [WebhookService.Verify] are for frameworks with handlers of their own.
//
// # Errors
//
// An answer that is no success is an [*APIError]. Match it with [errors.Is] and
// the sentinels, or take it apart with [errors.AsType].
//
//	_, err := client.Authentication.GetSession(ctx, id)
//	if errors.Is(err, mid.ErrNotFound) {
//		return nil
//	}
//	if e, ok := errors.AsType[*mid.APIError](err); ok {
//		slog.Error("MID failed", "status", e.StatusCode, "code", e.Code, "request", e.RequestID)
//	}
//
// An invalid parameter is a [*ValidationError], before anything is sent. A
// refusal for the rate limit is a [*RateLimitError] that says how long to wait.
// When no answer came, the error is a [net.Error]. It wraps the network's, such as
// a *net.OpError, or the context's. [WithResponse] gets the status, the header, the request id and
// the raw data of any answer.
//
// # Retries and idempotency
//
// Connection errors, attempt timeouts and the statuses 429, 500, 502, 503 and
// 504 are retried, three times by default, with exponential backoff and full
// jitter, and never before the time that the server asked for. [WithRetry]
// changes that, [WithoutRetry] turns it off for a call, and
// [WithAttemptTimeout] says when an attempt that makes no progress is given up.
// Token requests have at most two retries of their own.
//
// Every POST carries an Idempotency-Key, the same on all its attempts, so that
// MID carries it out once. Give a key of your own with [WithIdempotencyKey] to
// repeat a call safely after your process was restarted.
//
// # Rate limits
//
// The client follows the rate limit headers of MID's answers: as many requests
// are sent as they allow, and the others wait for the next window, first come,
// first served. With [WithPlan] it paces itself ahead of the limit instead. A
// 429 pauses all callers of the client. A wait that can't end before the
// context does, or is longer than [RetryPolicy].MaxRetryAfter, fails at once.
// [Client.RateLimit] returns what may still be sent now. [WithLimiter] shares one
// limiter between processes.
//
// # Uploads
//
// A [File] is streamed: an upload of any size takes a constant amount of memory.
// [FileFromPath], [FileFromBytes], [FileFromFS] and a [FileFromReader] of
// something that can seek are read anew for every attempt. Any other reader is
// sent once and not retried after its first byte.
//
// # Testing
//
// Package [github.com/mobid-io/mid-go/midtest] is a fake MID server: it serves
// the whole API on a loopback port or, in a bubble of [testing/synctest],
// without a socket. A test plays the user.
//
//	func TestLogin(t *testing.T) {
//		server := midtest.NewServer()
//		defer server.Close()
//		client := server.Client()
//		session, err := client.Authentication.CreateSession(t.Context(), mid.CreateAuthSessionParams{Intent: mid.IntentLogin})
//		if err != nil {
//			t.Fatal(err)
//		}
//		if err := server.Approve(session.ID, "user_ada"); err != nil {
//			t.Fatal(err)
//		}
//	}
//
// # Observability
//
// Nothing is logged unless [WithLogger] is given. Then every wire send is one
// line with its method, path, attempt, duration, status and request id.
//
// In packages fmt and log/slog, sessions, documents and verifications show only
// their id and status, in slices, maps and pointers too. There is one exception:
// a [slog.JSONHandler] encodes a slice, a map or a struct that holds them as JSON,
// which shows everything. Log them one by one.
//
// [WithMiddleware] sees every wire send as it leaves, token requests included. It
// is the place for traces and metrics, with [OperationFrom] for their names. It
// sees the secrets too.
//
// # Compatibility
//
// The module follows semantic versioning. Fields, constants and methods may be
// added to structs and services in a minor version, so write composite literals
// with field names. The interfaces that applications implement ([TokenSource],
// [TokenCache], [Limiter], [EventStore], [EventClaim], [Notifier]) do not grow.
//
// Fields, statuses, event types and error codes that the SDK does not know
// never fail a decode. The status types are strings, so compare with the
// constants and keep a default case. The file docs/wire.md in the repository says
// which names of the wire are published by MID and which are inferred.
package mid

// Version is the SDK's version (semantic versioning 2.0.0). The User-Agent has it.
const Version = "1.0.0"

// The base URLs of MID's environments.
const (
	ProductionURL = "https://api.mobid.io/v1"
	SandboxURL    = "https://sandbox.api.mobid.io/v1"
)
