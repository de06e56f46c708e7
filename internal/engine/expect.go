package engine

import (
	"sync"
	"sync/atomic"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

const (
	// maxExpected bounds the announced flows that have not begun.
	maxExpected = 1024
	// expectTime is how long an announced flow is waited for, ns of packet
	// time: a client opens it at once, or when its user answers a question.
	expectTime = 120e9
)

// expectations are the flows that others announced. The announcing flow and
// the announced one may belong to different workers: this is the only table
// they share, and it is locked only while it is not empty.
type expectations struct {
	n     atomic.Int32
	mu    sync.Mutex
	table map[expectKey]*expected
	order []expectKey // oldest first, those taken included
}

type expectKey struct {
	client, server packet.Addr
	port           uint16
}

type expected struct {
	x    proto.Expected
	time int64
	name []byte
}

// add takes an announcement.
func (e *expectations) add(x *proto.Expected, now int64) {
	k := expectKey{x.Client, x.Server, x.Port}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.table == nil {
		e.table = map[expectKey]*expected{}
	}
	o := e.table[k]
	if o == nil {
		e.expire(now)
		o = &expected{}
		e.table[k] = o
		e.order = append(e.order, k)
		e.n.Store(int32(len(e.table)))
	}
	o.x, o.time = *x, now
	o.name = append(o.name[:0], x.Name...)
	o.x.Name = o.name
}

// expire makes room for one more.
func (e *expectations) expire(now int64) {
	for len(e.order) > 0 {
		k := e.order[0]
		o := e.table[k]
		if o != nil && len(e.order) < maxExpected && now-o.time <= expectTime {
			return
		}
		delete(e.table, k)
		e.order = e.order[:copy(e.order, e.order[1:])]
	}
}

// take removes and returns the announcement of a flow, nil when it has none.
func (e *expectations) take(client, server packet.Addr, port uint16, now int64) *proto.Expected {
	if e.n.Load() == 0 {
		return nil
	}
	k := expectKey{client, server, port}
	e.mu.Lock()
	defer e.mu.Unlock()
	o := e.table[k]
	if o == nil {
		return nil
	}
	delete(e.table, k)
	for i := range e.order {
		if e.order[i] == k {
			e.order = append(e.order[:i], e.order[i+1:]...)
			break
		}
	}
	e.n.Store(int32(len(e.table)))
	if now-o.time > expectTime {
		return nil
	}
	return &o.x
}

// expect starts the protocol of a flow that was announced.
func (c *conn) expect() {
	w := c.w
	x := w.e.expects.take(c.pc.Client, c.pc.Server, c.pc.ServerPort, w.now)
	if x == nil {
		return
	}
	if i, ok := w.e.byName[x.Proto]; ok {
		c.pc.Expected = x
		c.start(i)
	}
}
