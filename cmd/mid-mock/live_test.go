package main

import (
	"bufio"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

func TestPagesAreToldOfChanges(t *testing.T) {
	p := start(t)
	c := p.client()
	res, err := http.Get(p.url + "/live")
	require.NoError(t, err)
	defer res.Body.Close()
	assert.Equal(t, "text/event-stream", res.Header.Get("Content-Type"))
	stream := bufio.NewScanner(res.Body)
	next := func() string {
		for stream.Scan() {
			if version, ok := strings.CutPrefix(stream.Text(), "data: "); ok {
				return version
			}
		}
		return "the end"
	}
	shown := func() string {
		return regexp.MustCompile(`data-version="(\w+)"`).FindStringSubmatch(p.see("/"))[1]
	}
	first := next()
	assert.Equal(t, shown(), first)
	p.session(c, mid.CreateAuthSessionParams{})
	second := next()
	assert.NotEqual(t, first, second)
	assert.Equal(t, shown(), second)
	p.press("/", "/scan")
	assert.Equal(t, shown(), next())

	p.stop()
	assert.Equal(t, 0, p.wait())
	assert.Equal(t, "the end", next())
}
