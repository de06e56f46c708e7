package pop3

import (
	"unsafe"

	"github.com/yamori-net/yamori/internal/proto"
)

// What a parser keeps for its next flow: the longest pipelines and texts do
// not stay.
const (
	keptTx   = 4       // transactions
	keptText = 1 << 10 // bytes of the texts of one, and of each other buffer
)

// Size implements proto.Sizer: no more than maxPending transactions wait, and
// about as many are free.
func (p *parser) Size() int {
	n := cap(p.user) + (cap(p.pending)+cap(p.free))*int(unsafe.Sizeof((*Tx)(nil)))
	for _, t := range p.pending {
		n += int(unsafe.Sizeof(*t)) + proto.Held(t.buf)
	}
	for _, t := range p.free {
		n += int(unsafe.Sizeof(*t)) + proto.Held(t.buf)
	}
	return n
}

// shrink lets go of what a parser should not keep between flows.
func (p *parser) shrink() {
	clear(p.free[min(len(p.free), keptTx):])
	p.free = p.free[:min(len(p.free), keptTx)]
	for _, t := range p.free {
		t.buf = proto.Keep(t.buf, keptText)
		t.reset() // its texts would hold on to the arrays that buf has outgrown
	}
}
