package quic

import (
	"encoding/binary"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// minInitial is the least size of a datagram with a client's Initial, RFC 9000
// section 14.1.
const minInitial = 1200

// probe judges one datagram.
func probe(d packet.Dir, b []byte) proto.Match {
	if len(b) < 7 {
		return proto.No
	}
	if b[0]&0x80 == 0 {
		if _, n := publicHeader(b); n > 0 {
			return proto.Yes
		}
		if d == packet.ToServer {
			return proto.No
		}
		return probeShort(b)
	}
	v := binary.BigEndian.Uint32(b[1:])
	if longGoogle(v) && suiteOf(v) == nil {
		if longQ046(b) > 0 {
			return proto.Yes
		}
		return proto.No
	}
	var h header
	if !parseLong(b, &h) {
		return proto.No
	}
	if v == 0 {
		return probeNegotiation(b[h.pn:], len(h.dcid)+len(h.scid))
	}
	if suiteOf(v) != nil {
		if b[0]&0x40 == 0 && h.typ != typeRetry && !isGoogle(v) && len(h.scid) == 0 {
			return proto.Weak // the fixed bit may be greased (RFC 9287), but not by everyone
		}
		return proto.Yes
	}
	// A version nobody defined: a real client would choose at least eight
	// bytes of connection id and fill its datagram (RFC 9000 sections 7.2, 14.1).
	if b[0]&0x40 == 0 || h.typ != typeInitial || len(h.dcid) < 8 || len(b) < minInitial {
		return proto.No
	}
	if v&0x0f0f0f0f == 0x0a0a0a0a { // reserved to force a negotiation, RFC 9000 section 15
		return proto.Yes
	}
	return proto.Weak
}

// probeNegotiation judges the list of a Version Negotiation packet, RFC 9000
// section 17.2.1.
func probeNegotiation(list []byte, ids int) proto.Match {
	if ids == 0 {
		return proto.No
	}
	for ; len(list) >= 4; list = list[4:] {
		if v := binary.BigEndian.Uint32(list); suiteOf(v) != nil || isGoogle(v) {
			return proto.Yes
		}
	}
	return proto.Weak
}

// minShort is the least size of a datagram with nothing but a short header that
// is taken for QUIC: bulk data of a connection whose opening was not seen.
// Smaller ones look like every other encrypted datagram (DNSCrypt, tinc, game
// traffic in the captures of nDPI).
const minShort = 1200

// probeShort judges a packet with a short header, which shows nothing but one
// bit; the rest must look encrypted. Weak at most: it counts on port 443. Only
// the server's direction is asked, so that bulk in both directions (tinc) never
// makes a QUIC of it on other ports.
func probeShort(b []byte) proto.Match {
	const sample = 64
	if b[0]&0x40 == 0 || len(b) < minShort {
		return proto.No
	}
	s := b[1:min(len(b), 1+sample)]
	var seen [4]uint64
	distinct, printable := 0, 0
	for _, c := range s {
		if seen[c>>6]&(1<<(c&63)) == 0 {
			seen[c>>6] |= 1 << (c & 63)
			distinct++
		}
		if c >= 0x20 && c < 0x7f {
			printable++
		}
	}
	// Of n random bytes about n·(1−n/512) are distinct and 37 % printable:
	// text fails the second test, structured binary data the first.
	if distinct*100 < len(s)*78 || printable*100 > len(s)*70 {
		return proto.No
	}
	return proto.Weak
}
