package smb

import "unsafe"

// Size implements proto.Sizer: no more than maxPending transactions wait, and
// about as many are free.
func (p *parser) Size() int {
	n := (cap(p.pending) + cap(p.free)) * int(unsafe.Sizeof((*Tx)(nil)))
	for _, t := range p.pending {
		n += int(unsafe.Sizeof(*t)) + cap(t.buf)
	}
	for _, t := range p.free {
		n += int(unsafe.Sizeof(*t)) + cap(t.buf)
	}
	return n
}
