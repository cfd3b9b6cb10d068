package mid_test

import (
	"encoding/json"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mobid-io/mid-go"
)

// An event in the usual spelling is read without a parser. It is the same event as a
// parser would make of it.
func TestEventIsReadAsJSON(t *testing.T) {
	hooks := newHooks(t, mid.WebhookConfig{})
	now := time.Now().UnixMilli()
	const data = `{"id":"sess_1","status":"approved","note":"\"id\": }],"}`
	for name, rest := range map[string]string{
		"usual":           `"id":"evt_1","type":"authentication.completed","data":` + data,
		"data first":      `"data":` + data + `,"type":"authentication.completed","id":"evt_1"`,
		"white space":     " \"id\" :\t\"evt_1\" , \"type\": \"authentication.completed\",\r\n\"data\" : " + data + " ",
		"escapes":         `"\u0069d":"evt\u005f1","type":"authentication\u002ecompleted","data":` + data,
		"the last counts": `"id":"evt_0","id":"evt_1","type":"authentication.completed","data":{},"data":` + data,
		"another case":    `"ID":"evt_1","Type":"authentication.completed","dATA":` + data,
		"unknown fields":  `"id":"evt_1","more":[{"id":"evt_2"}],"type":"authentication.completed","data":` + data,
		"beyond ASCII":    `"id":"evt_1","é":"ü","type":"authentication.completed","data":` + data,
		"nested data":     `"id":"evt_1","type":"authentication.completed","x":{"data":1},"data":` + data,
	} {
		t.Run(name, func(t *testing.T) {
			body := []byte(`{"timestamp":` + strconv.FormatInt(now, 10) + `,` + rest + `}`)
			var want struct {
				ID, Type string
				Data     json.RawMessage
			}
			require.NoError(t, json.Unmarshal(body, &want))
			require.Equal(t, "evt_1", want.ID, "the test's own")
			event, err := hooks.Parse(body, hookHeader(body))
			require.NoError(t, err)
			require.Equal(t, want.ID, event.ID)
			require.Equal(t, want.Type, string(event.Type))
			require.Equal(t, string(want.Data), string(event.Data))
			require.Equal(t, now, event.Timestamp.UnixMilli())
			clear(body)
			require.Equal(t, string(want.Data), string(event.Data), "a copy")
		})
	}
}
