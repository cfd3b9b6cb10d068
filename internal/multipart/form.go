package multipart

import (
	"strings"

	"github.com/mobid-io/mid-go/internal/random"
)

// NewBoundary returns a boundary that no file has, because it can't be guessed.
func NewBoundary() string { return "mid-" + random.Text() }

// frame returns what the body has before the file's bytes and after them.
func frame(boundary string, fields [][2]string, file File) (head, tail []byte) {
	var b strings.Builder
	for _, field := range fields {
		if field[1] == "" {
			continue
		}
		b.WriteString("--" + boundary + "\r\n")
		b.WriteString(`Content-Disposition: form-data; name="` + escape(field[0]) + `"` + "\r\n\r\n")
		b.WriteString(field[1] + "\r\n")
	}
	b.WriteString("--" + boundary + "\r\n")
	b.WriteString(`Content-Disposition: form-data; name="file"; filename="` + escape(file.Name) + `"` + "\r\n")
	b.WriteString("Content-Type: " + file.ContentType + "\r\n\r\n")
	return []byte(b.String()), []byte("\r\n--" + boundary + "--\r\n")
}

// Browsers percent-encode these and nothing else. A backslash, which they
// leave as it is, is doubled all the same: most servers read it as the escape of
// RFC 2045, and fail on one that ends the name.
var escaper = strings.NewReplacer(`"`, "%22", "\r", "%0D", "\n", "%0A", `\`, `\\`)

func escape(name string) string {
	return escaper.Replace(strings.ToValidUTF8(name, "\uFFFD"))
}
