package multipart

import (
	"net/http"
	"path"
	"strings"
)

const sniffLen = 512 // all that http.DetectContentType looks at

// The table is small and built in, so that a media type does not depend on the
// machine's own tables. The whole HEIF family is image/heic: that is the one
// name that the API takes it under.
var extensionTypes = map[string]string{
	".pdf":  "application/pdf",
	".jpg":  "image/jpeg",
	".jpeg": "image/jpeg",
	".png":  "image/png",
	".webp": "image/webp",
	".heic": "image/heic",
	".heif": "image/heic",
}

var heifBrands = map[string]bool{
	"heic": true, "heix": true, "heim": true, "heis": true,
	"hevc": true, "hevx": true, "mif1": true, "msf1": true,
}

// typeByExtension returns "" for an extension that is not in the table.
func typeByExtension(name string) string {
	return extensionTypes[strings.ToLower(path.Ext(name))]
}

// typeByContent returns application/octet-stream for what it does not know.
func typeByContent(prefix []byte) string {
	if len(prefix) >= 12 && string(prefix[4:8]) == "ftyp" && heifBrands[string(prefix[8:12])] {
		return "image/heic"
	}
	return http.DetectContentType(prefix)
}
