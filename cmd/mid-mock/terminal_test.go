package main

import (
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestQuote(t *testing.T) {
	assert.Equal(t, "http://127.0.0.1:1/v1", quote("http://127.0.0.1:1/v1"))
	assert.Equal(t, "'http://[::1]:1/v1'", quote("http://[::1]:1/v1"))
	assert.False(t, isLoopback(&net.UnixAddr{}))
}
