package jsonwire

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

var objects = []string{
	`{}`, `[]`, `1`, `"data"`, `null`, ` { "data" : 1 } `, `{"data":null}`, `{"data":[1,{"data":2}]}`,
	`{"other":{"data":1}}`, `{"other":{"data":1},"data":{"a":"}"}}`, `{"data":"a\"b\\","x":1}`,
	`{"Data":1,"data":2}`, `{"data":1,"DATA":2}`, `{"data":1,"data":null}`, `{"d\u0061ta":true}`,
	`{"x":"\\","data":-1.5e3}`, "{\n\t\"data\"\r\n:\t[ ]\n,\"x\":[[],{}]}", `{"data":"","datum":1}`,
	`{"":1,"data":{"":[]}}`, `["data",{"data":1}]`, `{"x":"data","y":false,"data":false}`, `{"x":"\\\"{","data":{"k":"[\\"}}`,
}

// byParser is what Member must find, at its own pace.
func byParser(t *testing.T, object []byte) json.RawMessage {
	var whole struct{ Data *json.RawMessage }
	if err := json.Unmarshal(object, &whole); err != nil || whole.Data == nil {
		return nil
	}
	return *whole.Data
}

func TestMember(t *testing.T) {
	for _, object := range objects {
		require.Equal(t, string(byParser(t, []byte(object))), string(Member([]byte(object), "data")), object)
	}
}

func FuzzMember(f *testing.F) {
	for _, object := range objects {
		f.Add([]byte(object))
	}
	f.Add([]byte(`{"`))
	f.Fuzz(func(t *testing.T, object []byte) {
		if json.Valid(object) {
			require.Equal(t, string(byParser(t, object)), string(Member(object, "data")))
		} else {
			Member(object, "data") // whatever it finds, it comes to an end
		}
	})
}
