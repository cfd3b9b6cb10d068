package mid_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/mobid-io/mid-go"
)

// An option may be used for several clients, at once too, and gives no client
// another's secret.
func TestWithWebhooksMayBeUsedTwice(t *testing.T) {
	shared := mid.WithWebhooks(mid.WebhookConfig{Tolerance: time.Hour})
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			secret := fmt.Sprint("secret-of-account-", i)
			c, err := mid.NewClient(testID, secret, shared)
			if assert.NoError(t, err) {
				assert.NoError(t, c.Webhooks.Verify([]byte("{}"), hookMAC(secret, []byte("{}"))))
			}
			own := mid.WithWebhooks(mid.WebhookConfig{Secrets: []string{secret}})
			c, err = mid.NewClient(testID, testSecret, own, shared)
			if assert.NoError(t, err) {
				assert.NoError(t, c.Webhooks.Verify([]byte("{}"), hookMAC(secret, []byte("{}"))))
			}
		})
	}
	all.Wait()
}
