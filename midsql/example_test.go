package midsql_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midsql"
)

// A receiver that keeps the outcome of verifications in PostgreSQL.
func Example() {
	db, err := sql.Open("pgx", os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(20)
	db.SetMaxIdleConns(20)

	store, err := midsql.New(db, midsql.Postgres)
	if err != nil {
		log.Fatal(err)
	}
	if err := store.Migrate(context.Background()); err != nil {
		log.Fatal(err)
	}
	hooks, err := mid.NewWebhookService(mid.WebhookConfig{
		Secrets: []string{os.Getenv("MID_WEBHOOK_SECRET")},
		Store:   store,
	})
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("POST /mid/events", hooks.Handler(mid.EventHandlers{
		VerificationCompleted: func(ctx context.Context, _ *mid.Event, v *mid.Verification) error {
			_, err := midsql.Tx(ctx).ExecContext(ctx,
				`UPDATE customers SET verification_status = $1 WHERE verification_id = $2`, v.Status, v.ID)
			return err
		},
	}))
	server := &http.Server{Addr: ":8080", ReadTimeout: 10 * time.Second}
	log.Fatal(server.ListenAndServe())
}

// The handler fails after it has written. Its write is rolled back, and when
// MID delivers the event again, it takes effect once.
func ExampleTx() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "midsql")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "app.db")+"?_pragma=journal_mode(WAL)&_pragma=busy_timeout(5000)")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, `CREATE TABLE contracts (id TEXT, state TEXT)`); err != nil {
		log.Fatal(err)
	}

	store, err := midsql.New(db, midsql.SQLite)
	if err != nil {
		log.Fatal(err)
	}
	if err := store.Migrate(ctx); err != nil {
		log.Fatal(err)
	}
	hooks, err := mid.NewWebhookService(mid.WebhookConfig{Secrets: []string{"whsec_example"}, Store: store})
	if err != nil {
		log.Fatal(err)
	}
	runs := 0
	handlers := mid.EventHandlers{
		SigningCompleted: func(ctx context.Context, _ *mid.Event, s *mid.SigningSession) error {
			runs++
			_, err := midsql.Tx(ctx).ExecContext(ctx, `INSERT INTO contracts VALUES (?, ?)`, s.ID, s.Status)
			if err == nil && runs == 1 {
				err = errors.New("the power fails")
			}
			return err
		},
	}

	for range 3 {
		payload := fmt.Sprintf(`{"id": "evt_1", "type": "signing.completed", "timestamp": %d,
			"data": {"id": "sgn_1", "status": "completed"}}`, time.Now().UnixMilli())
		header := http.Header{mid.SignatureHeader: {hooks.Sign([]byte(payload))}}
		reply := hooks.Handle(ctx, []byte(payload), header, handlers)
		fmt.Println(reply.Status)
	}
	var contracts int
	if err := db.QueryRowContext(ctx, `SELECT count(*) FROM contracts`).Scan(&contracts); err != nil {
		log.Fatal(err)
	}
	fmt.Println("runs of the handler:", runs)
	fmt.Println("contracts:", contracts)
	// Output:
	// 500
	// 204
	// 204
	// runs of the handler: 2
	// contracts: 1
}
