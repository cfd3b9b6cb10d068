package midsql_test

import (
	"testing"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

func TestStoreConforms(t *testing.T) {
	forEach(t, func(t *testing.T, d database) {
		store := d.store(t, d.open(t))
		midtest.TestEventStore(t, func(*testing.T) mid.EventStore { return store })
	})
}
