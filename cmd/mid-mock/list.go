package main

// maxShown bounds each list on the page, so that it stays usable after a load
// test.
const maxShown = 50

// list is one kind of items, those that wait for a decision first.
type list[T item] struct {
	Items   []T
	Waiting int
	More    int // not shown
}

func newList[T item](all []T) list[T] {
	l := list[T]{Items: make([]T, 0, len(all))}
	for _, i := range all {
		if i.Open() {
			l.Items = append(l.Items, i)
		}
	}
	l.Waiting = len(l.Items)
	for _, i := range all {
		if !i.Open() {
			l.Items = append(l.Items, i)
		}
	}
	l.More = max(len(all)-maxShown, 0)
	l.Items = l.Items[:len(all)-l.More]
	return l
}
