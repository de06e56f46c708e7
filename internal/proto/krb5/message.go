package krb5

import (
	"errors"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

var errFraming = errors.New("krb5: no message begins here")

// record reads the length before a message on a stream; -1 when the high bit,
// reserved for extensions, is set.
func record(b []byte) int {
	if b[0]&0x80 != 0 {
		return -1
	}
	return int(b[0])<<24 | int(b[1])<<16 | int(b[2])<<8 | int(b[3])
}

// read reads one message. It returns false when b is none of the messages
// known, or damaged before its last member of interest.
func (m *Message) read(b []byte) bool {
	tag, v, _, ok := element(b)
	if !ok || tag&0xe0 != app {
		return false
	}
	m.Type = tag & 0x1f
	seq, _, ok := want(v, tagSeq)
	if !ok {
		return false
	}
	switch m.Type {
	case ASReq, TGSReq:
		return m.request(seq)
	case ASRep, TGSRep:
		return m.reply(seq)
	case Error:
		return m.error(seq)
	case APReq, APRep:
		return true
	}
	return false
}

// request reads KDC-REQ, RFC 4120 section 5.4.1.
func (m *Message) request(seq []byte) bool {
	body, _, ok := field(seq, 4)
	if !ok {
		return false
	}
	if body, _, ok = want(body, tagSeq); !ok {
		return false
	}
	if v, rest, ok := field(body, 1); ok {
		m.Client.read(v)
		body = rest
	}
	v, rest, ok := field(body, 2)
	if !ok {
		return false
	}
	m.Realm = str(v)
	if v, _, ok = field(rest, 3); ok {
		m.Service.read(v)
	}
	return true
}

// reply reads KDC-REP, RFC 4120 section 5.4.2.
func (m *Message) reply(seq []byte) bool {
	v, rest, ok := field(seq, 3)
	if !ok {
		return false
	}
	m.Realm = str(v)
	if v, rest, ok = field(rest, 4); !ok {
		return false
	}
	m.Client.read(v)
	if v, rest, ok = field(rest, 5); !ok || !m.ticket(v) {
		return false
	}
	if v, _, ok = field(rest, 6); !ok {
		return false
	}
	m.Enc, m.HasEnc = encryption(v)
	return m.HasEnc
}

// ticket reads Ticket, RFC 4120 section 5.3.
func (m *Message) ticket(b []byte) bool {
	v, _, ok := want(b, app|1)
	if !ok {
		return false
	}
	seq, _, ok := want(v, tagSeq)
	if !ok {
		return false
	}
	v, rest, ok := field(seq, 2)
	if !ok {
		return false
	}
	m.Service.read(v)
	if v, _, ok = field(rest, 3); !ok {
		return false
	}
	m.TicketEnc, m.HasTicket = encryption(v)
	return m.HasTicket
}

// error reads KRB-ERROR, RFC 4120 section 5.9.1.
func (m *Message) error(seq []byte) bool {
	v, rest, ok := field(seq, 6)
	if !ok {
		return false
	}
	if m.ErrorCode, ok = integer(v); !ok {
		return false
	}
	if v, after, ok := field(rest, 7); ok {
		m.Realm, rest = str(v), after
	}
	if v, after, ok := field(rest, 8); ok {
		m.Client.read(v)
		rest = after
	}
	if _, after, ok := field(rest, 9); ok { // the service's realm
		rest = after
	}
	if v, _, ok := field(rest, 10); ok {
		m.Service.read(v)
	}
	return true
}

// encryption reads the type of EncryptedData, RFC 4120 section 5.2.9.
func encryption(b []byte) (int32, bool) {
	seq, _, ok := want(b, tagSeq)
	if !ok {
		return 0, false
	}
	v, _, ok := field(seq, 0)
	if !ok {
		return 0, false
	}
	return integer(v)
}

// read reads PrincipalName, RFC 4120 section 5.2.2.
func (n *Name) read(b []byte) {
	seq, _, ok := want(b, tagSeq)
	if !ok {
		return
	}
	v, _, ok := field(seq, 1)
	if !ok {
		return
	}
	list, _, ok := want(v, tagSeq)
	for ok && n.N < maxParts {
		var one []byte
		if one, list, ok = want(list, tagString); ok {
			n.Parts[n.N] = one
			n.N++
		}
	}
}

func str(b []byte) []byte {
	v, _, _ := want(b, tagString)
	return v
}

// probe looks for the outer tags, the version and the message type; they are
// telling together on any port.
func probe(_ packet.Dir, b []byte) proto.Match {
	if len(b) == 0 {
		return proto.More
	}
	if b[0] != 0 {
		return probeMessage(b)
	}
	// Over TCP: a length of which the first byte is always zero.
	if len(b) < 5 {
		return proto.More
	}
	if n := record(b); n < 10 || n > maxMessage {
		return proto.No
	}
	return probeMessage(b[4:])
}

func probeMessage(b []byte) proto.Match {
	kind := b[0] & 0x1f
	if b[0]&0xe0 != app || !known(kind) {
		return proto.No
	}
	b = b[1:]
	if _, at, ok := length(b); !ok {
		return short(b, 4)
	} else if b = b[at:]; len(b) == 0 {
		return proto.More
	}
	if b[0] != tagSeq {
		return proto.No
	}
	b = b[1:]
	if _, at, ok := length(b); !ok {
		return short(b, 4)
	} else {
		b = b[at:]
	}
	// pvno [1] INTEGER 5 (requests) or [0] INTEGER 5 (all others), then the type.
	first := byte(context)
	if kind == ASReq || kind == TGSReq {
		first++
	}
	head := [...]byte{first, 3, tagInteger, 1, 5, first + 1, 3, tagInteger, 1, kind}
	for i, c := range head {
		if i == len(b) {
			return proto.More
		}
		if b[i] != c {
			return proto.No
		}
	}
	return proto.Yes
}

// short is the answer when length octets could not be read: more bytes may help.
func short(b []byte, most int) proto.Match {
	if len(b) < most {
		return proto.More
	}
	return proto.No
}

func known(kind byte) bool { return kind >= ASReq && kind <= APRep || kind == Error }
