//go:build race

package mid_test

const raceEnabled = true
