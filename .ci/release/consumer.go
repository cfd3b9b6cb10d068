package main

import (
	"fmt"
	"strings"
)

// consumer is the files of a module that uses the released ones.
func consumer(version string) map[string]string {
	var mod strings.Builder
	fmt.Fprintf(&mod, "module example.com/fresh\n\ngo 1.26.0\n\nrequire %s %s\n", modulePath, version)
	for _, nested := range nestedModules {
		fmt.Fprintf(&mod, "\nrequire %s/%s %s\n", modulePath, nested, version)
	}
	return map[string]string{"go.mod": mod.String(), "fresh.go": consumerSource, "fresh_test.go": strings.ReplaceAll(consumerTest, "VERSION", strings.TrimPrefix(version, "v"))}
}

const consumerSource = `// Package fresh uses all of the SDK as an application does.
package fresh

import (
	"database/sql"

	"github.com/redis/go-redis/v9"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midotel"
	"github.com/mobid-io/mid-go/midredis"
	"github.com/mobid-io/mid-go/midsql"
)

// Shared is what the processes of a fleet share.
func Shared(rdb redis.UniversalClient, db *sql.DB, account string) (mid.Limiter, mid.EventStore, error) {
	limiter, err := midredis.NewLimiter(rdb, account, mid.PlanStarter)
	if err != nil {
		return nil, nil, err
	}
	store, err := midsql.New(db, midsql.Postgres)
	return limiter, store, err
}

// Observed is a client with spans and metrics.
func Observed(clientID, clientSecret string) (*mid.Client, error) {
	telemetry, err := midotel.New(midotel.Config{})
	if err != nil {
		return nil, err
	}
	return mid.NewClient(clientID, clientSecret, telemetry.ClientOptions()...)
}
`

const consumerTest = `package fresh

import (
	"testing"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

func TestSignIn(t *testing.T) {
	if mid.Version != "VERSION" {
		t.Fatalf("the version is %s", mid.Version)
	}
	srv := midtest.NewServer()
	defer srv.Close()
	session, err := srv.Client().Authentication.CreateSession(t.Context(), mid.CreateAuthSessionParams{
		Intent: mid.IntentLogin, Recipient: "+14155550123",
	})
	if err != nil || session.ID == "" {
		t.Fatal(session, err)
	}
}
`
