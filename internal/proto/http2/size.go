package http2

import (
	"unsafe"

	"github.com/yamori-net/yamori/internal/proto"
)

// What a parser or transaction keeps for its next use.
const (
	keptHead    = 2 << 10 // bytes of header fields of one message, as sent or decoded
	keptHeaders = 32      // header fields of one message
	keptTable   = 2 << 10 // bytes of a dynamic table
	keptEntries = 64      // entries of a dynamic table
	keptStreams = 16      // places for streams
)

// Size implements proto.Sizer. What the streams hold is counted as they
// change, see count.
func (p *parser) Size() int {
	n := p.held + cap(p.streams)*int(unsafe.Sizeof((*Tx)(nil)))
	for d := range p.side {
		s := &p.side[d]
		n += cap(s.block) + cap(s.control) + cap(s.hpack.scratch) + cap(s.hpack.table.buf) + cap(s.hpack.table.entries)*int(unsafe.Sizeof(entry{}))
	}
	return n
}

// count brings what t holds up to date in the sum of all streams.
func (p *parser) count(t *Tx) {
	n := int(unsafe.Sizeof(*t)) + proto.Held(t.mem[0]) + proto.Held(t.mem[1]) + cap(t.body[0]) + cap(t.body[1]) + cap(t.scratch) + (cap(t.RequestHeaders)+cap(t.ResponseHeaders))*int(unsafe.Sizeof(Header{}))
	p.held += n - t.held
	t.held = n
}

// release gives t back.
func (t *Tx) release() {
	*t = Tx{RequestHeaders: proto.Keep(t.RequestHeaders, keptHeaders), ResponseHeaders: proto.Keep(t.ResponseHeaders, keptHeaders),
		mem:     [2][]byte{proto.Keep(t.mem[0], keptHead), proto.Keep(t.mem[1], keptHead)},
		body:    [2][]byte{t.body[0][:0], t.body[1][:0]},
		scratch: proto.Keep(t.scratch, keptHead)}
	txs.Put(t)
}

// shrink prepares the table for another connection.
func (d *decoder) shrink() {
	t := &d.table
	t.entries, t.buf, d.scratch = proto.Keep(t.entries, keptEntries), proto.Keep(t.buf, keptTable), proto.Keep(d.scratch, keptHead)
	t.reset()
}
