package pop3

import (
	"bytes"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/textline"
)

// tlsHandshake is the content type of a ClientHello's record, RFC 8446 section
// 5.1; no command begins with it.
const tlsHandshake = 0x16

// probe judges by the status of a server ("+OK" alone is what Redis answers,
// too) and by the first command of a client (USER is FTP's as well).
func probe(d packet.Dir, b []byte) proto.Match {
	if d == packet.ToClient {
		return probeStatus(b)
	}
	end := bytes.IndexByte(b, '\n')
	line := b
	if end >= 0 {
		line = bytes.TrimSuffix(b[:end], []byte("\r"))
	}
	if len(line) > 255 {
		return proto.No
	}
	word, arg, spaced := bytes.Cut(line, []byte(" "))
	for _, w := range [...]struct {
		name string
		arg  bool
		m    proto.Match
	}{{"CAPA", false, proto.Yes}, {"STLS", false, proto.Yes}, {"APOP", true, proto.Yes}, {"UIDL", false, proto.Yes}, {"USER", true, proto.Weak},
		{"AUTH", false, proto.Weak}, {"STAT", false, proto.Weak}, {"QUIT", false, proto.Weak}} {
		switch {
		case end < 0 && len(word) <= len(w.name) && textline.MayBecome(word, w.name):
			return proto.More
		case end >= 0 && textline.Is(word, w.name) && (spaced || !w.arg) && textline.Printable(arg):
			return w.m
		}
	}
	return proto.No
}

func probeStatus(b []byte) proto.Match {
	const ok = "+OK"
	if n := min(len(b), len(ok)); string(b[:n]) != ok[:n] {
		return proto.No
	}
	switch {
	case len(b) < 5:
		return proto.More
	case b[3] == ' ':
		return proto.Yes
	case b[3] == '\r' && b[4] == '\n':
		return proto.Weak
	}
	return proto.No
}

type parser struct {
	skip    [2]bool // passing over the rest of a long line, or of one after a gap
	body    bool    // passing over a multi-line answer
	auth    bool    // AUTH is under way: the client's lines are tokens
	waitTLS bool
	heard   bool // the server has said anything
	user    []byte
	pending []*Tx
	free    []*Tx
}

func (p *parser) Reset() {
	p.free = append(p.free, p.pending...)
	clear(p.pending)
	p.shrink()
	*p = parser{pending: p.pending[:0], free: p.free, user: p.user[:0]}
}

func (p *parser) Parse(c *proto.Conn, d packet.Dir, data []byte) (n int, err error) {
	p.heard = p.heard || d == packet.ToClient
	for n < len(data) {
		b := data[n:]
		if d == packet.ToServer && p.waitTLS && b[0] == tlsHandshake {
			p.early(c)
			return n, nil
		}
		if p.skip[d] || d == packet.ToClient && p.body && b[0] != '.' {
			end := bytes.IndexByte(b, '\n')
			// A line of a mail need not be whole to be passed over.
			if p.skip[d] = end < 0; end < 0 {
				return len(data), nil
			}
			n += end + 1
			continue
		}
		line, used, long := textline.Cut(b, maxLine)
		if used == 0 {
			return n, nil
		}
		n += used
		if p.skip[d] = long; long && !(d == packet.ToClient && p.body) {
			c.Anomaly("pop3_line_too_long")
		}
		line = bytes.TrimSuffix(line, []byte("\r"))
		switch {
		case d == packet.ToServer:
			p.command(c, line)
		case p.body:
			p.body = string(line) != "."
		default:
			if p.answer(c, line) {
				return n, nil
			}
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

func (p *parser) command(c *proto.Conn, line []byte) {
	if p.auth || len(line) == 0 {
		return
	}
	if len(p.pending) == maxPending {
		p.done(c)
	}
	t := p.get()
	word, arg, _ := bytes.Cut(line, []byte(" "))
	switch {
	case textline.Is(word, "USER"):
		p.user = append(p.user[:0], arg[:min(len(arg), maxField)]...)
	case textline.Is(word, "PASS"):
		t.Secret = true
	case textline.Is(word, "APOP"):
		arg, _, _ = bytes.Cut(arg, []byte(" "))
		p.user = append(p.user[:0], arg[:min(len(arg), maxField)]...)
	case textline.Is(word, "AUTH"):
		arg, _, _ = bytes.Cut(arg, []byte(" "))
		p.auth = len(arg) > 0
	case textline.Is(word, "STLS"):
		p.waitTLS = true
	}
	t.Command, t.Arg, t.User = t.keep(word), t.keep(arg), t.keep(p.user)
	p.pending = append(p.pending, t)
	c.Emit(t, false)
}

// answer takes the first line of an answer. It reports whether TLS begins.
func (p *parser) answer(c *proto.Conn, line []byte) (tls bool) {
	status, text, _ := bytes.Cut(line, []byte(" "))
	ok := string(status) == "+OK"
	if !ok && string(status) != "-ERR" {
		if string(status) != "+" { // else a challenge, RFC 1734
			c.Anomaly("pop3_bad_answer")
		}
		return false
	}
	if len(p.pending) == 0 {
		p.pending = append(p.pending, p.get())
	}
	t := p.pending[0]
	t.Answered, t.OK, t.Header = true, ok, t.keep(text)
	p.body = ok && multiLine(t)
	if textline.Is(t.Command, "AUTH") {
		p.auth = false
	}
	stls := textline.Is(t.Command, "STLS")
	p.done(c)
	if stls {
		p.waitTLS = false
		if ok {
			c.Switch("tls")
			return true
		}
		c.Wake()
	}
	return false
}

// multiLine tells the commands whose answer ends with a line of one dot.
func multiLine(t *Tx) bool {
	switch {
	case textline.Is(t.Command, "RETR"), textline.Is(t.Command, "TOP"), textline.Is(t.Command, "CAPA"):
		return true
	case textline.Is(t.Command, "LIST"), textline.Is(t.Command, "UIDL"), textline.Is(t.Command, "AUTH"):
		return len(t.Arg) == 0
	}
	return false
}

func (p *parser) done(c *proto.Conn) {
	t := p.pending[0]
	copy(p.pending, p.pending[1:])
	p.pending = p.pending[:len(p.pending)-1]
	c.Emit(t, true)
	p.free = append(p.free, t)
}

// Gap goes on at the next line. Inside a mail nothing else is lost; elsewhere
// the commands waiting are let go.
func (p *parser) Gap(c *proto.Conn, d packet.Dir, _ int) error {
	p.skip[d] = true
	p.waitTLS = false
	if d == packet.ToServer || !p.body {
		p.auth = false
		for len(p.pending) > 0 {
			p.done(c)
		}
	}
	return nil
}

func (p *parser) End(c *proto.Conn) {
	for len(p.pending) > 0 {
		p.done(c)
	}
}
