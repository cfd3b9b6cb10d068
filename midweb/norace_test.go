//go:build !race

package midweb

import "time"

const floodPause = time.Millisecond
