package engine

import "github.com/yamori-net/yamori/internal/flow"

// connList is a list of conns, the least recently used first.
type connList struct{ head, tail *conn }

func (l *connList) push(c *conn) {
	c.list, c.prev, c.next = l, l.tail, nil
	if l.tail != nil {
		l.tail.next = c
	} else {
		l.head = c
	}
	l.tail = c
}

func (l *connList) remove(c *conn) {
	if c.prev != nil {
		c.prev.next = c.next
	} else {
		l.head = c.next
	}
	if c.next != nil {
		c.next.prev = c.prev
	} else {
		l.tail = c.prev
	}
	c.list, c.prev, c.next = nil, nil, nil
}

// touch notes that c was used. Conns of flows in which only one side has
// spoken are kept apart: a flood makes nothing else, and so sheds itself.
func (w *Worker) touch(c *conn) {
	l := &w.lru[0]
	if c.flow.State != flow.New {
		l = &w.lru[1]
	}
	if c.list == l && l.tail == c {
		return
	}
	if c.list != nil {
		c.list.remove(c)
	}
	l.push(c)
}

// shed makes room for one more conn: the content of the flow used longest ago
// is no longer looked into.
func (w *Worker) shed() {
	w.n.Shed++
	w.giveUp(w.oldest())
}

// oldest returns the conn used longest ago, of a one-sided flow if there is
// any; nil when there is none.
func (w *Worker) oldest() *conn {
	if v := w.lru[0].head; v != nil {
		return v
	}
	return w.lru[1].head
}

// giveUp releases v while another flow is being worked on.
func (w *Worker) giveUp(v *conn) {
	if w.match != nil {
		// The rules are at work on another flow.
		defer w.match.Resume(w.match.Suspend())
	}
	w.release(v.flow, v)
}
