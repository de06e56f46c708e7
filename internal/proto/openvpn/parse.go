package openvpn

import (
	"encoding/binary"
	"errors"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

var (
	errFrame = errors.New("openvpn: empty packet")
	errLost  = errors.New("openvpn: packet boundary lost")
)

// probe takes the first packet for OpenVPN's when its layout fits, but never
// for certain: few of its bits are fixed. That both sides send such is telling.
// It is asked about datagrams and streams alike; the length before a packet of
// a stream is below 2048, its first byte below 8, which no opcode gives.
func probe(_ packet.Dir, b []byte) proto.Match {
	const maxFirst = 0x4ff // resets and the first TLS records are not longer
	if len(b) == 0 {
		return proto.No
	}
	if b[0] >= 8 {
		return judge(b)
	}
	if len(b) == 1 {
		return more(b[0] <= maxFirst>>8)
	}
	n := int(binary.BigEndian.Uint16(b))
	switch {
	case n < lenHead+5 || n > 0x7ff:
		return proto.No
	case len(b) == 2:
		return more(n <= maxFirst)
	}
	b = b[2:]
	if op := Opcode(b[0] >> 3); op < ResetClientV1 || op > ControlWKC || op == DataV1 {
		return proto.No
	} else if op == DataV2 && len(b) >= 25 {
		return judge(b)
	}
	if len(b) < n {
		return more(n <= maxFirst)
	}
	return judge(b[:n])
}

func more(ok bool) proto.Match {
	if ok {
		return proto.More
	}
	return proto.No
}

func judge(b []byte) proto.Match {
	if data(b) {
		return proto.Weak
	}
	if _, ok := readControl(b); ok {
		return proto.Weak
	}
	return proto.No
}

type parser struct {
	t       Tunnel
	started bool
	done    bool
	met     [2]bool // packets of a tunnel whose opening was not seen, by sender
	skip    [2]int
}

func (p *parser) Parse(c *proto.Conn, d packet.Dir, b []byte) (int, error) {
	if c.Transport != proto.TCP {
		p.packet(c, d, b)
		return len(b), nil
	}
	at := 0
	for !c.Finished() {
		k := min(p.skip[d], len(b)-at)
		p.skip[d] -= k
		at += k
		if len(b)-at < 2 {
			break
		}
		n := int(binary.BigEndian.Uint16(b[at:]))
		if n == 0 {
			return at, errFrame
		}
		seen := min(n, maxPacket)
		if len(b)-at < 2+seen {
			break
		}
		p.packet(c, d, b[at+2:at+2+seen])
		at += 2 + seen
		p.skip[d] = n - seen
	}
	return at, nil
}

// packet looks at one packet. Packets of other shape are passed over: keys of
// other sizes, or data of a cipher without a packet number.
func (p *parser) packet(c *proto.Conn, d packet.Dir, b []byte) {
	if len(b) == 0 {
		return
	}
	t := &p.t
	k, ok := readControl(b)
	switch {
	case !ok:
		if !data(b) {
			return
		}
		p.meet(c, d, DataV2)
	case k.op.client():
		if t.hasSession[d] && t.Opcode == k.op && string(t.Session[d][:]) == string(k.session) {
			return // sent again
		}
		*t = Tunnel{Opcode: k.op, Client: d, Protection: k.protection, HMAC: k.hmac}
		t.set(d, k.session)
		p.started = true
		c.Emit(t, false)
	case k.op.server():
		o := d.Reverse()
		if t.hasSession[o] && t.Opcode.client() && k.remote != nil {
			if string(t.Session[o][:]) != string(k.remote) {
				c.Anomaly("session_mismatch")
				return
			}
			t.Confirmed = true
		}
		if !t.Opcode.client() { // the client's reset was missed
			*t = Tunnel{Opcode: k.op, Client: o, Protection: k.protection, HMAC: k.hmac}
			if k.remote != nil {
				t.set(o, k.remote)
			}
		}
		t.set(d, k.session)
		t.Answered = true
		p.finish(c)
	default:
		if !t.Opcode.client() {
			t.Protection, t.HMAC = k.protection, k.hmac
			t.set(d, k.session)
		}
		p.meet(c, d, k.op)
	}
}

// meet notes a packet of a tunnel that is open already. When both sides have
// sent such the tunnel is known as well as it can be.
func (p *parser) meet(c *proto.Conn, d packet.Dir, op Opcode) {
	if p.t.Opcode.client() {
		return
	}
	if !p.started {
		p.started = true
		p.t.Opcode = op
		p.t.Client = packet.ToServer
	}
	p.met[d] = true
	if p.met[0] && p.met[1] {
		p.finish(c)
	}
}

// set notes the session identifier that side d has chosen.
func (t *Tunnel) set(d packet.Dir, id []byte) {
	copy(t.Session[d][:], id)
	t.hasSession[d] = true
}

// finish emits the transaction; what follows is encrypted, or TLS between the
// tunnel's ends.
func (p *parser) finish(c *proto.Conn) {
	p.done = true
	c.Emit(&p.t, true)
	c.Finish()
}

// Gap goes on when only bytes that would be skipped are lost.
func (p *parser) Gap(_ *proto.Conn, d packet.Dir, n int) error {
	if n > p.skip[d] {
		return errLost
	}
	p.skip[d] -= n
	return nil
}

func (p *parser) End(c *proto.Conn) {
	if p.started && !p.done {
		p.done = true
		c.Emit(&p.t, true)
	}
}

func (p *parser) Reset() { *p = parser{} }
