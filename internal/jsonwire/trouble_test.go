package jsonwire

import (
	"encoding/json"
	"errors"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// No text quotes a value or a key of a map, in whatever words package json puts
// its errors.
func TestTrouble(t *testing.T) {
	for text, want := range map[string]string{
		``:                                    "it is not JSON",
		`x`:                                   "it is not JSON",
		`{"id":"hugo@example"`:                "it is not JSON, or only its first 19 bytes are",
		`"hugo@example"`:                      "it is not a JSON object",
		`["hugo@example"]`:                    "it is not a JSON object",
		`{"id":7}`:                            "its field id is not a JSON string",
		`{"UNTAGGED":"hugo"}`:                 "its field Untagged is not a number that fits into int",
		`{"size":"hugo"}`:                     "its field size is not a number that fits into int64",
		`{"inner":{"name":7}}`:                "its field inner.name is not a JSON string",
		`{"inner":"hugo"}`:                    "its field inner is not a JSON object",
		`{"list":{}}`:                         "its field list is not a JSON array",
		`{"metadata":{"hugo@example":7}}`:     "its field metadata is not a JSON string",
		`{"metadata":{"hugo marsh":{"x":7}}}`: "its field metadata is not a JSON string",
		`{"by_name":{"hugo@example":{"name":7}}}`:      "",
		`{"list":[{"name":"a"},{"name":{"hugo":[]}}]}`: "",
	} {
		v := new(model)
		err := Unmarshal([]byte(text), v)
		require.Error(t, err, text)
		got := Trouble(err, v)
		if want != "" {
			require.Equal(t, want, got, text)
		}
		require.NotContains(t, got, "hugo", text)
	}
	var n int
	require.Equal(t, "it, or a value in it, is not a number that fits into int", Trouble(json.Unmarshal([]byte(`"hugo"`), &n), &n))
	require.Equal(t, "one of its values has a form that the SDK does not know", Trouble(errors.New("hugo"), nil))
}

type mute struct{}

func (mute) MarshalJSON() ([]byte, error) { return nil, errors.New("hugo") }

type loud struct{}

func (*loud) MarshalJSON() ([]byte, error) { return nil, errors.New("hugo") }

func TestTroubleWithAValue(t *testing.T) {
	const unfit = "it holds a value that JSON can't express, like a channel, NaN or a cycle"
	for _, tt := range []struct {
		v    any
		want string
	}{
		{map[string]any{"hugo": make(chan int)}, unfit},
		{map[string]any{"hugo": math.NaN()}, unfit},
		{[]any{mute{}}, "the encoder of jsonwire.mute fails"},
		{&loud{}, "the encoder of jsonwire.loud fails"},
	} {
		_, err := json.Marshal(tt.v)
		require.Error(t, err)
		require.Equal(t, tt.want, Trouble(err, tt.v))
	}
}
