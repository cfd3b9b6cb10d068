package midweb

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBuiltinLanguagesAreComplete(t *testing.T) {
	for tag, texts := range builtin {
		for key := range builtin[english] {
			if key != "dir" {
				assert.NotEmpty(t, texts[key], "%s: %s", tag, key)
			}
		}
		for key := range texts {
			assert.Contains(t, builtin[english], key, tag)
		}
	}
}

func TestChooseLanguage(t *testing.T) {
	all, err := newLanguages(map[string]map[string]string{
		"ar":    {"dir": "rtl", "heading": "تسجيل الدخول"},
		"de-AT": {"heading": "Griaß di"},
		"en":    {"new_code": "Another one"},
	})
	require.NoError(t, err)
	for accept, want := range map[string]string{
		"":                             "en",
		"*":                            "en",
		"fr":                           "en",
		"de":                           "de",
		"DE-ch, en;q=0.8":              "de",
		"de-at":                        "de-at",
		"fr, de;q=0.5, en;q=0.4":       "de",
		"en;q=0.4, de;q=0.5":           "de",
		"de;q=0, en":                   "en",
		"de;q=broken, ar":              "ar",
		"ar-EG,ar;q=0.9":               "ar",
		"de;q=0.9, ar;q=0.9, en;q=0.9": "de",
	} {
		assert.Equal(t, want, all.choose(accept), accept)
	}
	assert.Equal(t, "Another one", all["ar"]["new_code"], "the site's English stands in")
	assert.Equal(t, builtin["de"]["new_code"], all["de"]["new_code"])
}
