package mid_test

import (
	"testing"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

func TestDefaultNotifierConforms(t *testing.T) {
	t.Parallel()
	midtest.TestNotifier(t, func(*testing.T) mid.Notifier { return mid.NewNotifier() })
}
