package mid_test

import (
	"testing"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

func TestDefaultEventStoreConforms(t *testing.T) {
	t.Parallel()
	midtest.TestEventStore(t, func(*testing.T) mid.EventStore { return mid.NewMemoryStore() })
}
