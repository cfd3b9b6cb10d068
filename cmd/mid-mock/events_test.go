package main

import (
	"bytes"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go/midtest"
)

func deliveries(events ...string) []midtest.Delivery {
	all := make([]midtest.Delivery, len(events))
	for n, id := range events {
		all[n] = midtest.Delivery{EventID: id, Attempt: n, Time: time.Unix(int64(n), 0)}
	}
	return all
}

func TestEventsStayWhereTheyFirstWere(t *testing.T) {
	items := newEventItems(deliveries("evt_a", "evt_b", "evt_a"))
	require.Len(t, items, 2)
	assert.Equal(t, "evt_b", items[0].Key(), "the newest first")
	assert.Equal(t, 2, items[1].Last().Attempt, "the latest attempt")
	assert.Equal(t, 0, items[1].Attempts[1].Attempt)
	assert.Equal(t, 2, items[1].Count)
	assert.Zero(t, items[1].More())
}

func TestAttemptsOfAnEventAreBounded(t *testing.T) {
	same := make([]string, 10_000)
	for n := range same {
		same[n] = "evt_a"
	}
	all := deliveries(same...)
	items := newEventItems(all)
	require.Len(t, items, 1)
	assert.Len(t, items[0].Attempts, maxShown)
	assert.Equal(t, len(all)-1, items[0].Last().Attempt)
	assert.Equal(t, len(all), items[0].Count)
	assert.Equal(t, len(all)-maxShown, items[0].More())

	later := slices.Concat(all[1:], []midtest.Delivery{{EventID: "evt_a", Time: time.Unix(1e6, 0)}}) // the log is full
	assert.NotEqual(t, items[0].State(), newEventItems(later)[0].State())

	var page bytes.Buffer
	require.NoError(t, pages.ExecuteTemplate(&page, "event", items[0]))
	assert.Contains(t, page.String(), "10000 attempts")
	assert.Contains(t, page.String(), "And "+strconv.Itoa(len(all)-maxShown)+" earlier")
	assert.Contains(t, page.String(), "The payload is no longer kept.")
	assert.Less(t, page.Len(), 20<<10)
}
