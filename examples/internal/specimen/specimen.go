// Package specimen holds what the demonstrations upload: a passport and a
// selfie of a person who does not exist, and an agreement to sign.
package specimen

import (
	"embed"

	"github.com/mobid-io/mid-go"
)

// Files are passport.png, selfie.png and agreement.pdf.
//
//go:embed *.png *.pdf
var Files embed.FS

// Country issued the passport. ISO 3166-1 leaves its code to its users.
const Country = "XU"

// Holder is what the passport says.
var Holder = mid.ExtractedData{
	FirstName:      "Isolde",
	LastName:       "Wren",
	DateOfBirth:    "1992-03-14",
	DocumentNumber: "U8040217",
	ExpiryDate:     "2033-06-01",
	Nationality:    Country,
}
