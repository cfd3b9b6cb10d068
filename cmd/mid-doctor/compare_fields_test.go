package main

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

// TestEachField has a server leave out one field after the other of every
// answer, and rename it. The doctor finds just that one.
func TestEachField(t *testing.T) {
	modes := map[string][]midtest.Option{
		"contract":       nil,
		"other spelling": {midtest.WithFieldNames(mid.CamelCase), midtest.WithEnvelope(midtest.EnvelopeCode)},
	}
	for mode, options := range modes {
		t.Run(mode, func(t *testing.T) {
			a := newAccount(t, options...)
			sound := a.diagnosis(t, true)
			require.Zero(t, sound.bad(), sound.table(true))
			tried := 0
			for _, c := range sound.Checks {
				if schemasOf[c.Name] == nil {
					continue
				}
				for _, f := range c.Fields {
					a.spoil(t, sound, c, f, "")
					tried++
					if options == nil { // what is not read under a contract's name is so in either mode
						a.spoil(t, sound, c, f, "x_")
					}
				}
			}
			assert.Greater(t, tried, 120)
		})
	}
}

// spoil drops one field of one check's answer or, with a prefix, renames it, and
// compares the diagnosis with that of the sound server.
func (a *account) spoil(t *testing.T, sound *diagnosis, was check, gone field, prefix string) {
	t.Helper()
	path := was.wirePath(gone)
	done := false
	a.changing(func(r *http.Request, answer *httptest.ResponseRecorder) {
		if operationOf(r, answer.Code) != was.Name {
			return
		}
		edit(answer, func(body map[string]any) {
			object, last := at(body, path)
			if value, there := object[last]; there {
				delete(object, last)
				if prefix != "" {
					object[prefix+last] = value
				}
				done = true
			}
		})
	})
	write := slices.Contains(slices.Concat(identityChecks, signingChecks), was.Name)
	got := a.diagnosis(t, write)
	what := was.Name + " without " + path + " " + prefix
	require.True(t, done, what)
	for _, c := range sound.Checks {
		is := got.named(t, c.Name)
		if c.Name != was.Name && is.Verdict != notAsked { // for want of an id, or of a token
			assert.Equal(t, c.Fields, is.Fields, "%s: %s", what, c.Name)
		}
	}
	is := got.named(t, was.Name)
	assert.Equal(t, was.without(gone), differing(&was, &is), what)
	var strange []string
	for name, v := range is.verdicts() {
		if v == unknown {
			strange = append(strange, name)
		}
	}
	if prefix == "" {
		assert.Empty(t, strange, what)
	} else {
		parent := gone.Name[:strings.LastIndexByte(gone.Name, '.')+1]
		assert.Equal(t, []string{parent + prefix + path[strings.LastIndexByte(path, '.')+1:]}, strange, what)
	}
}

// schemasOf are those of a check's answer: the envelope's and the data's.
var schemasOf = map[string][]*schema{
	checkToken:               {successAnswer, otherSuccess, tokenAnswer},
	opCreateAuthSession:      {successAnswer, otherSuccess, authSession},
	opGetAuthSession:         {successAnswer, otherSuccess, authSession},
	opVerifyAuth:             {successAnswer, otherSuccess, authenticationResult},
	opUploadIdentityDocument: {successAnswer, otherSuccess, identityDocument},
	opStartVerification:      {successAnswer, otherSuccess, verification},
	opGetVerification:        {successAnswer, otherSuccess, verification},
	opUploadSigningDocument:  {successAnswer, otherSuccess, signingDocument},
	opCreateSigningSession:   {successAnswer, otherSuccess, signingSession},
	opGetSigningSession:      {successAnswer, otherSuccess, signingSession},
	checkNotFound:            {failureAnswer, otherFailure},
	checkRefused:             {failureAnswer, otherFailure},
}

// wirePath is where a field stands in the answer, in the names that came.
func (c *check) wirePath(f field) string {
	parts := strings.Split(f.Name, ".")
	for i := range parts {
		name := strings.TrimSuffix(strings.Join(strings.Split(f.Name, ".")[:i+1], "."), "[]")
		for _, part := range c.Fields {
			if part.Name == name && part.CameAs != "" {
				parts[i] = part.CameAs + strings.Repeat("[]", strings.Count(parts[i], "[]"))
			}
		}
	}
	schemas := schemasOf[c.Name]
	first := strings.TrimSuffix(strings.Split(f.Name, ".")[0], "[]")
	if len(schemas) == 3 && !schemas[0].has(first) && !schemas[1].has(first) {
		return "data." + strings.Join(parts, ".")
	}
	return strings.Join(parts, ".")
}

// requires reports whether a check's answer must have a field.
func (c *check) requires(name string) bool {
	envelope := schemasOf[c.Name][:2]
	if c.Envelope != "" {
		envelope = envelope[1:]
	}
	for _, s := range append(envelope[:1:1], schemasOf[c.Name][2:]...) {
		parts := strings.Split(strings.ReplaceAll(name, "[]", ""), ".")
		for i, part := range parts {
			at := slices.IndexFunc(s.fields, partNamed(part))
			if at < 0 {
				break
			}
			if i == len(parts)-1 {
				return s.fields[at].required
			}
			s = s.fields[at].object
		}
	}
	return false
}

func partNamed(name string) func(part) bool { return func(p part) bool { return p.name == name } }

// without is how the verdicts of a check change when a field is gone: what it
// held is gone as well.
func (c *check) without(gone field) map[string]verdict {
	changed := map[string]verdict{gone.Name: ""}
	if c.requires(gone.Name) {
		changed[gone.Name] = missing
	}
	for _, f := range c.Fields {
		inside := strings.HasPrefix(f.Name, gone.Name+".") || strings.HasPrefix(f.Name, gone.Name+"[].")
		if inside || gone.Name == "data" && strings.HasPrefix(c.wirePath(f), "data.") {
			changed[f.Name] = ""
		}
	}
	return changed
}

// differing are the fields that have another verdict, or none.
func differing(was, is *check) map[string]verdict {
	changed := map[string]verdict{}
	now := is.verdicts()
	for _, f := range was.Fields {
		if v := now[f.Name]; v != f.Verdict {
			changed[f.Name] = v
		}
	}
	return changed
}
