package imap

import (
	"bytes"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/textline"
)

// tlsHandshake is the content type of a ClientHello's record, RFC 8446 section
// 5.1; no command begins with it.
const tlsHandshake = 0x16

// half is one direction.
type half struct {
	literal int  // bytes of a literal still to come
	more    bool // the line at hand goes on behind a literal
	skip    bool // passing over the rest of a long line, or of one after a gap
}

type parser struct {
	half    [2]half
	greeted bool
	auth    bool // AUTHENTICATE is under way: the client's lines are tokens
	waitTLS bool
	heard   bool // the server has said anything
	naming  *Tx  // a LOGIN whose name comes as a literal
	capable []byte
	pending []*Tx
	free    []*Tx
}

func (p *parser) Reset() {
	p.free = append(p.free, p.pending...)
	clear(p.pending)
	p.shrink()
	*p = parser{pending: p.pending[:0], free: p.free, capable: p.capable[:0]}
}

func (p *parser) Parse(c *proto.Conn, d packet.Dir, data []byte) (n int, err error) {
	p.heard = p.heard || d == packet.ToClient
	h := &p.half[d]
	for n < len(data) {
		b := data[n:]
		if d == packet.ToServer && p.waitTLS && b[0] == tlsHandshake {
			p.early(c)
			return n, nil
		}
		if h.literal > 0 {
			used := min(h.literal, len(b))
			if d == packet.ToServer && p.naming != nil {
				p.naming.name(b[:used])
			}
			h.literal -= used
			n += used
			continue
		}
		if h.skip {
			end := bytes.IndexByte(b, '\n')
			if end < 0 {
				return len(data), nil
			}
			h.skip = false
			n += end + 1
			continue
		}
		line, used, long := textline.Cut(b, maxLine)
		if used == 0 {
			return n, nil
		}
		n += used
		if h.skip = long; long {
			c.Anomaly("imap_line_too_long")
		}
		line = bytes.TrimSuffix(line, []byte("\r"))
		first := !h.more
		h.literal, h.more = literal(line)
		if !first {
			p.naming = nil
			continue
		}
		if d == packet.ToServer {
			p.command(c, line, h.more)
		} else if p.answer(c, line) {
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

// literal reads the "{123}" or "{123+}" (RFC 7888) at the end of a line, which
// says that so many bytes follow and then the rest of the line.
func literal(b []byte) (n int, ok bool) {
	open := bytes.LastIndexByte(b, '{')
	if open < 0 || b[len(b)-1] != '}' {
		return 0, false
	}
	num := bytes.TrimSuffix(b[open+1:len(b)-1], []byte("+"))
	if len(num) == 0 || len(num) > 10 {
		return 0, false
	}
	for _, c := range num {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = int(min(int64(n)*10+int64(c-'0'), maxLiteral))
	}
	return n, true
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

func (p *parser) command(c *proto.Conn, line []byte, more bool) {
	tag, rest, spaced := bytes.Cut(line, []byte(" "))
	if p.auth || !spaced || len(tag) == 0 { // a token, or DONE of an IDLE
		return
	}
	word, arg, _ := bytes.Cut(rest, []byte(" "))
	if textline.Is(word, "UID") {
		_, arg, _ = bytes.Cut(arg, []byte(" "))
		word = rest[:len(rest)-len(arg)]
		word = bytes.TrimSuffix(word, []byte(" "))
	}
	if len(p.pending) == maxPending {
		p.done(c, 0)
	}
	t := p.get()
	t.Tag, t.Command = t.keep(tag), t.keep(word)
	switch {
	case textline.Is(word, "LOGIN"):
		if name, ok := astring(arg); ok {
			t.User = t.keep(name)
		} else if more {
			p.naming = t
		}
	case textline.Is(word, "AUTHENTICATE"):
		mech, _, _ := bytes.Cut(arg, []byte(" "))
		t.Mechanism = t.keep(mech)
		p.auth = true
	case textline.Is(word, "SELECT"), textline.Is(word, "EXAMINE"):
		if name, ok := astring(arg); ok {
			t.Mailbox = t.keep(name)
		}
	case textline.Is(word, "STARTTLS"):
		p.waitTLS = true
	}
	p.pending = append(p.pending, t)
	c.Emit(t, false)
}

// astring reads an atom or a quoted string (escapes are left in it). A literal
// is no such thing.
func astring(b []byte) ([]byte, bool) {
	if len(b) == 0 || b[0] == '{' {
		return nil, false
	}
	if b[0] != '"' {
		b, _, _ = bytes.Cut(b, []byte(" "))
		return b, true
	}
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return b[1:i], true
		}
	}
	return nil, false
}

// name appends to the user name that comes as a literal. Nothing else was kept
// since, so the memory behind User can grow in place.
func (t *Tx) name(b []byte) {
	start := len(t.buf) - len(t.User)
	t.buf = append(t.buf, b[:min(len(b), maxField-len(t.User))]...)
	t.User = t.buf[start:len(t.buf):len(t.buf)]
}

// answer takes the first piece of a server's line. It reports whether TLS
// begins.
func (p *parser) answer(c *proto.Conn, line []byte) (tls bool) {
	tag, rest, _ := bytes.Cut(line, []byte(" "))
	status, text, _ := bytes.Cut(rest, []byte(" "))
	switch string(tag) {
	case "+":
		return false
	case "*":
		switch {
		case textline.Is(status, "CAPABILITY"):
			p.capable = append(p.capable[:0], text[:min(len(text), maxField)]...)
		case !p.greeted && (textline.Is(status, "OK") || textline.Is(status, "PREAUTH") || textline.Is(status, "BYE")):
			t := p.get()
			t.Status, t.Greeting = t.keep(status), t.keep(text)
			c.Emit(t, true)
			p.free = append(p.free, t)
		}
		p.greeted = true
		return false
	}
	for i, t := range p.pending {
		if !bytes.Equal(t.Tag, tag[:min(len(tag), maxField)]) {
			continue
		}
		if p.naming == t {
			p.naming = nil
		}
		t.Status, t.Text = t.keep(status), t.keep(text)
		if textline.Is(t.Command, "CAPABILITY") {
			t.capable = t.keep(p.capable)
		}
		if textline.Is(t.Command, "AUTHENTICATE") {
			p.auth = false
		}
		starttls := textline.Is(t.Command, "STARTTLS")
		p.done(c, i)
		if starttls {
			p.waitTLS = false
			if textline.Is(status, "OK") {
				c.Switch("tls")
				return true
			}
			c.Wake()
		}
		return false
	}
	return false
}

func (p *parser) done(c *proto.Conn, i int) {
	t := p.pending[i]
	if p.naming == t {
		p.naming = nil
	}
	copy(p.pending[i:], p.pending[i+1:])
	p.pending = p.pending[:len(p.pending)-1]
	c.Emit(t, true)
	p.free = append(p.free, t)
}

// Gap goes on behind a literal that contains it, else at the next line. Tags
// still find their commands.
func (p *parser) Gap(_ *proto.Conn, d packet.Dir, n int) error {
	h := &p.half[d]
	p.naming = nil
	if n <= h.literal {
		h.literal -= n
		return nil
	}
	*h = half{skip: true}
	p.waitTLS, p.auth = false, false
	return nil
}

func (p *parser) End(c *proto.Conn) {
	for len(p.pending) > 0 {
		p.done(c, 0)
	}
}
