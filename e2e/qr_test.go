package e2e_test

import (
	"bytes"
	"encoding/base64"
	"image/png"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

// TestQRCodes reads the codes that the fake server draws, as a phone would.
func TestQRCodes(t *testing.T) {
	srv := newMID(t)
	c, ctx := srv.Client(), bounded(t)
	for range 20 {
		session, err := c.Authentication.CreateSession(ctx, mid.CreateAuthSessionParams{Intent: mid.IntentLogin})
		require.NoError(t, err)
		assert.Equal(t, session.QRData, readQR(t, session.QRCode))
		assert.Contains(t, session.QRData, session.ID)
		again, err := c.Authentication.GetSession(ctx, session.ID)
		require.NoError(t, err)
		assert.Equal(t, session.QRCode, again.QRCode)
	}
}

func readQR(t *testing.T, dataURL string) string {
	t.Helper()
	text, ok := strings.CutPrefix(dataURL, "data:image/png;base64,")
	require.True(t, ok)
	data, err := base64.StdEncoding.DecodeString(text)
	require.NoError(t, err)
	img, err := png.Decode(bytes.NewReader(data))
	require.NoError(t, err)
	bitmap, err := gozxing.NewBinaryBitmapFromImage(img)
	require.NoError(t, err)
	// A hint says that there is nothing but a code: where it looks for one in a
	// picture, it misses some three in a thousand, which other readers find.
	result, err := qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{
		gozxing.DecodeHintType_PURE_BARCODE: true,
	})
	require.NoError(t, err)
	return result.GetText()
}
