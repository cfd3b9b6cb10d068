package midtest

import (
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestOneWorksWhileTheOthersWait(t *testing.T) {
	r := newRepeats()
	var worked atomic.Int32
	var work func() (*answer, error)
	answers := make(chan *answer)
	ask := func() {
		a, _ := r.do([]string{"k"}, "the same", work)
		answers <- a
	}
	work = func() (*answer, error) {
		turn := worked.Add(1)
		if turn == 1 {
			go ask()
			for range 1000 { // as long as the other needs to get here, if it can
				runtime.Gosched()
			}
		}
		return &answer{requestID: strconv.Itoa(int(turn))}, nil
	}
	go ask()
	first, second := <-answers, <-answers
	assert.EqualValues(t, 1, worked.Load())
	assert.Same(t, first, second)
}
