package dns

import "encoding/binary"

// Limits of what one message may cost. RFC 1035 section 2.3.4 gives the name's
// and the label's; the others are this parser's own.
const (
	HeaderLen   = 12  // octets, RFC 1035 section 4.1.1
	MaxName     = 255 // octets of a name on the wire, its zero octet included
	MaxPointers = 64  // compression pointers followed in one name
	MaxRecords  = 128 // questions and records kept of one message; later ones are only counted by the header
	MaxMessage  = 65535
)

// Flaw is a set of the things that are wrong with a message.
type Flaw uint8

// Flaws.
const (
	Malformed      Flaw = 1 << iota // ends early, or a label, pointer or length leads nowhere
	NameTooLong                     // a name is longer than MaxName; its text is cut
	ForwardPointer                  // a compression pointer points ahead, RFC 1035 section 4.1.4 wants a prior name
	PointerLoop                     // more than MaxPointers pointers in one name
	TooManyRecords                  // more than MaxRecords
	TrailingBytes                   // bytes after the last record
	ReservedFlag                    // the Z bit is set
	ReservedOpcode                  // an opcode nobody assigned
)

// SkipName returns the offset behind the name at off: after its zero octet or
// its first pointer. ok is false when the message ends first or a label has
// one of the two reserved types (RFC 6891 section 5 ended the extended ones).
func SkipName(msg []byte, off int) (next int, ok bool) {
	for off < len(msg) {
		c := int(msg[off])
		switch {
		case c == 0:
			return off + 1, true
		case c < 0x40:
			off += 1 + c
		case c >= 0xc0:
			return off + 2, off+2 <= len(msg)
		default:
			return off, false
		}
	}
	return off, false
}

// AppendName appends the text of the name at off to dst: labels as they are on
// the wire, joined by dots, "" for the root. Pointers may point anywhere in the
// message, as an inspector must read what lenient resolvers read, but only
// MaxPointers of them and MaxName octets are followed.
func AppendName(dst, msg []byte, off int) ([]byte, Flaw) {
	var flaw Flaw
	start, wire, hops := len(dst), 0, 0
	for off < len(msg) {
		c := int(msg[off])
		switch {
		case c == 0:
			return dst, flaw
		case c < 0x40:
			if off+1+c > len(msg) {
				return dst, flaw | Malformed
			}
			if wire += 1 + c; wire >= MaxName {
				return dst, flaw | NameTooLong
			}
			if len(dst) > start {
				dst = append(dst, '.')
			}
			dst = append(dst, msg[off+1:off+1+c]...)
			off += 1 + c
		case c >= 0xc0:
			if off+2 > len(msg) {
				return dst, flaw | Malformed
			}
			to := int(binary.BigEndian.Uint16(msg[off:]) & 0x3fff)
			if to >= off {
				flaw |= ForwardPointer
			}
			if hops++; hops > MaxPointers {
				return dst, flaw | PointerLoop
			}
			off = to
		default:
			return dst, flaw | Malformed
		}
	}
	return dst, flaw | Malformed
}

// Header is the fixed part of a message.
type Header struct {
	ID     uint16
	Flags  uint16
	Counts [4]uint16 // by Section
}

// ReadHeader reads the header of msg, which must have HeaderLen octets.
func ReadHeader(msg []byte) Header {
	be := binary.BigEndian
	return Header{
		ID: be.Uint16(msg), Flags: be.Uint16(msg[2:]),
		Counts: [4]uint16{be.Uint16(msg[4:]), be.Uint16(msg[6:]), be.Uint16(msg[8:]), be.Uint16(msg[10:])},
	}
}

// Flag bits of the header, RFC 1035 section 4.1.1 and RFC 4035 section 3.
const (
	FlagQR = 0x8000
	FlagAA = 0x0400
	FlagTC = 0x0200
	FlagRD = 0x0100
	FlagRA = 0x0080
	FlagZ  = 0x0040
	FlagAD = 0x0020
	FlagCD = 0x0010
)

// Opcode returns the four bits of the kind of message.
func (h Header) Opcode() uint8 { return uint8(h.Flags>>11) & 15 }

// Response reports whether the QR bit is set.
func (h Header) Response() bool { return h.Flags&FlagQR != 0 }

// Record is one question or resource record. Its names and data are read
// through the Message it belongs to.
type Record struct {
	Type  Type
	Class uint16 // as on the wire: of OPT the sender's UDP size, in mDNS with the top bit (RFC 6762 section 10.2)
	TTL   uint32 // seconds; of OPT extended rcode, version and flags

	nameOff, rdOff, rdLen uint16
	name, target          span // texts already decoded
}

// span is a piece of Message.text; at counts from one, zero is unset.
type span struct {
	at  uint32
	len uint16
}

// readQuestion reads the question at off.
func readQuestion(msg []byte, off int, r *Record) (next int, ok bool) {
	n, ok := SkipName(msg, off)
	if !ok || n+4 > len(msg) {
		return off, false
	}
	*r = Record{
		Type: Type(binary.BigEndian.Uint16(msg[n:])), Class: binary.BigEndian.Uint16(msg[n+2:]),
		nameOff: uint16(off), rdOff: uint16(n + 4),
	}
	return n + 4, true
}

// readRecord reads the resource record at off, RFC 1035 section 4.1.3.
func readRecord(msg []byte, off int, r *Record) (next int, ok bool) {
	n, ok := SkipName(msg, off)
	if !ok || n+10 > len(msg) {
		return off, false
	}
	be := binary.BigEndian
	size := int(be.Uint16(msg[n+8:]))
	if n+10+size > len(msg) {
		return off, false
	}
	*r = Record{
		Type: Type(be.Uint16(msg[n:])), Class: be.Uint16(msg[n+2:]), TTL: be.Uint32(msg[n+4:]),
		nameOff: uint16(off), rdOff: uint16(n + 10), rdLen: uint16(size),
	}
	return n + 10 + size, true
}
