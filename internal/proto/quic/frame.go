package quic

// frame types that are looked into, RFC 9000 section 19.
const (
	framePadding = 0x00
	frameCrypto  = 0x06
	frameClose   = 0x1c
	// googleCrypto is the CRYPTO frame of Q050 and T05x, which kept Google's
	// own numbers inside IETF packets.
	googleCrypto = 0x08
)

// frameShape says how to skip each other frame of RFC 9000: v is a variable-length
// integer, b such an integer and as many bytes, c a byte and as many bytes, the
// digits 2 and 8 sixteen and eight bytes, r the rest of the packet, A and E an
// ACK without and with ECN counts.
var frameShape = [...]string{
	0x01: "", 0x02: "A", 0x03: "E", 0x04: "vvv", 0x05: "vv", 0x07: "b",
	0x08: "vr", 0x09: "vr", 0x0a: "vb", 0x0b: "vb", 0x0c: "vvr", 0x0d: "vvr", 0x0e: "vvb", 0x0f: "vvb",
	0x10: "v", 0x11: "vv", 0x12: "v", 0x13: "v", 0x14: "v", 0x15: "vv", 0x16: "v", 0x17: "v",
	0x18: "vvc2", 0x19: "v", 0x1a: "8", 0x1b: "8", 0x1c: "vvb", 0x1d: "vb", 0x1e: "",
}

// maxRanges bounds the ranges walked of one ACK frame.
const maxRanges = 4096

// walk goes through the frames of a packet and hands each CRYPTO frame to f.
// It returns false when a frame is unknown or ends beyond the packet, after
// having handed over what came before. closed is set by a CONNECTION_CLOSE.
func walk(b []byte, google bool, f func(off uint64, data []byte)) (closed, ok bool) {
	for len(b) > 0 {
		t := b[0]
		b = b[1:]
		switch {
		case t == framePadding:
		case t == frameCrypto || google && t == googleCrypto:
			off, n := varint(b)
			if n == 0 {
				return closed, false
			}
			data, rest, ok := bytesOf(b[n:])
			if !ok {
				return closed, false
			}
			f(off, data)
			b = rest
		default:
			if int(t) >= len(frameShape) {
				return closed, false
			}
			closed = closed || t == frameClose
			var ok bool
			if b, ok = skip(b, frameShape[t]); !ok {
				return closed, false
			}
		}
	}
	return closed, true
}

// bytesOf takes a length and as many bytes off b.
func bytesOf(b []byte) (data, rest []byte, ok bool) {
	v, n := varint(b)
	if n == 0 || v > uint64(len(b)-n) {
		return nil, nil, false
	}
	return b[n : n+int(v)], b[n+int(v):], true
}

// skip takes the fields of a frame off b.
func skip(b []byte, shape string) ([]byte, bool) {
	for i := range len(shape) {
		n := 0
		switch shape[i] {
		case 'v':
			_, n = varint(b)
			if n == 0 {
				return nil, false
			}
		case 'b':
			_, rest, ok := bytesOf(b)
			if !ok {
				return nil, false
			}
			b = rest
		case 'c':
			if len(b) == 0 {
				return nil, false
			}
			n = 1 + int(b[0])
		case '8':
			n = 8
		case '2':
			n = 16
		case 'r':
			n = len(b)
		case 'A', 'E':
			var ok bool
			if b, ok = skipAck(b, shape[i] == 'E'); !ok {
				return nil, false
			}
		}
		if n > len(b) {
			return nil, false
		}
		b = b[n:]
	}
	return b, true
}

// skipAck takes an ACK frame off b, RFC 9000 section 19.3.
func skipAck(b []byte, ecn bool) ([]byte, bool) {
	count := uint64(0)
	for i := 0; i < 4; i++ { // largest, delay, range count, first range
		v, n := varint(b)
		if n == 0 {
			return nil, false
		}
		if i == 2 {
			count = v
		}
		b = b[n:]
	}
	if count > maxRanges {
		return nil, false
	}
	more := int(count) * 2 // gap and length of each further range
	if ecn {
		more += 3
	}
	for range more {
		_, n := varint(b)
		if n == 0 {
			return nil, false
		}
		b = b[n:]
	}
	return b, true
}
