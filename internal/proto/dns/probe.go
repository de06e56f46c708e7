package dns

import (
	"encoding/binary"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/textline"
)

// Shape is what a look at a whole message says about it. The protocols that
// share the wire format (mDNS, LLMNR, the NetBIOS name service) judge by it.
type Shape struct {
	Header
	Exact    bool // every record was read and nothing is left over
	Partial  bool // all records that fit were read; the message ends inside the next
	Question bool // the first question was read
	Flush    bool // some class has the top bit set, RFC 6762 sections 5.4 and 10.2
	OddClass bool // some class is none of IN, CH, HS, NONE, ANY
	NetBIOS  bool // the first name is 32 half-ASCII letters, RFC 1001 section 14.1
	Forward  bool // a name points ahead
	First    Record
	Local    bool // the first name ends in the label "local"
	Labels   int  // of the first name, at most what fits before a pointer
}

// Look walks the message in b without keeping anything.
func Look(b []byte) (s Shape, ok bool) {
	if len(b) < HeaderLen {
		return s, false
	}
	s.Header = ReadHeader(b)
	total := 0
	for i, c := range s.Counts {
		// The shortest question has 5 octets, the shortest record 11.
		total += int(c) * [4]int{5, 11, 11, 11}[i]
	}
	if total > MaxMessage {
		return s, false
	}
	off, n := HeaderLen, 0
	for sec, c := range s.Counts {
		for range c {
			if n++; n > MaxRecords {
				s.Partial = true
				return s, true
			}
			var r Record
			var ok bool
			var next int
			if sec == 0 {
				next, ok = readQuestion(b, off, &r)
			} else {
				next, ok = readRecord(b, off, &r)
			}
			if !ok {
				s.Partial = incomplete(b, off)
				return s, true
			}
			s.note(b, off, &r, Section(sec), n == 1)
			off = next
		}
	}
	s.Exact = off == len(b)
	return s, true
}

// note adds what one record says.
func (s *Shape) note(b []byte, off int, r *Record, sec Section, first bool) {
	if first {
		s.First = *r
		s.Question = sec == Questions
		s.name(b, off)
	}
	if r.Type == TypeOPT || r.Type == TypeTSIG {
		return
	}
	if sec != Authorities || s.Opcode() != 5 { // an update's classes may be NONE and ANY
		if r.Class&0x8000 != 0 {
			s.Flush = true
		}
	}
	switch r.Class &^ 0x8000 {
	case 1, 3, 4, 254, 255:
	default:
		s.OddClass = true
	}
	if off+1 < len(b) && b[off] >= 0xc0 && int(binary.BigEndian.Uint16(b[off:])&0x3fff) >= off {
		s.Forward = true
	}
}

// name looks at the labels of the first name.
func (s *Shape) name(b []byte, off int) {
	for off < len(b) && b[off] != 0 && b[off] < 0x40 {
		n := int(b[off])
		label := b[off+1 : min(len(b), off+1+n)]
		if s.Labels == 0 && n == 32 {
			s.NetBIOS = len(label) == 32
			for _, c := range label {
				if c < 'A' || c > 'P' {
					s.NetBIOS = false
				}
			}
		}
		s.Labels++
		off += 1 + n
		s.Local = n == 5 && off < len(b) && b[off] == 0 && textline.Is(label, "local")
	}
}

// incomplete reports whether the record at off could be read if b went on.
func incomplete(b []byte, off int) bool {
	for off < len(b) {
		switch c := b[off]; {
		case c == 0 || c >= 0xc0:
			return true
		case c >= 0x40:
			return false
		default:
			off += 1 + int(c)
		}
	}
	return true
}

// Plausible reports whether the header is one that a program would send: a
// known opcode, counts that fit size octets, at most a few questions.
func (h Header) Plausible(size int) bool {
	if op := h.Opcode(); op == 3 || op > 6 {
		return false
	}
	need := HeaderLen + 5*int(h.Counts[0]) + 11*(int(h.Counts[1])+int(h.Counts[2])+int(h.Counts[3]))
	return h.Counts[0] <= 4 && need <= size
}

// probe judges a datagram, or the length-prefixed start of a stream: DNS on
// TCP, RFC 7766 section 8. The two cannot be mistaken for each other by more
// than chance, since either must make sense to its last octet.
func probe(_ packet.Dir, b []byte) proto.Match {
	m := Judge(b)
	if m == proto.Yes {
		return m
	}
	if t := probeStream(b); t == proto.Yes || t == proto.More && m == proto.No || m == proto.No {
		return t
	}
	return m
}

func probeStream(b []byte) proto.Match {
	if len(b) < 2 {
		return proto.More
	}
	size := int(binary.BigEndian.Uint16(b))
	if size < HeaderLen {
		return proto.No
	}
	b = b[2:]
	if len(b) >= size {
		return judge(b[:size], size)
	}
	if len(b) < HeaderLen {
		// Some clients write the length in a segment of its own, but only before
		// a query, which is short.
		if size > 512 || len(b) > 2 && (b[2]>>3)&15 > 6 || len(b) > 5 && (b[4] != 0 || b[5] != 1) {
			return proto.No
		}
		return proto.More
	}
	s, ok := Look(b)
	switch h := s.Header; {
	case !ok || !h.Plausible(size) || !s.Partial || s.NetBIOS || s.OddClass || s.Flush || h.Flags&FlagZ != 0:
		return proto.No
	case s.Question && h.Counts[0] == 1 && s.sender():
		return proto.Yes
	case !s.Question && len(b) < HeaderLen+MaxName+4:
		return proto.More
	}
	return proto.No
}

// Judge judges one whole message.
func Judge(b []byte) proto.Match { return judge(b, len(b)) }

// judge judges a message of size octets of which b are there.
func judge(b []byte, size int) proto.Match {
	s, ok := Look(b)
	h := s.Header
	if !ok || s.NetBIOS {
		return proto.No
	}
	if h.Plausible(size) && s.Exact && s.Question && !s.OddClass && !s.Flush && !s.Forward &&
		h.Flags&FlagZ == 0 && s.First.Type != 0 && s.sender() {
		return proto.Yes
	}
	// Damaged, strange, or a header alone as some refusals are: DNS if the
	// port or the other side says so too.
	switch op := h.Opcode(); {
	case op == 3 || op > 6:
		return proto.No
	case len(b) == HeaderLen:
		if h.Counts[0] <= 1 && h.Counts[1]|h.Counts[2]|h.Counts[3] == 0 {
			return proto.Weak
		}
		return proto.No
	case s.Question && h.Counts[0] <= 4, h.Counts[0] == 0 && s.Exact && h.Counts[1] > 0,
		h.Counts[0] == 1 && h.Flags&FlagZ == 0 && h.Counts[1]|h.Counts[2]|h.Counts[3] < 256:
		return proto.Weak
	}
	return proto.No
}

// sender reports whether flags and counts are those of a client's or a
// server's message.
func (s *Shape) sender() bool {
	h := s.Header
	if h.Response() {
		return true
	}
	// A query answers nothing; IXFR (RFC 1995) sends a SOA in the authorities,
	// an update (RFC 2136) and a notify (RFC 1996) may fill every section, an
	// inverse query (RFC 1035 section 6.4) has answers only.
	if h.Flags&(FlagAA|FlagRA|15) != 0 && h.Opcode() == 0 {
		return false
	}
	return h.Opcode() != 0 || h.Counts[1] == 0 && h.Counts[2] <= 1 && h.Counts[3] <= 2
}
