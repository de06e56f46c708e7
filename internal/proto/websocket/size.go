package websocket

import (
	"sync"
	"unsafe"

	"github.com/yamori-net/yamori/internal/proto"
)

// keptMessage bounds the memory of a short message, and of a window that goes
// back to its pool: borrowing it must not cost what the longest message did.
const keptMessage = 8 << 10

// buffer64 holds a message under way.
type buffer64 struct {
	b    []byte
	long bool // from longs
}

// The pools keep memory with messages under way and off idle connections.
var (
	shorts    = sync.Pool{New: func() any { return new(buffer64) }}
	longs     = sync.Pool{New: func() any { return &buffer64{b: make([]byte, 0, MaxMessage), long: true} }}
	inflaters = sync.Pool{New: func() any { return new(inflater) }}
)

func newBuffer() *buffer64 { return shorts.Get().(*buffer64) }

// room returns a buffer with what b holds and room for n bytes more.
func (b *buffer64) room(n int) *buffer64 {
	if b.long || len(b.b)+n <= keptMessage {
		return b
	}
	l := longs.Get().(*buffer64)
	l.b = append(l.b, b.b...)
	b.release()
	return l
}

func (b *buffer64) release() {
	if b.long {
		b.b = b.b[:0]
		longs.Put(b)
		return
	}
	b.b = proto.Keep(b.b, 2*keptMessage) // append rounds up
	shorts.Put(b)
}

func (z *inflater) release() {
	z.out = proto.Keep(z.out, keptMessage)
	inflaters.Put(z)
}

// Size implements proto.Sizer.
func (p *parser) Size() int {
	n := 0
	for d := range p.side {
		s := &p.side[d]
		if s.buf != nil {
			n += int(unsafe.Sizeof(*s.buf)) + cap(s.buf.b)
		}
		if s.z != nil {
			n += int(unsafe.Sizeof(*s.z)) + cap(s.z.out)
		}
	}
	return n
}
