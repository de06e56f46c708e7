package bittorrent

import "encoding/binary"

// Packet types of uTP, BEP 29: the upper half of the first byte, the lower one
// is the version 1.
const (
	utpData = iota
	utpFin
	utpState
	utpReset
	utpSyn
)

const utpHeader = 20

// utp reads a uTP packet. ok is false when header, extensions and payload do
// not fit together as BEP 29 has them.
func utp(b []byte) (typ byte, payload []byte, ok bool) {
	if len(b) < utpHeader || b[0]&15 != 1 || b[0]>>4 > utpSyn {
		return 0, nil, false
	}
	typ = b[0] >> 4
	// Nobody has a window of 256 MB, nor sends at microsecond zero.
	if binary.BigEndian.Uint16(b[2:]) == 0 || binary.BigEndian.Uint32(b[4:]) == 0 || binary.BigEndian.Uint32(b[12:]) >= 1<<28 {
		return 0, nil, false
	}
	ext := b[1]
	for b = b[utpHeader:]; ext != 0; {
		if len(b) < 2 {
			return 0, nil, false
		}
		n := int(b[1])
		switch {
		case ext == 1 && n >= 4 && n%4 == 0: // selective acknowledgement
		case ext == 2 && n == 8: // extension bits
		case ext == 3 && n == 4: // close reason
		default:
			return 0, nil, false
		}
		if len(b) < 2+n {
			return 0, nil, false
		}
		ext, b = b[0], b[2+n:]
	}
	return typ, b, (typ == utpData) == (len(b) > 0)
}
