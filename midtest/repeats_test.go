package midtest

import (
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestOneWorksWhileTheOthersWait(t *testing.T) {
	r := repeats{first: map[string]firstAnswer{}}
	c := &call{r: httptest.NewRequest(http.MethodPost, "/v1/auth/sessions", http.NoBody)}
	c.r.Header.Set(keyHeader, "k")
	var worked atomic.Int32
	var work func() *answer
	answers := make(chan *answer)
	ask := func() { answers <- r.do(c, "the same", work) }
	work = func() *answer {
		turn := worked.Add(1)
		if turn == 1 {
			go ask()
			for range 1000 { // as long as the other needs to get here, if it can
				runtime.Gosched()
			}
		}
		return &answer{status: http.StatusCreated, requestID: strconv.Itoa(int(turn))}
	}
	go ask()
	first, second := <-answers, <-answers
	assert.EqualValues(t, 1, worked.Load())
	assert.Same(t, first, second)
}
