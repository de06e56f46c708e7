package ftp

import (
	"bytes"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/textline"
)

// tlsHandshake is the content type of a ClientHello's record, RFC 8446 section
// 5.1; no command begins with it.
const tlsHandshake = 0x16

type parser struct {
	cut     [2]bool // passing over the rest of a line that was too long
	lost    [2]bool // passing over the rest of a line after a gap
	pending []*Tx
	free    []*Tx
	user    []byte
	waitTLS bool    // AUTH was sent, its reply is awaited
	heard   bool    // the server has said anything
	multi   [3]byte // code of the multi-line reply at hand
	inMulti bool

	// Where the next data connection goes, port 0 when that is not known.
	dataAddr packet.Addr
	dataPort uint16
	passive  bool
	expected proto.Expected
}

func (p *parser) Reset() {
	p.free = append(p.free, p.pending...)
	clear(p.pending)
	p.shrink()
	*p = parser{pending: p.pending[:0], free: p.free, user: proto.Keep(p.user, keptText)}
}

func (p *parser) Parse(c *proto.Conn, d packet.Dir, data []byte) (n int, err error) {
	p.heard = p.heard || d == packet.ToClient
	for n < len(data) {
		if d == packet.ToServer && p.waitTLS && data[n] == tlsHandshake {
			p.early(c)
			return n, nil
		}
		b := data[n:]
		if p.cut[d] || p.lost[d] {
			end := bytes.IndexByte(b, '\n')
			if end < 0 {
				return len(data), nil
			}
			p.cut[d], p.lost[d] = false, false
			n += end + 1
			continue
		}
		line, used, long := textline.Cut(b, maxLine)
		if used == 0 {
			return n, nil
		}
		n += used
		if p.cut[d] = long; long {
			c.Anomaly("ftp_line_too_long")
		}
		line = bytes.TrimRight(line, "\r")
		if d == packet.ToServer {
			p.command(c, line, long)
		} else if p.reply(c, line) {
			return n, nil
		}
	}
	return n, nil
}

// early leaves the client's TLS bytes for the TLS parser, once the server
// agrees. Where only the client is seen, that it goes on says enough.
func (p *parser) early(c *proto.Conn) {
	if !p.heard {
		c.Switch("tls")
	}
}

func (p *parser) get() *Tx {
	if n := len(p.free); n > 0 {
		t := p.free[n-1]
		p.free = p.free[:n-1]
		t.reset()
		return t
	}
	return new(Tx)
}

func (p *parser) command(c *proto.Conn, line []byte, long bool) {
	line = telnetFree(line)
	if len(line) == 0 {
		return
	}
	if len(p.pending) == maxPending {
		p.done(c)
	}
	t := p.get()
	word, arg, _ := bytes.Cut(line, []byte(" "))
	t.Command, t.Arg, t.Truncated = t.keep(word), t.keep(arg), long
	switch {
	case textline.Is(word, "USER"):
		p.user = append(p.user[:0], arg...)
	case textline.Is(word, "AUTH"):
		p.waitTLS = true
	case textline.Is(word, "PORT"):
		t.hostPort(arg, false)
		p.negotiated(c, t)
	case textline.Is(word, "EPRT"):
		t.extended(arg)
		p.negotiated(c, t)
	default:
		p.transfer(c, word, arg)
	}
	t.User = t.keep(p.user)
	p.pending = append(p.pending, t)
	c.Emit(t, false)
}

// telnetFree passes over Telnet commands, with which ABOR is sent (RFC 959
// section 4.1.3).
func telnetFree(b []byte) []byte {
	for len(b) > 0 && b[0] >= 0xf0 {
		b = b[1:]
	}
	return b
}

// reply takes one line of the server. It reports whether TLS begins.
func (p *parser) reply(c *proto.Conn, line []byte) (tls bool) {
	if len(p.pending) == 0 {
		t := p.get()
		t.User = t.keep(p.user)
		p.pending = append(p.pending, t)
	}
	t := p.pending[0]
	code, final, ok := splitCode(line)
	inMulti := p.inMulti
	if inMulti {
		// Only the same code and a space end a multi-line reply, RFC 959 4.2.
		ok = ok && [3]byte(line[:3]) == p.multi
		final = ok && final
	}
	if t.NReplies < maxReplies && t.replyBytes+len(line) <= maxText {
		r := &t.Replies[t.NReplies]
		if r.HasCode = ok; ok {
			copy(r.Code[:], line)
			line = line[min(len(line), 4):]
		}
		r.Text = t.keep(line)
		t.replyBytes += len(line)
		t.NReplies++
	} else {
		t.Truncated = true
	}
	if ok && !final && !inMulti {
		p.inMulti, p.multi = true, [3]byte{byte('0' + code/100), byte('0' + code/10%10), byte('0' + code%10)}
	}
	if !final {
		if !ok && !inMulti {
			c.Anomaly("ftp_bad_reply")
		}
		return false
	}
	p.inMulti = false
	if code < 200 { // preliminary
		c.Emit(t, false)
		return false
	}
	t.Complete, t.Code = true, code
	switch code {
	case 227:
		t.hostPort(after(t.lastText(), '('), true)
		p.negotiated(c, t)
	case 229:
		t.DataAddr, t.Passive = c.Server, true
		t.extended(after(t.lastText(), '('))
		p.negotiated(c, t)
	}
	auth := textline.Is(t.Command, "AUTH")
	p.done(c)
	if auth {
		p.waitTLS = false
		if code == 234 || code == 334 {
			c.Switch("tls")
			return true
		}
		c.Wake()
	}
	return false
}

func (t *Tx) lastText() []byte {
	if t.NReplies == 0 {
		return nil
	}
	return t.Replies[t.NReplies-1].Text
}

// splitCode reads the three digits; final tells a space (or nothing) behind
// them.
func splitCode(b []byte) (code uint16, final, ok bool) {
	if len(b) < 3 {
		return 0, false, false
	}
	for _, c := range b[:3] {
		if c < '0' || c > '9' {
			return 0, false, false
		}
		code = code*10 + uint16(c-'0')
	}
	if len(b) > 3 && b[3] != ' ' && b[3] != '-' {
		return 0, false, false
	}
	return code, len(b) == 3 || b[3] == ' ', true
}

func after(b []byte, c byte) []byte { return b[bytes.IndexByte(b, c)+1:] }

// hostPort reads "h1,h2,h3,h4,p1,p2", RFC 959 section 4.1.2.
func (t *Tx) hostPort(b []byte, passive bool) {
	// Some servers leave the parentheses out.
	for len(b) > 0 && (b[0] < '0' || b[0] > '9') {
		b = b[1:]
	}
	var v [6]byte
	for i := range v {
		n, rest, ok := number(b, 255)
		if !ok || i < 5 && (len(rest) == 0 || rest[0] != ',') {
			return
		}
		v[i] = byte(n)
		b = rest[min(len(rest), 1):]
	}
	t.DataAddr, t.DataPort, t.Passive = packet.AddrFrom4(v[:]), uint16(v[4])<<8|uint16(v[5]), passive
}

// extended reads "|net|addr|port|" of EPRT and the reply of EPSV, where net
// and address are empty (RFC 2428). Of EPRT only the IPv4 address is read; an
// IPv6 one is taken to be the client's, as servers demand it anyway.
func (t *Tx) extended(b []byte) {
	if len(b) == 0 {
		return
	}
	parts := bytes.IndexByte(b[1:], b[0])
	if parts < 0 {
		return
	}
	net, rest := b[1:1+parts], b[2+parts:]
	i := bytes.IndexByte(rest, b[0])
	if i < 0 {
		return
	}
	addr := rest[:i]
	port, rest, ok := number(rest[i+1:], 65535)
	if !ok || len(rest) == 0 || rest[0] != b[0] {
		return
	}
	if string(net) == "1" {
		var v [4]byte
		for j := range v {
			n, r, ok := number(addr, 255)
			if !ok || j < 3 && (len(r) == 0 || r[0] != '.') {
				return
			}
			v[j], addr = byte(n), r[min(len(r), 1):]
		}
		t.DataAddr = packet.AddrFrom4(v[:])
	}
	t.DataPort = uint16(port)
}

// number reads decimal digits up to the value most.
func number(b []byte, most int) (n int, rest []byte, ok bool) {
	i := 0
	for i < len(b) && b[i] >= '0' && b[i] <= '9' {
		if n = n*10 + int(b[i]-'0'); n > most {
			return 0, nil, false
		}
		i++
	}
	return n, b[i:], i > 0
}

// done emits the oldest transaction.
func (p *parser) done(c *proto.Conn) {
	t := p.pending[0]
	copy(p.pending, p.pending[1:])
	p.pending = p.pending[:len(p.pending)-1]
	c.Emit(t, true)
	p.free = append(p.free, t)
}

// Gap goes on at the next line. What was asked of a lost reply is unknown, so
// the commands waiting are let go.
func (p *parser) Gap(c *proto.Conn, d packet.Dir, _ int) error {
	p.lost[d] = true
	p.waitTLS, p.inMulti = false, false
	for len(p.pending) > 0 {
		p.done(c)
	}
	return nil
}

func (p *parser) End(c *proto.Conn) {
	for len(p.pending) > 0 {
		p.done(c)
	}
}
