package midtest

import (
	"time"

	"github.com/mobid-io/mid-go"
)

// stage is what the sessions and verifications share: time, users that act by
// themselves, and the events that are sent when something ends.
type stage struct {
	names  mid.FieldNames
	timers *timers
	auto   autoComplete
	notify func(kind mid.EventType, subject, url string, data any)
}

// autoComplete is when users act by themselves, if they do.
type autoComplete struct {
	on    bool
	after time.Duration
}

// ending is what a session or verification needs when it ends.
type ending struct {
	callbackURL string // empty: no event is sent
	stop        func() // the expiry; nil if it never expires
}

// end sends the event of a resource that has just ended. The resource is what
// its GET answers.
func (s *stage) end(e ending, kind mid.EventType, id string, resource any) {
	if e.stop != nil {
		e.stop()
	}
	if e.callbackURL == "" {
		return
	}
	data, _ := marshalResource(s.names, resource) // it was answered before, so it marshals
	s.notify(kind, id, e.callbackURL, data)
}
