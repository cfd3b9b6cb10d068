package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/mobid-io/mid-go/midtest"
)

// eventItem is an event with the attempts to deliver it, the latest first.
type eventItem struct {
	Attempts []attempt // no more than maxShown
	Count    int       // of all attempts
	// OtherHost is what to warn of: where the event went, if other machines can
	// choose that and it is not this one. If empty, there is no warning.
	OtherHost string
}

// newEventItems takes the attempts in the order in which they were made.
func newEventItems(deliveries []midtest.Delivery) []eventItem {
	var items []eventItem
	at := map[string]int{}
	for _, d := range deliveries {
		n, known := at[d.EventID]
		if !known {
			n = len(items)
			at[d.EventID] = n
			items = append(items, eventItem{})
		}
		items[n].Attempts = append(items[n].Attempts, attempt{d})
	}
	for n := range items {
		i := &items[n]
		i.Count = len(i.Attempts)
		i.Attempts = i.Attempts[max(i.Count-maxShown, 0):]
		slices.Reverse(i.Attempts)
	}
	slices.Reverse(items)
	return items
}

func (i eventItem) Key() string { return i.Last().EventID }
func (eventItem) Open() bool    { return false }

// State has the time too: the log forgets attempts, so that their number may
// stay the same.
func (i eventItem) State() string { return fmt.Sprint(i.Count, " ", i.Last().Time.UnixNano()) }

// Last is the latest attempt.
func (i eventItem) Last() attempt { return i.Attempts[0] }

// More is how many attempts are not shown.
func (i eventItem) More() int { return i.Count - len(i.Attempts) }

type attempt struct{ midtest.Delivery }

// Outcome is the receiver's answer in a word.
func (a attempt) Outcome() string {
	if a.Status == 0 {
		return "no answer"
	}
	return strconv.Itoa(a.Status)
}

// Tone is good if the receiver acknowledged.
func (a attempt) Tone() string {
	if a.Status >= 200 && a.Status < 300 {
		return "good"
	}
	return "bad"
}

// Pretty is the payload with line breaks.
func (a attempt) Pretty() string {
	var b bytes.Buffer
	if err := json.Indent(&b, a.Payload, "", "  "); err != nil {
		return string(a.Payload)
	}
	return b.String()
}
