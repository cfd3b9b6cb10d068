package main

import (
	"fmt"
	"hash/fnv"
	"io"
	"slices"
	"strconv"
)

// maxShown bounds each list on the page, so that it stays usable after a load
// test.
const maxShown = 50

// board is the page with everything.
type board struct {
	frame
	BaseURL       string
	Environment   string
	Auth          list[authItem]
	Verifications list[verificationItem]
	Signings      list[signingItem]
	Events        list[eventItem]
}

// list is one kind of items, those that wait for a decision first.
type list[T item] struct {
	Items   []T
	Waiting int
	More    int // not shown
}

func newList[T item](all []T) list[T] {
	l := list[T]{Items: make([]T, 0, len(all))}
	for _, i := range all {
		if i.Open() {
			l.Items = append(l.Items, i)
		}
	}
	l.Waiting = len(l.Items)
	for _, i := range all {
		if !i.Open() {
			l.Items = append(l.Items, i)
		}
	}
	l.More = max(len(all)-maxShown, 0)
	l.Items = l.Items[:len(all)-l.More]
	return l
}

func (s *site) board() board {
	return board{
		frame:         s.newFrame("mid-mock"),
		BaseURL:       s.srv.URL,
		Environment:   environment(s.srv),
		Auth:          newList(s.authItems()),
		Verifications: newList(s.verificationItems()),
		Signings:      newList(s.signingItems()),
		Events:        newList(s.eventItems()),
	}
}

func (s *site) authItems() []authItem {
	var items []authItem
	for _, session := range s.srv.AuthSessions() {
		items = append(items, authItem{AuthSession: session})
	}
	return items
}

func (s *site) verificationItems() []verificationItem {
	var items []verificationItem
	for _, v := range s.srv.Verifications() {
		items = append(items, verificationItem{Verification: v})
	}
	return items
}

func (s *site) signingItems() []signingItem {
	names := map[string]string{}
	for _, doc := range s.srv.SigningDocuments() {
		names[doc.ID] = doc.Name
	}
	var items []signingItem
	for _, session := range s.srv.SigningSessions() {
		i := signingItem{SigningSession: session}
		for _, id := range session.DocumentIDs {
			i.Documents = append(i.Documents, names[id])
		}
		items = append(items, i)
	}
	return items
}

// maxAttempts of an event are shown, the latest.
const maxAttempts = 50

// eventItems are the newest first, by their first attempt: one that is
// delivered again stays where it is.
func (s *site) eventItems() []eventItem {
	var items []eventItem
	at := map[string]int{}
	for _, d := range s.srv.Events() {
		n, known := at[d.EventID]
		if !known {
			n = len(items)
			at[d.EventID] = n
			items = append(items, eventItem{})
		}
		items[n].Attempts = append(items[n].Attempts, attempt{d})
	}
	for i := range items {
		attempts := items[i].Attempts
		attempts = attempts[max(0, len(attempts)-maxAttempts):]
		slices.Reverse(attempts)
		items[i].Attempts = attempts
	}
	slices.Reverse(items)
	return items
}

// version changes with everything that the pages show.
func (s *site) version() string {
	h := fnv.New64a()
	digest(h, s.authItems())
	digest(h, s.verificationItems())
	digest(h, s.signingItems())
	digest(h, s.eventItems())
	return strconv.FormatUint(h.Sum64(), 36)
}

func digest[T item](w io.Writer, items []T) {
	for _, i := range items {
		_, _ = fmt.Fprintln(w, i.Key(), i.State()) // a hash takes everything
	}
}

// itemPage is the page of one session or verification.
type itemPage struct {
	frame
	Kind string // the name of the template that draws the item
	Item subject
}

func (s *site) find(id string) (itemPage, bool) {
	if i, ok := findItem(s.authItems(), id); ok {
		i.Alone = true
		return itemPage{Kind: "auth", Item: i}, true
	}
	if i, ok := findItem(s.verificationItems(), id); ok {
		i.Alone = true
		return itemPage{Kind: "verification", Item: i}, true
	}
	if i, ok := findItem(s.signingItems(), id); ok {
		i.Alone = true
		return itemPage{Kind: "signing", Item: i}, true
	}
	return itemPage{}, false
}

func findItem[T item](items []T, key string) (T, bool) {
	at := slices.IndexFunc(items, func(i T) bool { return i.Key() == key })
	if at < 0 {
		var none T
		return none, false
	}
	return items[at], true
}

// signerPage is what a signer's link opens.
type signerPage struct {
	frame
	Signer signerItem
}

func (s *site) findSigner(link string) (signerPage, bool) {
	for _, session := range s.signingItems() {
		if signer, ok := findItem(session.Asked(), link); ok {
			signer.Alone = true
			return signerPage{Signer: signer}, true
		}
	}
	return signerPage{}, false
}
