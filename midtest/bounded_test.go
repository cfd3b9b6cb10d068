package midtest

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestLogsAreBounded(t *testing.T) {
	var log []int
	for i := range maxLogged + 5 {
		log = appendBounded(log, i)
	}
	assert.Len(t, log, maxLogged)
	assert.Equal(t, 5, log[0], "the oldest are forgotten")
	assert.Equal(t, maxLogged+4, log[maxLogged-1])
}
