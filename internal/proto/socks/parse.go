package socks

import (
	"bytes"
	"encoding/binary"
	"errors"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

var (
	errFormat = errors.New("socks: invalid message")
)

type state uint8

const (
	stFirst   state = iota // client: greeting or SOCKS 4 request; server: its answer
	stNext                 // client: authentication or request
	stAuth                 // server: answer to the authentication
	stReply                // server: answer to the request
	stWait                 // client: nothing to parse until the answer
	stSecond               // server: second answer to BIND
	stControl              // UDP ASSOCIATE: the connection only stays open
)

type parser struct {
	side    [2]state
	tx      Tx
	begun   bool // a request was read
	emitted bool // done
	over    bool // switched or finished: nothing of what follows is read
	lost    bool // bytes of the proxy are missing: what follows need not be an answer
}

// Parse implements proto.Parser.
func (p *parser) Parse(c *proto.Conn, d packet.Dir, data []byte) (int, error) {
	off := 0
	for off < len(data) && !p.over {
		var n int
		var err error
		if d == packet.ToServer {
			n, err = p.client(c, data[off:])
		} else {
			n, err = p.server(c, data[off:])
		}
		off += n
		if n == 0 || err != nil {
			return off, err
		}
	}
	return off, nil
}

// client reads one message of the client, zero bytes when it is not whole.
func (p *parser) client(c *proto.Conn, b []byte) (n int, err error) {
	s := &p.side[packet.ToServer]
	switch *s {
	case stFirst:
		if b[0] == 4 {
			return p.request4(c, b)
		}
		if b[0] != 5 {
			return 0, errFormat
		}
		if len(b) < 2 || len(b) < 2+int(b[1]) {
			return 0, nil
		}
		p.tx.Version = 5
		*s = stNext
		return 2 + int(b[1]), nil
	case stNext:
		if b[0] == 1 {
			return p.auth(b)
		}
		size, ok := request5(b)
		if !ok {
			return 0, errFormat
		}
		if size == 0 {
			return 0, nil
		}
		p.setRequest5(b[:size])
		p.begun = true
		*s = stWait
		c.Emit(&p.tx, false)
		return size, nil
	case stControl:
		return len(b), nil
	}
	if len(b) > maxTunnelWait && p.side[packet.ToClient] == stFirst {
		p.tunnel(c)
	}
	return 0, nil
}

// tunnel gives the connection to what is spoken through the proxy.
func (p *parser) tunnel(c *proto.Conn) {
	p.done(c)
	p.over = true
	if t := &p.tx; p.begun {
		var text [64]byte
		host := t.Host
		if len(host) == 0 {
			host = t.appendAddr(text[:0])
		}
		c.SetTarget(host, t.Port)
	}
	c.Switch("")
}

// appendAddr appends the address asked for as a URL has it, RFC 3986 section
// 3.2.2.
func (t *Tx) appendAddr(b []byte) []byte {
	a := t.Addr.Netip()
	if a.Is4() {
		return a.AppendTo(b)
	}
	return append(a.AppendTo(append(b, '[')), ']')
}

// auth reads user name and password, RFC 1929 section 2. The password is not
// kept.
func (p *parser) auth(b []byte) (n int, err error) {
	if len(b) < 2 {
		return 0, nil
	}
	u := int(b[1])
	if len(b) < 3+u {
		return 0, nil
	}
	n = 3 + u + int(b[2+u])
	if len(b) < n {
		return 0, nil
	}
	p.tx.User = p.tx.mem[:copy(p.tx.mem[:MaxUser], b[2:2+u])]
	return n, nil
}

// request5 measures a SOCKS 5 request or reply: zero when it is not whole.
func request5(b []byte) (size int, ok bool) {
	if b[0] != 5 || len(b) > 2 && b[2] != 0 {
		return 0, false
	}
	if len(b) < 5 {
		return 0, len(b) < 4 || b[3] == 1 || b[3] == 3 || b[3] == 4
	}
	switch b[3] {
	case 1:
		size = 10
	case 4:
		size = 22
	case 3:
		size = 7 + int(b[4])
	default:
		return 0, false
	}
	if len(b) < size {
		return 0, true
	}
	return size, true
}

func (p *parser) setRequest5(b []byte) {
	t := &p.tx
	t.Version, t.Command = 5, b[1]
	switch b[3] {
	case 1:
		t.Addr = packet.AddrFrom4(b[4:])
	case 4:
		t.Addr = packet.AddrFrom16(b[4:])
	case 3:
		m := t.mem[MaxUser:]
		t.Host = m[:copy(m, b[5:len(b)-2])]
	}
	t.Port = binary.BigEndian.Uint16(b[len(b)-2:])
}

// request4 measures a SOCKS 4 or 4a request: zero when it is not whole; ok is
// false when a string is too long.
func request4(b []byte) (size int, user, host []byte, ok bool) {
	if len(b) <= 8 {
		return 0, nil, nil, true
	}
	i := bytes.IndexByte(b[8:min(len(b), 9+MaxUser)], 0)
	if i < 0 {
		return 0, nil, nil, len(b) < 9+MaxUser
	}
	user, size = b[8:8+i], 9+i
	if b[4]|b[5]|b[6] != 0 || b[7] == 0 {
		return size, user, nil, true
	}
	// 0.0.0.x: the name follows (SOCKS 4a).
	j := bytes.IndexByte(b[size:min(len(b), size+1+MaxHost)], 0)
	if j < 0 {
		return 0, nil, nil, len(b) < size+1+MaxHost
	}
	return size + j + 1, user, b[size : size+j], true
}

func (p *parser) request4(c *proto.Conn, b []byte) (n int, err error) {
	size, user, host, ok := request4(b)
	if !ok {
		return 0, errFormat
	}
	if size == 0 {
		return 0, nil
	}
	t := &p.tx
	t.Version, t.Command, t.Port = 4, b[1], binary.BigEndian.Uint16(b[2:])
	t.User = t.mem[:copy(t.mem[:MaxUser], user)]
	if len(host) > 0 {
		m := t.mem[MaxUser:]
		t.Host = m[:copy(m, host)]
	} else {
		t.Addr = packet.AddrFrom4(b[4:])
	}
	p.begun = true
	p.side[packet.ToServer] = stWait
	c.Emit(t, false)
	return size, nil
}

// server reads one message of the proxy.
func (p *parser) server(c *proto.Conn, b []byte) (n int, err error) {
	s := &p.side[packet.ToClient]
	t := &p.tx
	switch *s {
	case stFirst:
		if b[0] == 0 || t.Version == 4 {
			*s = stReply
			t.Version = 4
			return p.reply(c, b)
		}
		if b[0] != 5 {
			return 0, errFormat
		}
		if len(b) < 2 {
			return 0, nil
		}
		t.Version, t.Method = 5, b[1]
		*s = stReply
		switch b[1] {
		case 0:
		case 2:
			*s = stAuth
		default:
			// Nothing acceptable, or a method (GSSAPI) that may encrypt all.
			p.finish(c)
		}
		return 2, nil
	case stAuth:
		if len(b) < 2 {
			return 0, nil
		}
		if b[1] != 0 { // refused; the proxy hangs up
			t.Answered, t.Reply = true, b[1]
			p.finish(c)
		}
		*s = stReply
		return 2, nil
	case stControl:
		return len(b), nil
	}
	return p.reply(c, b)
}

// reply reads the answer to the request.
func (p *parser) reply(c *proto.Conn, b []byte) (n int, err error) {
	t := &p.tx
	n = 8
	granted := len(b) > 1 && b[1] == 90
	if t.Version == 5 {
		size, ok := request5(b)
		if !ok && p.lost {
			p.tunnel(c) // the answer was among what is missing
			return 0, nil
		}
		if !ok {
			return 0, errFormat
		}
		n, granted = size, len(b) > 1 && b[1] == 0
	}
	if n == 0 || len(b) < n {
		return 0, nil
	}
	t.Answered, t.Reply, t.Granted = true, b[1], granted
	if granted && t.Command == Bind && p.side[packet.ToClient] != stSecond {
		// The first answer names the port, the second the peer.
		p.side[packet.ToClient] = stSecond
		c.Emit(t, false)
		return n, nil
	}
	if !granted {
		p.finish(c)
		return n, nil
	}
	if t.Command == Associate {
		p.done(c)
		p.side[0], p.side[1] = stControl, stControl
		c.Wake()
	} else {
		p.tunnel(c)
	}
	return n, nil
}

// finish ends a negotiation that came to nothing or goes on unreadable.
func (p *parser) finish(c *proto.Conn) {
	p.done(c)
	p.over = true
	c.Finish()
}

func (p *parser) done(c *proto.Conn) {
	if !p.emitted {
		p.emitted = true
		c.Emit(&p.tx, true)
	}
}

// Gap implements proto.Parser. The proxy's first answers are not needed; when
// the request or the answer to it may be missing, what follows is judged by its
// content, as it is most likely what is spoken through the proxy.
func (p *parser) Gap(c *proto.Conn, d packet.Dir, _ int) error {
	switch {
	case p.over || p.side[d] == stControl:
	case d == packet.ToClient && !p.begun && p.tx.Version == 5:
		p.lost = true
		p.side[d] = stReply
	default:
		p.tunnel(c)
	}
	return nil
}

// End implements proto.Parser.
func (p *parser) End(c *proto.Conn) {
	if p.begun || p.tx.Version != 0 {
		p.done(c)
	}
}

// Reset implements proto.Parser.
func (p *parser) Reset() { *p = parser{} }
