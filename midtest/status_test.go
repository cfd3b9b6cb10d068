package midtest_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/midtest"
)

// A failing test prints what the server witnessed: one line each, without
// secrets and personal data.
func TestWitnessesPrintShort(t *testing.T) {
	request := midtest.Request{
		Method: http.MethodPost,
		Path:   "/auth/sessions/a\nb",
		Query:  url.Values{"q": {"private"}},
		Header: http.Header{"Authorization": {"private"}},
		Body:   []byte("private"),
		Status: http.StatusCreated,
	}
	delivery := midtest.Delivery{
		EventID:   "evt_1",
		Type:      mid.EventSigningCompleted,
		URL:       "https://example.com/private",
		Attempt:   2,
		Payload:   []byte("private"),
		Signature: "private",
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		assert.Equal(t, "[midtest.Request{POST /auth/sessions/a%0Ab: 201}]", fmt.Sprintf("["+verb+"]", request), verb)
		assert.Equal(t, "[midtest.Delivery{evt_1 "+string(mid.EventSigningCompleted)+", attempt 2: no answer}]", fmt.Sprintf("["+verb+"]", delivery), verb)
		assert.NotContains(t, fmt.Sprintf(verb, []*midtest.Request{&request}), "private", verb)
		assert.NotContains(t, fmt.Sprintf(verb, []midtest.Delivery{delivery}), "private", verb)
	}
}
