package mid_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

func ExampleNewClient() {
	client, err := mid.NewClient("client_bluebird", "a secret from the vault",
		mid.WithSandbox(),
		mid.WithAppInfo("bluebird-shop", "2.1.0"),
	)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(client) // no secret gets into a log
	// Output: mid.Client{https://sandbox.api.mobid.io/v1}
}

// An invalid option is found before anything is sent.
func ExampleNewClient_wrongOption() {
	_, err := mid.NewClient("client_bluebird", "a secret from the vault",
		mid.WithBaseURL("http://api.example.com/v1"), // the secret would go there in the clear
	)
	if invalid, ok := errors.AsType[*mid.ValidationError](err); ok {
		fmt.Println(invalid.Field)
	}
	// Output: WithBaseURL
}

func ExampleNewClientFromEnv() {
	environment := map[string]string{ // as the deployment sets it
		"MID_CLIENT_ID":     "client_bluebird",
		"MID_CLIENT_SECRET": "a secret from the vault",
		"MID_BASE_URL":      mid.SandboxURL,
	}
	for name, value := range environment {
		if err := os.Setenv(name, value); err != nil {
			log.Fatal(err)
		}
	}
	defer func() {
		for name := range environment {
			_ = os.Unsetenv(name)
		}
	}()

	client, err := mid.NewClientFromEnv()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(client)
	// Output: mid.Client{https://sandbox.api.mobid.io/v1}
}

// Call reaches an endpoint that the SDK has no method for, with your own types.
func ExampleClient_Call() {
	server := midtest.NewServer()
	defer server.Close()
	client := server.Client()

	in := map[string]string{"intent": "login"}
	var out struct {
		ID     string `json:"id"`
		Status string `json:"status"`
	}
	err := client.Call(context.Background(), http.MethodPost, "/auth/sessions", in, &out)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(out.ID != "", out.Status)
	// Output: true pending
}

func ExampleClient_RateLimit() {
	server := midtest.NewServer(midtest.WithQuota(300, time.Minute))
	defer server.Close()
	client := server.Client()

	_, err := client.Authentication.CreateSession(context.Background(), mid.CreateAuthSessionParams{Intent: mid.IntentLogin})
	if err != nil {
		log.Fatal(err)
	}
	quota := client.RateLimit()
	fmt.Printf("%d of %d are left\n", quota.Remaining, quota.Limit) // the token took one too
	// Output: 298 of 300 are left
}

func ExampleWithResponse() {
	server := midtest.NewServer()
	defer server.Close()
	client := server.Client()

	var response mid.Response
	_, err := client.Authentication.CreateSession(context.Background(),
		mid.CreateAuthSessionParams{Intent: mid.IntentLogin},
		mid.WithResponse(&response))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(response.StatusCode, response.Attempts)
	fmt.Println("request id known:", response.RequestID != "") // for MID's support
	// Output:
	// 201 1
	// request id known: true
}

// A key of your own makes a job safe to run again, in another process too: the
// second session is the first.
func ExampleWithIdempotencyKey() {
	server := midtest.NewServer()
	defer server.Close()
	client := server.Client()

	var ids []string
	for range 2 {
		session, err := client.Authentication.CreateSession(context.Background(),
			mid.CreateAuthSessionParams{Intent: mid.IntentPayment},
			mid.WithIdempotencyKey("order-4711"))
		if err != nil {
			log.Fatal(err)
		}
		ids = append(ids, session.ID)
	}
	fmt.Println(ids[0] == ids[1])
	// Output: true
}

// With a plan, requests are paced before the server has to refuse any. A call
// that cannot be sent within its deadline fails at once.
func ExampleWithPlan() {
	server := midtest.NewServer()
	defer server.Close()
	client := server.Client(mid.WithPlan(mid.Plan{RequestsPerMinute: 60, Burst: 2})) // or mid.PlanStarter, …

	for range 2 { // the token takes one of the burst
		ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
		_, err := client.Authentication.CreateSession(ctx, mid.CreateAuthSessionParams{Intent: mid.IntentLogin})
		cancel()
		fmt.Println(errors.Is(err, mid.ErrRateLimited), errors.Is(err, context.DeadlineExceeded))
	}
	// Output:
	// false false
	// true true
}

func ExampleWithRetry() {
	server := midtest.NewServer()
	defer server.Close()
	client := server.Client(mid.WithRetry(mid.RetryPolicy{
		MaxRetries: 2,
		MinWait:    time.Millisecond,
		MaxWait:    10 * time.Millisecond,
	}))

	server.Inject(midtest.Fault{Path: "/auth/sessions", Status: http.StatusServiceUnavailable, Times: 2})
	var response mid.Response
	session, err := client.Authentication.CreateSession(context.Background(),
		mid.CreateAuthSessionParams{Intent: mid.IntentLogin},
		mid.WithResponse(&response))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(session.Status, "after", response.Attempts, "attempts")
	// Output: pending after 3 attempts
}

func ExampleWithLogger() {
	server := midtest.NewServer()
	defer server.Close()
	// A text handler without what differs from run to run, for this example.
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			switch a.Key {
			case slog.TimeKey, "duration", "request_id":
				return slog.Attr{}
			}
			return a
		},
	}))
	client := server.Client(mid.WithLogger(logger))

	_, err := client.Authentication.CreateSession(context.Background(), mid.CreateAuthSessionParams{Intent: mid.IntentLogin})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// level=INFO msg="mid: request" method=POST path=/auth/token attempt=1 status=200
	// level=INFO msg="mid: request" method=POST path=/auth/sessions attempt=1 status=201
}

// roundTripperFunc is a function as a http.RoundTripper.
type roundTripperFunc func(*http.Request) (*http.Response, error)

func (f roundTripperFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Middleware sees the token request too.
func ExampleWithMiddleware() {
	server := midtest.NewServer()
	defer server.Close()

	count := func(next http.RoundTripper) http.RoundTripper {
		return roundTripperFunc(func(r *http.Request) (*http.Response, error) {
			response, err := next.RoundTrip(r)
			if err == nil {
				fmt.Println(r.Method, r.URL.Path, response.StatusCode)
			}
			return response, err
		})
	}
	client := server.Client(mid.WithMiddleware(count))

	_, err := client.Authentication.CreateSession(context.Background(), mid.CreateAuthSessionParams{Intent: mid.IntentLogin})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// POST /v1/auth/token 200
	// POST /v1/auth/sessions 201
}

// The sentinels are kinds of failures. An *APIError has the details.
func ExampleAPIError() {
	server := midtest.NewServer()
	defer server.Close()
	client := server.Client()

	_, err := client.Authentication.GetSession(context.Background(), "sess_of_another_account")
	if errors.Is(err, mid.ErrNotFound) {
		fmt.Println("there is no such session")
	}
	if e, ok := errors.AsType[*mid.APIError](err); ok {
		fmt.Println(e.StatusCode, e.Code, e.Method, e.Path)
		fmt.Println("request id known:", e.RequestID != "")
	}
	// Output:
	// there is no such session
	// 404 not_found GET /auth/sessions/sess_of_another_account
	// request id known: true
}

// What the server found wrong with which field is in Details.
func ExampleAPIError_details() {
	server := midtest.NewServer()
	defer server.Close()
	client := server.Client()

	_, err := client.Authentication.CreateSession(context.Background(), mid.CreateAuthSessionParams{Intent: "small talk"})
	if e, ok := errors.AsType[*mid.APIError](err); ok {
		for _, field := range e.Details {
			fmt.Println(field.Field, field.Message)
		}
	}
	// Output: intent must be one of: login, payment, consent
}

// An invalid parameter is found before anything is sent.
func ExampleValidationError() {
	server := midtest.NewServer()
	defer server.Close()
	client := server.Client()

	_, err := client.Authentication.CreateSession(context.Background(), mid.CreateAuthSessionParams{
		Intent:    mid.IntentLogin,
		Recipient: "0151 12345",
	})
	if e, ok := errors.AsType[*mid.ValidationError](err); ok {
		fmt.Println(e.Field)
	}
	fmt.Println(len(server.Requests()), "requests")
	// Output:
	// Recipient
	// 0 requests
}

// The client waits out a 429, unless the server asks for a longer wait than the
// retry policy allows. Then the call fails, and says when to come back.
func ExampleRateLimitError() {
	server := midtest.NewServer()
	defer server.Close()
	client := server.Client(mid.WithRetry(mid.RetryPolicy{MaxRetries: 3, MaxRetryAfter: time.Minute}))

	server.Inject(midtest.Fault{Path: "/auth/sessions", RetryAfter: time.Hour})
	_, err := client.Authentication.CreateSession(context.Background(), mid.CreateAuthSessionParams{Intent: mid.IntentLogin})
	if e, ok := errors.AsType[*mid.RateLimitError](err); ok {
		fmt.Println("come back in", e.RetryAfter)
	}
	fmt.Println(errors.Is(err, mid.ErrRateLimited))
	// Output:
	// come back in 1h0m0s
	// true
}
