package main

import (
	"fmt"
	"hash/fnv"
	"io"
	"slices"
	"strconv"

	"github.com/mobid-io/mid-go/midtest"
)

// state is what the server has, as items to show and to decide.
type state struct {
	srv   *midtest.Server
	hosts guard
}

func (s state) authItems() []authItem {
	var items []authItem
	for _, session := range s.srv.AuthSessions() {
		items = append(items, authItem{AuthSession: session})
	}
	return items
}

func (s state) verificationItems() []verificationItem {
	var items []verificationItem
	for _, v := range s.srv.Verifications() {
		items = append(items, verificationItem{Verification: v})
	}
	return items
}

func (s state) signingItems() []signingItem {
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

// eventItems are the newest first, by their first attempt: one that is
// delivered again stays where it is.
func (s state) eventItems() []eventItem {
	items := newEventItems(s.srv.Events())
	if s.hosts.reachable() {
		for n := range items {
			items[n].OtherHost = otherHost(items[n].Last().URL)
		}
	}
	return items
}

// version changes with everything that the pages show.
func (s state) version() string {
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

// find returns a session or verification, as a page of its own shows it, and
// the name of the template that draws it.
func (s state) find(id string) (found subject, kind string, ok bool) {
	if i, ok := findItem(s.authItems(), id); ok {
		i.OwnPage = true
		return i, "auth", true
	}
	if i, ok := findItem(s.verificationItems(), id); ok {
		i.OwnPage = true
		return i, "verification", true
	}
	if i, ok := findItem(s.signingItems(), id); ok {
		i.OwnPage = true
		return i, "signing", true
	}
	return nil, "", false
}

// findSigner returns the signer of a link.
func (s state) findSigner(link string) (signerItem, bool) {
	for _, session := range s.signingItems() {
		if signer, ok := findItem(session.Asked(), link); ok {
			signer.OwnPage = true
			return signer, true
		}
	}
	return signerItem{}, false
}

func findItem[T item](items []T, key string) (T, bool) {
	at := slices.IndexFunc(items, func(i T) bool { return i.Key() == key })
	if at < 0 {
		var absent T
		return absent, false
	}
	return items[at], true
}
