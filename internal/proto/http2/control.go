package http2

import (
	"encoding/binary"
	"math/bits"
	"strconv"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// frameBuffers are the buffers of frames, which are no header fields and no
// bodies, each for either side.
func frameBuffers() (out []proto.Buffer) {
	for _, b := range [...]struct {
		name, doc string
		get       func(t *Tx, d packet.Dir, i int) ([]byte, bool)
	}{
		{"http2.frametype", "types of frames, decimal numbers", frameType},
		{"http2.settings", "settings as sent, six bytes each", func(t *Tx, d packet.Dir, i int) ([]byte, bool) {
			b := t.of(d, frSettings)
			return b, i == 0 && len(b) > 0
		}},
		{"http2.window", "window of a WINDOW_UPDATE frame, a decimal number", func(t *Tx, d packet.Dir, i int) ([]byte, bool) {
			b := t.of(d, frWindow)
			if i != 0 || len(b) < 4 {
				return nil, false
			}
			return t.decimal(binary.BigEndian.Uint32(b) &^ (1 << 31)), true
		}},
		{"http2.priority", "weight of a stream's priority, a decimal number", func(t *Tx, d packet.Dir, i int) ([]byte, bool) {
			if i != 0 {
				return nil, false
			}
			if b := t.of(d, frPriority); len(b) >= 5 {
				return t.decimal(uint32(b[4])), true
			}
			if !t.weighed || d != packet.ToServer {
				return nil, false
			}
			return t.decimal(uint32(t.weight)), true
		}},
		{"http2.size_update", "new size of the dynamic table, a decimal number", func(t *Tx, d packet.Dir, i int) ([]byte, bool) {
			if i != 0 || !t.updated[d] {
				return nil, false
			}
			return t.decimal(t.update[d]), true
		}},
		{"frame.http2.pdu", "a frame of the connection", func(t *Tx, d packet.Dir, i int) ([]byte, bool) {
			return t.control, i == 0 && len(t.control) >= 9 && t.from == d
		}},
		{"frame.http2.hdr", "header of a frame of the connection", func(t *Tx, d packet.Dir, i int) ([]byte, bool) {
			if i != 0 || len(t.control) < 9 || t.from != d {
				return nil, false
			}
			return t.control[:9], true
		}},
		{"frame.http2.data", "payload of a frame of the connection", func(t *Tx, d packet.Dir, i int) ([]byte, bool) {
			if i != 0 || len(t.control) <= 9 || t.from != d {
				return nil, false
			}
			return t.control[9:], true
		}},
	} {
		for d := range packet.Dir(2) {
			out = append(out, proto.Buffer{Name: b.name, Doc: b.doc, Dir: d, Get: func(tx proto.Tx, i int) ([]byte, bool) {
				t, ok := tx.(*Tx)
				if !ok {
					return nil, false
				}
				return b.get(t, d, i)
			}})
		}
	}
	return out
}

// of is the payload of the control frame when it is of that type and sender.
func (t *Tx) of(d packet.Dir, typ byte) []byte {
	if len(t.control) <= 9 || t.from != d || t.control[3] != typ {
		return nil
	}
	return t.control[9:]
}

func frameType(t *Tx, d packet.Dir, i int) ([]byte, bool) {
	if len(t.control) >= 9 {
		return t.decimal(uint32(t.control[3])), i == 0 && t.from == d
	}
	left := t.seen[d]
	for ; i > 0 && left != 0; i-- {
		left &= left - 1
	}
	if left == 0 {
		return nil, false
	}
	return t.decimal(uint32(bits.TrailingZeros16(left))), true
}

func (t *Tx) decimal(n uint32) []byte {
	return t.text(strconv.AppendUint(t.scratch[:0], uint64(n), 10))
}
