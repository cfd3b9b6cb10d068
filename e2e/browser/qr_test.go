package browser_test

import (
	"time"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"github.com/stretchr/testify/require"
)

// scan holds a camera to the screen: it returns the text of the QR code that
// is to be seen on it.
func (tb *tab) scan() string {
	tb.t.Helper()
	var err error
	// A screenshot may catch the page before it is drawn.
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		var bitmap *gozxing.BinaryBitmap
		bitmap, err = gozxing.NewBinaryBitmapFromImage(tb.screenshot())
		require.NoError(tb.t, err)
		var text string
		if text, err = read(bitmap); err == nil {
			return text
		}
		// The reader misses some two codes in a thousand, but not when they are
		// turned: which a person would do too.
		bitmap, err = bitmap.RotateCounterClockwise()
		require.NoError(tb.t, err)
		if text, err = read(bitmap); err == nil {
			return text
		}
	}
	require.FailNow(tb.t, "no QR code on the screen", "%v", err)
	return ""
}

func read(bitmap *gozxing.BinaryBitmap) (string, error) {
	result, err := qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{
		gozxing.DecodeHintType_TRY_HARDER: true,
	})
	if err != nil {
		return "", err
	}
	return result.GetText(), nil
}
