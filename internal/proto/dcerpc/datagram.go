package dcerpc

import (
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// Header of the connectionless protocol, C706 section 12.5.2.
const (
	datagramLen  = 80
	datagramLast = 0x02 // flags1
	datagramFrag = 0x04
)

// datagramHeader checks what the header of a datagram fixes.
func datagramHeader(d packet.Dir, b []byte) bool {
	if len(b) < datagramLen || b[0] != 4 || b[1] > 10 || b[3]&0xfc != 0 || b[4]&^littleEndian != 0 || b[5] > 3 || b[6] != 0 {
		return false
	}
	switch b[1] {
	case TypeRequest, TypePing, 7, 8: // acknowledgement, cancel
		return d == packet.ToServer
	case TypeResponse, TypeFault, 4, 5, TypeReject, 9, 10: // working, no call, fack, cancel acknowledgement
		return d == packet.ToClient || b[1] == 9
	}
	return false
}

func probeDatagram(d packet.Dir, b []byte) proto.Match {
	if datagramHeader(d, b) && int(u16(b[74:], b[4] == 0)) <= len(b)-datagramLen {
		return proto.Yes
	}
	return proto.No
}

// datagram reads one message. Fragments are joined in the order of their
// arrival: a home network does not reorder them.
func (p *parser) datagram(c *proto.Conn, d packet.Dir, b []byte) {
	if !datagramHeader(d, b) {
		c.Anomaly("malformed_data")
		return
	}
	typ, flags, big := b[1], b[2], b[4] == 0
	if typ != TypeRequest && typ != TypeResponse && typ != TypeFault && typ != TypeReject {
		return
	}
	var activity [16]byte = uuid(b[40:56], big)
	seq := u32(b[64:], big)
	at := -1
	for i, x := range p.pending {
		if x.Version == 4 && x.Seq == seq && x.Activity == activity {
			at = i
		}
	}
	if at < 0 {
		p.pending = append(p.room(c), p.get())
		at = len(p.pending) - 1
	}
	call := p.pending[at]
	x := call.half(d)
	if !x.open {
		*x = Half{open: true, Type: typ, BigEndian: big}
		call.Version, call.Activity, call.Seq = 4, activity, seq
		version := u32(b[60:], big)
		call.own = Interface{UUID: uuid(b[24:40], big), Major: uint16(version), Minor: uint16(version >> 16), Acked: true, First: true}
		call.opnum, call.called = u16(b[68:], big), true
	} else if x.Done {
		return // sent again
	}
	x.Frags++
	body := b[datagramLen:]
	if typ == TypeRequest || typ == TypeResponse {
		call.keep(d, body[:min(len(body), int(u16(b[74:], big)))])
	}
	x.Done = flags&datagramFrag == 0 || flags&datagramLast != 0
	switch {
	case !x.Done:
	case d == packet.ToServer:
		c.Emit(call, false)
	default:
		p.finish(c, at)
	}
}
