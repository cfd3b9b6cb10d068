// Package e2e holds the tests of the SDK, and of the fake server that it ships,
// against programs that were written by others: validators of the contract,
// proxies, token servers, readers of QR codes. What both sides of the SDK got
// wrong in the same way shows here.
//
// The tests start what they need on loopback ports and stop it. One that misses
// a program is skipped and says how to install it; with MID_E2E=required in the
// environment it fails instead.
package e2e
