package rdp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// X.224 TPDU codes, ITU-T X.224 section 13.
const (
	tpduRequest = 0xe0
	tpduConfirm = 0xd0
	tpduData    = 0xf0
)

// Types of negotiation structures, [MS-RDPBCGR] 2.2.1.1.1, 2.2.1.2.1, .2.
const (
	negRequest  = 1
	negResponse = 2
	negFailure  = 3
)

// tlsHandshake is the content type of a ClientHello's record, RFC 8446 section
// 5.1.
const tlsHandshake = 0x16

const mstshash = "Cookie: mstshash="

var errTPKT = errors.New("rdp: no TPKT header")

// probe recognises the X.224 connection request and confirm by what only RDP
// puts into them, and the MCS connect messages. Other protocols use the same
// transport (ISO on TCP, RFC 1006): without such a mark it is Weak.
func probe(d packet.Dir, b []byte) proto.Match {
	if probeUDP(d, b) == proto.Yes {
		return proto.Yes
	}
	for i, c := range b[:min(len(b), 2)] {
		if c != [2]byte{3, 0}[i] {
			return proto.No
		}
	}
	if len(b) < 11 {
		return proto.More
	}
	size, li := int(binary.BigEndian.Uint16(b[2:])), int(b[4])
	if size < 11 && b[5] != tpduData || size > maxPDU {
		return proto.No
	}
	switch b[5] {
	case tpduRequest, tpduConfirm:
		if (b[5] == tpduRequest) != (d == packet.ToServer) {
			return proto.No
		}
		if li+5 != size || b[6]|b[7] != 0 {
			return proto.No
		}
		if len(b) < size {
			return proto.More
		}
		v := b[11:size]
		if bytes.HasPrefix(v, []byte("Cookie: msts")) || bytes.HasSuffix(v, []byte("\r\n")) && bytes.HasPrefix(v, []byte("Cookie: ")) {
			return proto.Yes
		}
		if len(v) >= 8 {
			if n := v[len(v)-8:]; n[0] >= negRequest && n[0] <= negFailure && n[2] == 8 && n[3] == 0 {
				return proto.Yes
			}
		}
		if len(v) == 0 {
			return proto.Weak
		}
	case tpduData:
		if li == 2 && b[6] == 0x80 && b[7] == 0x7f && b[8] == [2]byte{0x65, 0x66}[d] {
			return proto.Yes
		}
	}
	return proto.No
}

type parser struct {
	tx    Tx
	buf   []byte
	asked bool // a connection request awaits its confirm
	skip  [2]int
	pdus  int
	// joined says that the client has sent its connect request.
	joined bool
}

func (p *parser) Reset() { *p = parser{buf: p.buf[:0]} }

func (p *parser) Parse(c *proto.Conn, d packet.Dir, data []byte) (n int, err error) {
	if c.Transport == proto.UDP {
		p.datagram(c, d, data)
		return len(data), nil
	}
	for n < len(data) && !c.Finished() {
		b := data[n:]
		if p.skip[d] > 0 {
			used := min(p.skip[d], len(b))
			p.skip[d] -= used
			n += used
			continue
		}
		if d == packet.ToServer && p.asked && b[0] == tlsHandshake {
			return n, nil // left for the TLS parser, once the server confirms
		}
		if len(b) < 4 {
			return n, nil
		}
		if b[0] != 3 {
			if b[0]&3 == 0 && p.joined { // fast-path input or output: the session has begun
				c.Finish()
				return n, nil
			}
			return n, errTPKT
		}
		size := int(binary.BigEndian.Uint16(b[2:]))
		if size < 7 {
			return n, errTPKT
		}
		if size > maxPDU {
			c.Anomaly("rdp_packet_too_long")
			p.skip[d] = size
			continue
		}
		if len(b) < size {
			return n, nil
		}
		n += size
		if p.pdu(c, b[:size]) {
			return n, nil
		}
		if p.pdus++; p.pdus >= maxPDUs {
			c.Finish()
		}
	}
	return n, nil
}

// pdu reads one TPKT packet. It reports whether TLS begins.
func (p *parser) pdu(c *proto.Conn, b []byte) (tls bool) {
	switch b[5] & 0xf0 {
	case tpduRequest:
		p.request(c, b)
	case tpduConfirm:
		return p.confirm(c, b)
	case tpduData:
		if len(b) < 9 || b[7] != 0x7f { // BER application tag, two bytes
			return false
		}
		switch b[8] {
		case 0x65:
			p.connect(c, b[7:])
		case 0x66:
			p.start(ConnectResponse)
			c.Emit(&p.tx, true)
			// What follows is encrypted, or input and output.
			c.Finish()
		}
	}
	return false
}

func (p *parser) start(s Step) {
	p.buf = p.buf[:0]
	p.tx = Tx{Step: s}
}

func (p *parser) request(c *proto.Conn, b []byte) {
	p.start(InitialRequest)
	v := b[min(len(b), 11):]
	if end := bytes.Index(v, []byte("\r\n")); end >= 0 {
		if line := v[:end]; bytes.HasPrefix(line, []byte(mstshash)) {
			p.tx.Cookie = p.keep(line[len(mstshash):])
		}
		v = v[end+2:]
	}
	if len(v) >= 8 && v[0] == negRequest {
		p.tx.HasNeg, p.tx.Protocol = true, binary.LittleEndian.Uint32(v[4:])
	}
	p.asked = true
	c.Emit(&p.tx, true)
}

func (p *parser) keep(b []byte) []byte {
	start := len(p.buf)
	p.buf = append(p.buf, b[:min(len(b), maxCookie)]...)
	return p.buf[start:len(p.buf):len(p.buf)]
}

func (p *parser) confirm(c *proto.Conn, b []byte) (tls bool) {
	p.start(InitialResponse)
	if v := b[min(len(b), 11):]; len(v) >= 8 {
		switch x := binary.LittleEndian.Uint32(v[4:]); v[0] {
		case negResponse:
			p.tx.HasNeg, p.tx.Protocol = true, x
		case negFailure:
			p.tx.HasNeg, p.tx.Failure = true, x
		}
	}
	p.asked = false
	c.Emit(&p.tx, true)
	// RDSAAD is TLS with a token inside, as the others are TLS.
	if p.tx.Protocol != 0 && p.tx.Failure == 0 {
		c.Switch("tls")
		return true
	}
	return false
}

// connect finds the client's data blocks in the MCS connect initial. They are
// the user data of a GCC conference create request; of its PER encoding only
// the fixed key "Duca" is looked for, behind which the blocks begin after a
// length of one or two bytes ([MS-RDPBCGR] 4.1.3).
func (p *parser) connect(c *proto.Conn, b []byte) {
	p.start(ConnectRequest)
	p.joined = true
	if i := bytes.Index(b, []byte("Duca")); i >= 0 && len(b) > i+4 {
		b = b[i+4:]
		if b[0]&0x80 != 0 && len(b) > 1 {
			b = b[1:]
		}
		p.blocks(b[1:])
	}
	c.Emit(&p.tx, true)
}

// blocks walks over blocks of uint16 type, uint16 length (header included).
func (p *parser) blocks(b []byte) {
	const (
		core    = 0xc001
		network = 0xc003
	)
	for len(b) >= 4 {
		n := int(binary.LittleEndian.Uint16(b[2:]))
		if n < 4 || n > len(b) {
			return
		}
		switch v := b[4:n]; binary.LittleEndian.Uint16(b) {
		case core:
			p.core(v)
		case network:
			p.network(v)
		}
		b = b[n:]
	}
}

// core reads TS_UD_CS_CORE, [MS-RDPBCGR] 2.2.1.3.2.
func (p *parser) core(b []byte) {
	if len(b) < 52 {
		return
	}
	t, le := &p.tx, binary.LittleEndian
	t.HasCore, t.Version, t.Width, t.Height = true, le.Uint32(b), le.Uint16(b[4:]), le.Uint16(b[6:])
	t.Keyboard, t.Build = le.Uint32(b[12:]), le.Uint32(b[16:])
	start := len(p.buf)
	for i := 20; i < 52; i += 2 {
		u := le.Uint16(b[i:])
		if u == 0 {
			break
		}
		r := rune(u)
		if utf16.IsSurrogate(r) {
			r = utf8.RuneError
		}
		p.buf = utf8.AppendRune(p.buf, r)
	}
	t.Name = p.buf[start:len(p.buf):len(p.buf)]
}

// network reads TS_UD_CS_NET, section 2.2.1.3.4: a count, then for each
// channel eight bytes of name and four of options.
func (p *parser) network(b []byte) {
	if len(b) < 4 {
		return
	}
	n := binary.LittleEndian.Uint32(b)
	for b = b[4:]; n > 0 && len(b) >= 12 && p.tx.NChannel < maxChannels; n-- {
		name, _, _ := bytes.Cut(b[:8], []byte{0})
		p.tx.Channels[p.tx.NChannel] = p.keep(name)
		p.tx.NChannel++
		b = b[12:]
	}
}

// Gap passes over bytes lost inside a packet that is skipped anyway; anything
// else leaves no way to find the next packet.
func (p *parser) Gap(_ *proto.Conn, d packet.Dir, n int) error {
	if p.skip[d] >= n {
		p.skip[d] -= n
		return nil
	}
	return errTPKT
}

// End has nothing to do: every message is emitted when it is read.
func (p *parser) End(*proto.Conn) {}
