package main

import (
	"strings"

	"rsc.io/qr"
)

// quietZone is the margin that scanners need, in modules (ISO/IEC 18004).
const quietZone = 4

// With colors, the code is black on white, whatever the terminal's own colors
// are: these two of the 256 are the same in every theme.
const (
	blackOnWhite = "\x1b[38;5;16;48;5;231m"
	resetColors  = "\x1b[0m"
)

// drawQR draws text as a QR code of half blocks, two modules to a character.
// Without colors it draws the light modules, which is right on dark terminals.
// On light ones the code is inverted; most scanners read that too.
func drawQR(text string, colors bool) (string, error) {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return "", err
	}
	ink := func(x, y int) bool { return code.Black(x, y) == colors }
	var b strings.Builder
	for y := -quietZone; y < code.Size+quietZone; y += 2 {
		b.WriteString("    ")
		if colors {
			b.WriteString(blackOnWhite)
		}
		for x := -quietZone; x < code.Size+quietZone; x++ {
			b.WriteString(halfBlock(ink(x, y), ink(x, y+1)))
		}
		if colors {
			b.WriteString(resetColors)
		}
		b.WriteByte('\n')
	}
	return b.String(), nil
}

func halfBlock(upper, lower bool) string {
	switch {
	case upper && lower:
		return "█"
	case upper:
		return "▀"
	case lower:
		return "▄"
	}
	return " "
}
