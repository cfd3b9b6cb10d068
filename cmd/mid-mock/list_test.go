package main

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/mobid-io/mid-go"
)

func TestListsAreBounded(t *testing.T) {
	all := make([]authItem, maxShown+10)
	for i := range all {
		all[i].Status = mid.AuthExpired
	}
	all[maxShown+5].Status = mid.AuthPending
	l := newList(all)
	assert.Len(t, l.Items, maxShown)
	assert.Equal(t, 10, l.More)
	assert.Equal(t, 1, l.Waiting)
	assert.True(t, l.Items[0].Open(), "what waits comes first")
}
