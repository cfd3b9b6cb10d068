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
// method that sends something takes a [context.Context] and returns when it ends.
// [Client.Call] reaches endpoints that the SDK does not know yet.
//
// # Credentials
//
// [NewClientFromEnv] reads MID_CLIENT_ID and MID_CLIENT_SECRET from the
// environment, and MID_BASE_URL and MID_WEBHOOK_SECRET if they are set.
// [WithSandbox] uses MID's sandbox. [WithClientCertificate] is for accounts that
// require mutual TLS. If credentials or certificates rotate, give a function that
// returns the current ones: [WithCredentialsFunc], [WithClientCertificateFunc].
//
// The client fetches an access token when the first request needs one, and keeps
// it in memory. It renews the token in the background before it expires, and
// replaces it when the server refuses it. [WithTokenCache] shares the token
// between processes. [WithTokenSource] gets tokens in another way, such as from
// a source of package oauth2, see [OAuth2TokenSource].
//
// The secret and the token go only to the base URL's host. Redirects are not
// followed, and plain http is refused except on loopback. Unless [WithHTTPClient]
// has a Transport, the SDK speaks TLS 1.3 only. No error, log line or fmt verb
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
//
// Package [github.com/mobid-io/mid-go/midweb] follows these rules. It is a sign-in
// page to mount into a site with one handler. For an app, the directory
// examples/mobile has a backend that follows them.
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
// The Wait methods poll until the status is final, and return the last state that
// they saw. Check its Status, because a rejection is final too. The Watch methods
// are iterators that yield the first state and then every change.
//
//	for session, err := range client.Signing.WatchSession(ctx, signing.ID, mid.PollOptions{}) {
//		if err != nil {
//			return err
//		}
//		fmt.Println(session.Status)
//	}
//
// Failures that may pass are waited out: a 429, a 5xx, a broken network, or a
// failure of your own token source, token cache or limiter. Other failures, such
// as [ErrNotFound], end the wait at once. When a session has expired by the
// server's clock, the wait looks once more and ends. It learns the expiry from the
// first look that succeeds, so give ctx a deadline for the case that no look does.
//
// [PollOptions] set the pace. An event that arrives at the client's webhooks wakes
// the waits of its resource at once; see [Notifier].
//
// # Webhooks
//
// MID sends an event to the callback URL of a session or a verification when it
// ends. [WebhookService.Handler] verifies the signature over the raw body, and
// refuses events that are more than five minutes off. It runs your handler until
// it has succeeded once for the event, however often MID delivers it. If the
// handler returns an error or panics, or its process dies, MID delivers the event
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
// run as several processes share a [WebhookConfig.Store], such as that of the
// module midsql in their own database.
//
// [WebhookService.Handle] does the same for receivers without net/http, such as
// a queue or a function in the cloud. [WebhookService.ParseRequest] and
// [WebhookService.Verify] are for receivers that do the rest themselves.
//
// # Errors
//
// An answer that is not a success is an [*APIError]. Match it with [errors.Is] and
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
// An invalid parameter is a [*ValidationError], and nothing is sent. A request
// that the rate limit refuses is a [*RateLimitError], which says how long to wait.
// If no answer came, the error is a [net.Error] that wraps the network's, such as
// a [*net.OpError], or the context's. [WithResponse] gets the status, the header, the request id and
// the raw data of any answer.
//
// # Retries and idempotency
//
// Connection errors, attempt timeouts and the statuses 408, 425, 429, 500, 502,
// 503 and 504 are retried, three times by default. The backoff is exponential with
// full jitter, and no retry is sent before the time that the server asked for.
// [WithRetry] changes the policy, and [WithoutRetry] turns retries off for a call.
// [WithAttemptTimeout] says when an attempt that makes no progress is given up.
// Token requests have at most two retries of their own.
//
// Every POST carries an Idempotency-Key, the same on all its attempts, so that
// MID carries it out once. Give a key of your own with [WithIdempotencyKey] to
// repeat a call safely after your process was restarted.
//
// # Rate limits
//
// The client follows the rate limit headers of MID's answers. It sends as many
// requests as they allow, and the others wait for the next window, first come,
// first served. With [WithPlan] it also paces itself ahead of the limit. A 429
// pauses all callers of the client. A call fails at once if its wait would outlive
// the context, or would be longer than [RetryPolicy].MaxRetryAfter.
// [Client.RateLimit] returns what may still be sent now. [WithLimiter] shares one
// limiter between processes.
//
// Processes on one account can share the quota, the token, the events and the
// wake-ups of waits: the module [github.com/mobid-io/mid-go/midredis] does it
// through Redis, and [github.com/mobid-io/mid-go/midsql] keeps the events in a SQL
// database.
//
// # Uploads
//
// A [File] is streamed: an upload of any size takes a constant amount of memory.
// Files made by [FileFromPath], [FileFromBytes] and [FileFromFS] are read anew for
// every attempt, and so is a [FileFromReader] whose reader can seek. Any other
// reader is sent once, and not retried after its first byte.
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
// The package also has conformance tests for an [EventStore], a [TokenCache], a
// [Limiter] or a [Notifier] of your own. The program cmd/mid-mock is the same
// server for the terminal, with a page that plays the phone.
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
// The module [github.com/mobid-io/mid-go/midotel] makes OpenTelemetry spans and
// metrics. For telemetry of another kind, [WithCallObserver] sees each call from its
// beginning to its end. Middleware, see [WithMiddleware], sees every wire send as it
// leaves, with its secrets, token requests included. Middleware of the token cache, see
// [WithTokenCacheMiddleware], sees when a token is fetched, and for whom.
// [OperationFrom] returns the name of the call that a wire send belongs to, and
// [QueueTime] how long the limiter held it back.
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
// constants and keep a default case. Names are sent in snake_case, or in camelCase
// with [WithFieldNames]; answers and events are read in either spelling. The file
// docs/wire.md in the repository says which names are published by MID and which
// are inferred. The program cmd/mid-doctor checks them against a live account.
package mid

// Version is the SDK's version (semantic versioning 2.0.0). The User-Agent has it.
const Version = "1.0.0"

// The base URLs of MID's environments.
const (
	ProductionURL = "https://api.mobid.io/v1"
	SandboxURL    = "https://sandbox.api.mobid.io/v1"
)
