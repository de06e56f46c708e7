package quic

import "encoding/binary"

// Packet types of long headers, as numbered in version 1 (RFC 9000 section
// 17.2).
const (
	typeInitial = iota
	typeZeroRTT
	typeHandshake
	typeRetry
	typeNegotiation // version 0: not a type of its own on the wire
)

// maxCID is the longest connection id of the versions known here, RFC 9000
// section 17.2.
const maxCID = 20

// header is the readable part of a packet with a long header.
type header struct {
	version    uint32
	typ        uint8
	dcid, scid []byte
	token      []byte
	pn         int // offset of the packet number
	end        int // of the packet in its datagram; what follows is the next
}

// parseLong reads a long header at the front of b, RFC 9000 section 17.2 and
// RFC 8999. It returns false when the header contradicts itself. Of a version
// that no document defines only the invariant part is believed, but the rest
// is read as if it were version 1.
func parseLong(b []byte, h *header) bool {
	*h = header{end: len(b)}
	if len(b) < 7 || b[0]&0x80 == 0 {
		return false
	}
	h.version = binary.BigEndian.Uint32(b[1:])
	off := 5
	n := int(b[off])
	if n > maxCID || len(b) < off+1+n+1 {
		return false
	}
	h.dcid = b[off+1 : off+1+n]
	off += 1 + n
	n = int(b[off])
	if n > maxCID || len(b) < off+1+n {
		return false
	}
	h.scid = b[off+1 : off+1+n]
	off += 1 + n
	if h.version == 0 {
		h.typ, h.pn = typeNegotiation, off
		return len(b) > off && (len(b)-off)%4 == 0
	}
	h.typ = b[0] >> 4 & 3
	if s := suiteOf(h.version); s != nil && s.v2 {
		h.typ = (h.typ + 3) & 3 // RFC 9369 section 3.2: one higher, Retry 0
	}
	switch h.typ {
	case typeRetry:
		h.pn = off
		return len(b) >= off+16 // the integrity tag
	case typeInitial:
		v, k := varint(b[off:])
		off += k
		if k == 0 || v > uint64(len(b)-off) {
			return false
		}
		h.token = b[off : off+int(v)]
		off += int(v)
	}
	v, k := varint(b[off:])
	off += k
	if k == 0 || v > uint64(len(b)-off) || v < 4+16 {
		return false // too short for a sample of header protection, RFC 9001 section 5.4.2
	}
	h.pn = off
	h.end = off + int(v)
	return true
}

// varint reads a variable-length integer, RFC 9000 section 16. It returns its
// length too, 0 when b is too short.
func varint(b []byte) (v uint64, n int) {
	if len(b) == 0 {
		return 0, 0
	}
	n = 1 << (b[0] >> 6)
	if len(b) < n {
		return 0, 0
	}
	v = uint64(b[0] & 0x3f)
	for _, c := range b[1:n] {
		v = v<<8 | uint64(c)
	}
	return v, n
}
