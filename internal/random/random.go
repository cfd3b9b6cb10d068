// Package random makes texts that are given once.
package random

import (
	"crypto/fips140"
	cryptorand "crypto/rand"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
)

// starved is set once package crypto/rand has found no entropy. That takes it half a
// second of CPU time, and many seconds with the race detector.
var starved atomic.Bool

// seeding is held in FIPS 140-3 mode, so that only one caller finds that out.
var seeding sync.Mutex

// Text returns a text of at least 128 random bits, of letters and digits, like
// that of package crypto/rand.
//
// In FIPS 140-3 mode that package draws its entropy from the time that code takes.
// In a bubble of testing/synctest code takes no time, and the package panics. The
// texts then come from package math/rand/v2, and are unique all the same.
func Text() string {
	if !starved.Load() {
		if text := fromCrypto(); text != "" {
			return text
		}
	}
	return fmt.Sprintf("%016X%016X", rand.Uint64(), rand.Uint64())
}

// fromCrypto returns an empty text when package crypto/rand finds no entropy.
func fromCrypto() string {
	if fips140.Enabled() {
		seeding.Lock()
		defer seeding.Unlock()
		if starved.Load() {
			return ""
		}
		defer func() {
			if recover() != nil {
				starved.Store(true)
			}
		}()
	}
	return cryptorand.Text()
}
