package main

import (
	"image/png"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

func TestTheQRCodeIsAPicture(t *testing.T) {
	p := start(t)
	session := p.session(p.client(), mid.CreateAuthSessionParams{})
	res, err := http.Get(p.url + "/phone/" + session.ID + "/qr.png")
	require.NoError(t, err)
	defer res.Body.Close()
	assert.Equal(t, "image/png", res.Header.Get("Content-Type"))
	_, err = png.Decode(res.Body)
	require.NoError(t, err)
}
