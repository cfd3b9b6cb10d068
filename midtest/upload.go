package midtest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/mobid-io/mid-go"
)

const (
	fileField     = "file"
	maxFormValue  = 4 << 10
	multipartType = "multipart/form-data"
	notUTF8       = "must be valid UTF-8"
)

// formSpec is what an upload may hold beside its file.
type formSpec struct {
	contentTypes []string // of the file
	fields       []formField
}

type formField struct {
	name     string
	required bool
	check    check
}

var identityForm = formSpec{
	contentTypes: []string{"image/jpeg", "image/png", "image/webp", "image/heic", "application/pdf"},
	fields: []formField{
		{"type", true, oneOf(mid.DocumentPassport, mid.DocumentNationalID, mid.DocumentDriversLicense, mid.DocumentSelfie)},
		{"side", false, oneOf(mid.SideFront, mid.SideBack)},
		{"country", false, isCountry},
	},
}

var signingForm = formSpec{
	contentTypes: []string{"application/pdf"},
	fields:       []formField{{"name", false, anyText}},
}

// form is an upload as it was read. Of the file's content, only its measures
// remain.
type form struct {
	fields map[string]string
	file   *uploadedFile // nil if it was not sent
}

type uploadedFile struct {
	name, contentType, sha256 string
	size                      int64
}

// readForm is the reader of an upload.
func readForm(spec formSpec, do func(form) (any, error)) reader {
	return func(c *call) (prepared, error) {
		f, err := spec.read(c)
		if err != nil {
			return prepared{}, err
		}
		return prepared{
			request: c.fingerprint(f.content()),
			do:      func() (any, error) { return do(f) },
		}, nil
	}
}

func (spec formSpec) read(c *call) (form, error) {
	mediaType, params, _ := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if mediaType != multipartType || params["boundary"] == "" {
		return form{}, newProblem(mid.CodeUnsupportedMediaType, "the Content-Type must be multipart/form-data with a boundary")
	}
	if c.body.tooLarge() {
		return form{}, tooLarge()
	}
	f := form{fields: map[string]string{}}
	var d details
	parts := multipart.NewReader(c.body, params["boundary"])
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = spec.readPart(&f, &d, part)
		}
		if err != nil {
			return form{}, badForm(err)
		}
	}
	return f, spec.verify(f, d)
}

func (spec formSpec) readPart(f *form, d *details, part *multipart.Part) error {
	name := part.FormName()
	_, repeated := f.fields[name]
	switch {
	case name == fileField && f.file != nil, repeated:
		d.add(name, "must be given once")
	case name == fileField:
		return f.readFile(part)
	case slices.ContainsFunc(spec.fields, func(f formField) bool { return f.name == name }):
		value, err := io.ReadAll(io.LimitReader(part, maxFormValue+1))
		f.fields[name] = string(value)
		switch {
		case len(value) > maxFormValue:
			d.add(name, "must not be longer than 4096 bytes")
		case !utf8.Valid(value):
			d.add(name, notUTF8)
		}
		return err
	default:
		d.add(name, "is not a field of this request")
	}
	return nil
}

// readFile streams the file through a hash, so that its size does not matter.
func (f *form) readFile(part *multipart.Part) error {
	contentType, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type"))
	hash := sha256.New()
	size, err := io.Copy(hash, part)
	f.file = &uploadedFile{
		name:        part.FileName(),
		contentType: contentType,
		sha256:      hex.EncodeToString(hash.Sum(nil)),
		size:        size,
	}
	return err
}

func (spec formSpec) verify(f form, d details) error {
	switch {
	case f.file == nil:
		d.add(fileField, "is required")
	case f.file.name == "":
		d.add(fileField, "must have a file name")
	case !utf8.ValidString(f.file.name):
		d.add(fileField, "its name "+notUTF8)
	case !slices.Contains(spec.contentTypes, f.file.contentType):
		return newProblem(mid.CodeUnsupportedMediaType, "the file's Content-Type must be one of: "+strings.Join(spec.contentTypes, ", "))
	}
	for _, field := range spec.fields {
		text, sent := f.fields[field.name]
		switch {
		case sent:
			if complaint := field.check(text); complaint != "" {
				d.add(field.name, complaint)
			}
		case field.required:
			d.add(field.name, "is required")
		}
	}
	return invalid(d)
}

// content is the same for the same upload, whatever its boundary.
func (f form) content() []byte {
	lines := []string{f.file.name, f.file.contentType, f.file.sha256}
	for _, name := range slices.Sorted(maps.Keys(f.fields)) {
		lines = append(lines, name, f.fields[name])
	}
	text, _ := json.Marshal(lines) // strings always marshal
	return text
}

func badForm(err error) error {
	if _, over := errors.AsType[*http.MaxBytesError](err); over {
		return tooLarge()
	}
	return newProblem(mid.CodeInvalidRequest, "the body is not a complete multipart form")
}

func tooLarge() error {
	return newProblem(mid.CodePayloadTooLarge, "the request must not be longer than 2 GiB")
}
