package jsonwire

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

type Base struct {
	Size int64 `json:"size"`
}

type inner struct {
	Name string     `json:"name"`
	At   *time.Time `json:"at"`
}

type own struct{ text string }

func (o *own) UnmarshalJSON(data []byte) error {
	o.text = string(data)
	return nil
}

type model struct {
	*Base
	ID       string            `json:"id"`
	Created  time.Time         `json:"created_at"`
	Count    uint8             `json:"count"`
	Share    *float64          `json:"share"`
	Metadata map[string]string `json:"metadata"`
	Inner    inner             `json:"inner"`
	List     []inner           `json:"list"`
	ByName   map[string]inner  `json:"by_name"`
	Own      own               `json:"own"`
	Raw      json.RawMessage   `json:"raw"`
	Any      any               `json:"any"`
	Untagged int
	Self     *model    `json:"self"`
	Hidden   time.Time `json:"-"`
}

func TestUnmarshal(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for text, want := range map[string]model{
		"\ufeff" + `{"id":"a"}`:                                             {ID: "a"},
		`{"id":"a","metadata":[],"inner":[]}`:                               {ID: "a", Metadata: map[string]string{}},
		`{"id":"a","list":[{"name":"b","at":"x"},[]]}`:                      {ID: "a", List: []inner{{Name: "b"}, {}}},
		`{"count":2.0,"size":9007199254740993.000}`:                         {Count: 2, Base: &Base{9007199254740993}},
		`{"size":1e3,"untagged":-0.0}`:                                      {Base: &Base{1000}},
		`{"UNTAGGED":1.5e1}`:                                                {Untagged: 15},
		`{"created_at":"2026-01-02t03:04:05z","id":"a"}`:                    {ID: "a", Created: at},
		`{"created_at":"soon","id":"a"}`:                                    {ID: "a"},
		`{"created_at":"","id":"a"}`:                                        {ID: "a"},
		`{"created_at":1767323045,"id":"a"}`:                                {ID: "a"},
		`{"created_at":{"date":"2026"},"id":"a"}`:                           {ID: "a"},
		`{"created_at":false,"self":{"created_at":"2026-01-02 03:04:05Z"}}`: {Self: &model{Created: at}},
		`{"by_name":{"a":{"at":"2026-01-02T03:04:05z"}}}`:                   {ByName: map[string]inner{"a": {At: &at}}},
		`{"count":1.0,"own":{"at": 1.0},"raw":[1.0],"any":1}`:               {Count: 1, Own: own{`{"at":1.0}`}, Raw: json.RawMessage(`[1.0]`), Any: 1.0},
		`{"count":1.0,"metadata":null,"inner":null,"list":null,"size":null,"created_at":null,"new":[{}]}`: {Count: 1, Base: &Base{}},
		`{"count":1.0,"metadata":{"at":"<&>"}}`:                                                           {Count: 1, Metadata: map[string]string{"at": "<&>"}},
	} {
		var got model
		require.NoError(t, Unmarshal([]byte(text), &got), text)
		require.Equal(t, want, got, text)
	}
}

// What is wrong stays wrong.
func TestUnmarshalFails(t *testing.T) {
	for _, text := range []string{
		"", "\ufeff", "\ufeff\ufeff{}", `{"id":"a"`, `{"id":7}`, `{"metadata":[1]}`, `{"metadata":{"a":[]}}`, `{"inner":"x"}`, `{"list":{}}`,
		`{"count":1.5}`, `{"count":256.0}`, `{"count":-1.0}`, `{"size":1e19}`, `{"size":1e999999999}`, `{"size":"1.0"}`, `{"share":"1"}`, `[]x`, `[]`, `{"self":[]}`,
	} {
		require.Error(t, Unmarshal([]byte(text), new(model)), text)
	}
}

// A type that contains itself can't be made to cost the square of its depth.
func TestUnmarshalOfADeepText(t *testing.T) {
	const depth = 5000
	text := strings.Repeat(`{"self":`, depth) + `{"count":1.0}` + strings.Repeat("}", depth)
	require.Error(t, Unmarshal([]byte(text), new(model)))
	var shallow model
	require.NoError(t, Unmarshal([]byte(strings.Repeat(`{"self":`, 20)+`{"count":1.0}`+strings.Repeat("}", 20)), &shallow))
}

// The usual answer pays nothing.
func TestUnmarshalAllocatesNoMoreThanPackageJSON(t *testing.T) {
	data := []byte(`{"id":"a","size":3,"created_at":"2026-01-02T03:04:05Z","list":[{"name":"b"}]}`)
	strict := testing.AllocsPerRun(100, func() { _ = json.Unmarshal(data, new(model)) })
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() { _ = Unmarshal(data, new(model)) }), strict)
}

// What package json accepts comes out as from it.
func FuzzUnmarshal(f *testing.F) {
	for _, seed := range []string{`{"id":"a","count":1.0,"created_at":"x","list":[{"at":""}],"metadata":[]}`, "\ufeff{}", `{"size":1e3}`, `[`, `{"ID":1,"id":"a"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var strict, lenient model
		want, got := json.Unmarshal(data, &strict), Unmarshal(data, &lenient)
		if want == nil {
			require.NoError(t, got)
			require.Equal(t, strict, lenient)
		}
		if got != nil {
			require.NotEmpty(t, Trouble(got, &lenient))
		}
	})
}
