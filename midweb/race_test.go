//go:build race

package midweb

import "time"

const floodPause = 10 * time.Millisecond
