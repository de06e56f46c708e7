package dns

import (
	"github.com/yamori-net/yamori/internal/packet"
)

// Section is a part of a message.
type Section uint8

// Sections, in the order of the wire. In an update (RFC 2136) they are zone,
// prerequisite, update and additional.
const (
	Questions Section = iota
	Answers
	Authorities
	Additionals
)

// Message is one DNS message. Slices that its methods return are valid until
// the next Parse; none of them allocates once the memory of the Message has
// grown to what messages need.
type Message struct {
	Header
	Flaws Flaw
	TxID  uint64 // number of the message in its flow, from 0

	msg  []byte
	recs []Record
	ends [4]int // index behind the last record of each section
	opt  int    // index of the OPT record, or -1
	text []byte // decoded names

	opcodeText [2]byte // what the buffers of these numbers return
	rcodeText  [4]byte
}

// Parse reads msg, which the Message refers to from then on. It reads as much
// as it can: what is wrong is told in Flaws. It returns false when msg is
// shorter than a header.
func (m *Message) Parse(msg []byte) bool {
	*m = Message{recs: m.recs[:0], text: m.text[:0], opt: -1}
	if len(msg) < HeaderLen {
		return false
	}
	if len(msg) > MaxMessage {
		msg, m.Flaws = msg[:MaxMessage], TrailingBytes
	}
	m.msg, m.Header = msg, ReadHeader(msg)
	if m.Flags&FlagZ != 0 {
		m.Flaws |= ReservedFlag
	}
	if op := m.Opcode(); op == 3 || op > 6 {
		m.Flaws |= ReservedOpcode
	}
	off, ok := HeaderLen, true
	for s := Questions; s <= Additionals; s++ {
		for i := uint16(0); i < m.Counts[s] && ok; i++ {
			if len(m.recs) == MaxRecords {
				m.Flaws |= TooManyRecords
				ok = false
				break
			}
			off, ok = m.read(s, off)
		}
		m.ends[s] = len(m.recs)
	}
	if ok && off < len(msg) {
		m.Flaws |= TrailingBytes
	}
	return true
}

// read appends the record at off.
func (m *Message) read(s Section, off int) (next int, ok bool) {
	var r Record
	if s == Questions {
		next, ok = readQuestion(m.msg, off, &r)
	} else {
		next, ok = readRecord(m.msg, off, &r)
	}
	if !ok {
		m.Flaws |= Malformed
		return off, false
	}
	if r.Type == TypeOPT && s == Additionals && m.opt < 0 {
		m.opt = len(m.recs)
	}
	m.recs = append(m.recs, r)
	return next, true
}

// Wire returns the octets of the message.
func (m *Message) Wire() []byte { return m.msg }

// Len returns the number of records kept of section s.
func (m *Message) Len(s Section) int {
	if s == Questions {
		return m.ends[0]
	}
	return m.ends[s] - m.ends[s-1]
}

// Record returns the i-th record of section s, 0 <= i < Len(s).
func (m *Message) Record(s Section, i int) *Record {
	if s > Questions {
		i += m.ends[s-1]
	}
	return &m.recs[i]
}

// RCode returns the response code, extended by the OPT record's upper bits
// (RFC 6891 section 6.1.3).
func (m *Message) RCode() uint16 {
	c := m.Flags & 15
	if m.opt >= 0 {
		c |= uint16(m.recs[m.opt].TTL>>24) << 4
	}
	return c
}

// Name returns the owner name of r: dotted, without a final dot, its letters
// as on the wire.
func (m *Message) Name(r *Record) []byte {
	if r.name.at != 0 {
		return m.piece(r.name)
	}
	// Most owners are a pointer to the question's name.
	if q := &m.recs[0]; r != q && int(r.nameOff)+1 < len(m.msg) && q.name.at != 0 &&
		m.msg[r.nameOff] == 0xc0 && uint16(m.msg[r.nameOff+1]) == q.nameOff {
		r.name = q.name
		return m.piece(r.name)
	}
	r.name = m.decode(int(r.nameOff))
	return m.piece(r.name)
}

// Target returns the name in the data of r: where NS, CNAME, PTR, DNAME, MX,
// SRV, SVCB and HTTPS point to and the primary server of SOA. For other types,
// and data too short, it returns nil.
func (m *Message) Target(r *Record) []byte {
	skip := 0
	switch r.Type {
	case TypeNS, TypeCNAME, TypePTR, TypeDNAME, TypeSOA:
	case TypeMX, TypeSVCB, TypeHTTPS:
		skip = 2
	case TypeSRV:
		skip = 6
	default:
		return nil
	}
	if int(r.rdLen) <= skip {
		return nil
	}
	if r.target.at != 0 {
		return m.piece(r.target)
	}
	r.target = m.decode(int(r.rdOff) + skip)
	return m.piece(r.target)
}

func (m *Message) decode(off int) span {
	at := len(m.text)
	var flaw Flaw
	m.text, flaw = AppendName(m.text, m.msg, off)
	m.Flaws |= flaw
	return span{at: uint32(at + 1), len: uint16(len(m.text) - at)}
}

func (m *Message) piece(s span) []byte {
	at := int(s.at - 1)
	return m.text[at : at+int(s.len) : at+int(s.len)]
}

// RData returns the data of r as on the wire; names in it may be compressed.
func (m *Message) RData(r *Record) []byte {
	return m.msg[r.rdOff : int(r.rdOff)+int(r.rdLen)]
}

// Addr returns the address of an A or AAAA record.
func (m *Message) Addr(r *Record) (a packet.Addr, ok bool) {
	switch {
	case r.Type == TypeA && r.rdLen == 4:
		return packet.AddrFrom4(m.RData(r)), true
	case r.Type == TypeAAAA && r.rdLen == 16:
		return packet.AddrFrom16(m.RData(r)), true
	}
	return a, false
}

// OPT returns the record of EDNS (RFC 6891), or nil.
func (m *Message) OPT() *Record {
	if m.opt < 0 {
		return nil
	}
	return &m.recs[m.opt]
}

// Decode reads all names, so that Flaws tells what is wrong with them too.
func (m *Message) Decode() {
	for i := range m.recs {
		m.Name(&m.recs[i])
		m.Target(&m.recs[i])
	}
}
