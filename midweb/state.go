package midweb

import "github.com/mobid-io/mid-go"

// state is how far a sign-in is. Page, stream and style sheet use the same
// words.
type state string

const (
	atStart  state = "start"    // no code yet
	waiting  state = "waiting"  // the code is on the screen
	scanned  state = "scanned"  // the phone asks its user
	approved state = "approved" // the user approved, as far as MID has said
	rejected state = "rejected" // the user declined
	expired  state = "expired"  // no one decided in time
	failed   state = "failed"   // MID could not be asked, or its answer does not fit
	busy     state = "busy"     // braked
	problem  state = "problem"  // a code could not be had
)

// final reports whether the session of a flow can change no more.
func (s state) final() bool { return s != waiting && s != scanned }

// stateOf is the state of a session. What the SDK does not know is not yet
// decided.
func stateOf(status mid.AuthStatus) state {
	switch status {
	case mid.AuthScanned:
		return scanned
	case mid.AuthApproved:
		return approved
	case mid.AuthRejected:
		return rejected
	case mid.AuthExpired:
		return expired
	default:
		return waiting
	}
}
