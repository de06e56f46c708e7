package evidence

import (
	"encoding/binary"

	"github.com/yamori-net/yamori/internal/packet"
)

// A record is a header and the packet's bytes, padded to eight bytes.
const headLen = 48

// record is the header in the open.
type record struct {
	size      int // of the whole record
	flow, seq uint64
	time      int64
	wire, cap int
	link      packet.LinkType
	tpid, tci uint16 // of a tag that the network card took off; tpid 0: none
}

func sizeOf(n int) int { return (headLen + n + 7) &^ 7 }

func (r *record) put(b []byte) {
	le := binary.LittleEndian
	le.PutUint32(b, uint32(r.size))
	le.PutUint32(b[4:], uint32(r.cap))
	le.PutUint64(b[8:], r.flow)
	le.PutUint64(b[16:], r.seq)
	le.PutUint64(b[24:], uint64(r.time))
	le.PutUint32(b[32:], uint32(r.wire))
	le.PutUint16(b[36:], uint16(r.link))
	le.PutUint16(b[38:], r.tpid)
	le.PutUint16(b[40:], r.tci)
}

func (r *record) get(b []byte) {
	le := binary.LittleEndian
	r.size, r.cap = int(le.Uint32(b)), int(le.Uint32(b[4:]))
	r.flow, r.seq, r.time = le.Uint64(b[8:]), le.Uint64(b[16:]), int64(le.Uint64(b[24:]))
	r.wire, r.link = int(le.Uint32(b[32:])), packet.LinkType(le.Uint16(b[36:]))
	r.tpid, r.tci = le.Uint16(b[38:]), le.Uint16(b[40:])
}

// ring holds records in one piece of memory, the oldest giving way. They lie
// in [tail,head), or when wrapped in [tail,end) and [0,head).
type ring struct {
	buf             []byte
	head, tail, end int
	n               int
	wrapped         bool
}

// room returns the place for a record of size bytes; nil: it never fits.
func (r *ring) room(size int) []byte {
	if size > len(r.buf) {
		return nil
	}
	for {
		if r.n == 0 {
			r.head, r.tail, r.wrapped = 0, 0, false
		}
		if !r.wrapped {
			if r.head+size <= len(r.buf) {
				break
			}
			r.end, r.head, r.wrapped = r.head, 0, true
		}
		if r.head+size <= r.tail {
			break
		}
		r.evict()
	}
	b := r.buf[r.head : r.head+size]
	r.head += size
	r.n++
	return b
}

func (r *ring) evict() {
	r.tail += int(binary.LittleEndian.Uint32(r.buf[r.tail:]))
	r.n--
	if r.wrapped && r.tail == r.end {
		r.tail, r.wrapped = 0, false
	}
}

// each calls f with each record, the oldest first; b is valid until the next
// record is put.
func (r *ring) each(f func(b []byte)) {
	at, wrapped := r.tail, r.wrapped
	for range r.n {
		size := int(binary.LittleEndian.Uint32(r.buf[at:]))
		f(r.buf[at : at+size])
		if at += size; wrapped && at == r.end {
			at, wrapped = 0, false
		}
	}
}
