package smb

import (
	"unsafe"

	"github.com/yamori-net/yamori/internal/proto"
)

// Size implements proto.Sizer: no more than maxPending transactions wait, about
// as many are free, and maxPipes pipes are open.
func (p *parser) Size() int {
	n := (cap(p.pending) + cap(p.free)) * int(unsafe.Sizeof((*Tx)(nil)))
	for _, t := range p.pending {
		n += int(unsafe.Sizeof(*t)) + proto.Held(t.buf) + t.DCE.Size()
	}
	for _, x := range p.pipes {
		n += int(unsafe.Sizeof(*x)) + x.Size()
	}
	for _, x := range p.freePipes {
		n += int(unsafe.Sizeof(*x)) + x.Size()
	}
	for _, t := range p.free {
		n += int(unsafe.Sizeof(*t)) + proto.Held(t.buf) + t.DCE.Size()
	}
	if p.store != nil {
		n += p.store.size()
	}
	return n
}
