// Package e2e holds the tests of the SDK, and of the fake server that it ships,
// against programs that were written by others: validators of the contract,
// proxies, token servers, readers of QR codes. What both sides of the SDK got
// wrong in the same way shows here.
//
// The tests start what they need on loopback ports and stop it. One that misses
// a program is skipped and says how to install it; with MID_E2E=required in the
// environment it fails instead.
//
// TestChaos, TestAbuse and TestSoak run for seconds. Variables in the environment
// make them longer:
//
//	MID_CHAOS_CALLS=20000 go test -run 'TestChaos$' -v .
//	MID_ABUSE_DELIVERIES=50000 go test -run 'TestAbuse$' -v .
//	MID_SOAK_SECONDS=120 go test -run 'TestSoak$' -v .
//
// TestChaos prints its seed. MID_CHAOS_SEED repeats the choices of a run, not
// their timing.
package e2e
