package midtest

import (
	"encoding/base64"

	"rsc.io/qr"
)

// qrDataURL draws text as a QR code: a PNG image in a data URL.
func qrDataURL(text string) (string, error) {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return "", err
	}
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(code.PNG()), nil
}
