package sip

import (
	"unsafe"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/textline"
)

// What each direction of a parser keeps for its next flow: usual messages fit.
const (
	keptHead    = 2 << 10 // bytes of start line and header fields
	keptHeaders = 32      // header fields
	keptLines   = 48      // lines of a session description
)

// Size implements proto.Sizer.
func (p *parser) Size() int {
	n := 0
	for d := range p.side {
		t := &p.side[d].tx
		n += cap(p.side[d].buf) + cap(t.SDP)*int(unsafe.Sizeof(Line{}))
		n += proto.Held(t.mem) + cap(t.Headers)*int(unsafe.Sizeof(textline.Field{}))
	}
	return n
}

// shrink empties the transaction of direction d for the next flow.
func (p *parser) shrink(d packet.Dir) Tx {
	t := &p.side[d].tx
	return Tx{Headers: proto.Keep(t.Headers, keptHeaders), mem: proto.Keep(t.mem, keptHead), SDP: proto.Keep(t.SDP, keptLines)}
}
