package http

import (
	"sync"
	"unsafe"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// What a transaction or decoder keeps when it goes back to its pool: usual
// messages fit, and what a hostile one made it grow to does not stay.
const (
	// A head at its limits fits: the pool is emptied by the garbage collector,
	// and who borrows from it is counted with all the memory that comes along.
	keptHead    = 2 * MaxHead // bytes of a head, of joined lines and of text made from them
	keptHeaders = 256         // header fields
	keptQueue   = 4           // places for waiting requests
	keptBody    = 20 << 10    // MaxBody and what append rounds it up to
	keptLayer   = 128 << 10   // window of one content coding and its output, as append rounds them up
)

// body is the memory of one message's body. Transactions borrow it with the
// first byte: most messages have no body, and a connection that waits for its
// answer must not hold the memory of the largest one ever seen.
type body struct{ b []byte }

var bodies = sync.Pool{New: func() any { return new(body) }}

// room makes sure that there is memory for the body.
func (m *message) room() {
	if m.mem == nil {
		m.mem = bodies.Get().(*body)
		m.body = m.mem.b[:0]
	}
}

// releaseBody gives the memory of the body back.
func (m *message) releaseBody() {
	if m.mem != nil {
		m.mem.b = proto.Keep(m.body, keptBody)
		bodies.Put(m.mem)
	}
	m.mem, m.body = nil, nil
}

// Size implements proto.Sizer: at most MaxPending+1 transactions are added up.
func (p *parser) Size() int {
	n := cap(p.queue) * int(unsafe.Sizeof((*Tx)(nil)))
	for _, t := range p.queue {
		n += t.size()
	}
	if t := p.side[packet.ToClient].tx; t != nil && !p.queued(t) {
		n += t.size()
	}
	return n
}

func (t *Tx) size() int {
	return int(unsafe.Sizeof(*t)) + t.msg[0].size() + t.msg[1].size() + cap(t.path) + cap(t.host)
}

func (m *message) size() int {
	n := proto.Held(m.head) + proto.Held(m.fold) + cap(m.body) + cap(m.join) + cap(m.names) + cap(m.start) + cap(m.one) + cap(m.name) + cap(m.lists) + cap(m.listed)*int(unsafe.Sizeof(list{})) + cap(m.headers)*int(unsafe.Sizeof(Header{}))
	if m.dec != nil {
		n += int(unsafe.Sizeof(*m.dec)) + cap(m.dec.win[0]) + cap(m.dec.win[1]) + cap(m.dec.win[2])
	}
	if m.multi != nil {
		n += m.multi.size()
	}
	return n
}
