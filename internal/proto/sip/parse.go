package sip

import (
	"bytes"
	"errors"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/textline"
)

var (
	errStart = errors.New("sip: invalid start line")
	errLost  = errors.New("sip: message boundary lost")
)

type side struct {
	head   bool // in the header fields
	body   bool // the message waits for its body
	remain int64
	lines  textline.Scanner
	tx     Tx
	buf    []byte // over TCP: the message as sent, MaxHead and MaxBody at most
}

type parser struct {
	side [2]side
	long bool // too_many_headers was reported
}

// probe recognises a start line that ends or begins with SIP/2.0.
func probe(_ packet.Dir, b []byte) proto.Match {
	for i := 0; len(b) > 0 && (b[0] == '\r' || b[0] == '\n') && i < 8; i++ {
		b = b[1:] // keep-alives, RFC 5626 section 3.5.1
	}
	line, _, whole := bytes.Cut(b, []byte{'\n'})
	if n := min(len(line), len(version)); string(line[:n]) == version[:n] {
		if n < len(version) {
			if whole {
				return proto.No
			}
			return proto.More
		}
		return proto.Yes
	}
	i := 0
	for i < len(line) && i < 16 && 'A' <= line[i] && line[i] <= 'Z' {
		i++
	}
	switch {
	case i == len(line) && !whole && i < 16:
		return proto.More
	case i == 0 || i >= 16 || i == len(line) || line[i] != ' ':
		return proto.No
	}
	if whole {
		t := Tx{}
		if t.startLine(bytes.TrimSpace(line)) {
			return proto.Yes
		}
		return proto.No
	}
	uri := line[i+1:]
	for _, s := range [...]string{"sip:", "sips:", "tel:"} {
		if textline.MayBecome(uri, s) {
			if len(line) >= MaxStartLine {
				return proto.No
			}
			return proto.More
		}
	}
	return proto.No
}

const version = "SIP/2.0"

// startLine reads a request or status line, RFC 3261 section 7.1 and 7.2.
func (t *Tx) startLine(line []byte) bool {
	t.StartLine = line
	if bytes.HasPrefix(line, []byte(version+" ")) {
		t.Version = line[:len(version)]
		rest := bytes.TrimSpace(line[len(version):])
		i := bytes.IndexByte(rest, ' ')
		if i < 0 {
			i = len(rest)
		}
		t.Code, t.Reason = rest[:i], bytes.TrimSpace(rest[i:])
		return len(t.Code) == 3
	}
	i, j := bytes.IndexByte(line, ' '), bytes.LastIndexByte(line, ' ')
	if i <= 0 || j <= i || !bytes.HasPrefix(line[j+1:], []byte("SIP/")) {
		return false
	}
	t.Method, t.URI, t.Version = line[:i], bytes.TrimSpace(line[i:j]), line[j+1:]
	return len(t.URI) > 0
}

// Parse implements proto.Parser.
func (p *parser) Parse(c *proto.Conn, d packet.Dir, data []byte) (int, error) {
	s := &p.side[d]
	if c.Transport != proto.TCP {
		s.head, s.body, s.remain, s.lines = false, false, 0, textline.Scanner{}
		off, err := p.stream(c, d, data)
		if err == nil && s.head { // the head ends with the datagram
			if off < len(data) {
				p.field(c, s, data[off:])
			}
			s.tx.raw, s.tx.at[1] = data, len(data)
			p.emit(c, &s.tx)
		}
		s.head = false
		return len(data), err
	}
	return p.stream(c, d, data)
}

func (p *parser) stream(c *proto.Conn, d packet.Dir, data []byte) (int, error) {
	s := &p.side[d]
	for off := 0; ; {
		if n := min(s.remain, int64(len(data)-off)); n > 0 {
			if s.body {
				keep := min(int(n), s.tx.at[1]+MaxBody-len(s.buf))
				s.buf = append(s.buf, data[off:off+keep]...)
			}
			s.remain -= n
			off += int(n)
		}
		if s.body && (s.remain <= 0 || len(s.buf) >= s.tx.at[1]+MaxBody) {
			p.whole(c, s)
		}
		if off == len(data) {
			return off, nil
		}
		b := data[off:]
		if !s.head && (b[0] == '\r' || b[0] == '\n') {
			off++
			continue
		}
		line, n := s.lines.Next(b)
		if n == 0 {
			if !s.head && len(b) > MaxStartLine {
				return off, errStart
			}
			return off, nil
		}
		if c.Transport == proto.TCP {
			if !s.head {
				s.buf = s.buf[:0]
			}
			if len(s.buf)+n <= MaxHead {
				s.buf = append(s.buf, b[:n]...)
			}
		}
		off += n
		if !s.head {
			if len(line) > MaxStartLine {
				return off, errStart
			}
			t := &s.tx
			*t = Tx{Dir: d, Headers: t.Headers[:0], mem: proto.Append(t.mem[:0], line), SDP: t.SDP[:0]}
			if !t.startLine(t.mem) {
				return off, errStart
			}
			s.head = true
			if t.at[0] = off; c.Transport == proto.TCP {
				t.at[0] = len(s.buf)
			}
			continue
		}
		if len(line) > 0 {
			p.field(c, s, line)
			continue
		}
		s.head = false
		s.remain = textline.Number(s.tx.Header("content-length"))
		if c.Transport != proto.TCP {
			s.tx.raw, s.tx.at[1] = data, off
			p.emit(c, &s.tx)
			return len(data), nil
		}
		s.tx.at[1] = len(s.buf)
		if s.remain > 0 {
			s.body = true
			continue
		}
		p.whole(c, s)
	}
}

// whole hands over a message of a stream, with as much of its body as there is.
func (p *parser) whole(c *proto.Conn, s *side) {
	s.body = false
	s.tx.raw = s.buf
	p.emit(c, &s.tx)
}

// emit hands over a message, whose bytes are not valid any longer afterwards.
func (p *parser) emit(c *proto.Conn, t *Tx) {
	t.describe()
	c.Emit(t, true)
	t.raw, t.at, t.SDP = nil, [2]int{}, t.SDP[:0]
}

// longNames maps the compact forms of field names to the long ones, RFC 3261
// section 7.3.3.
var longNames = [26][]byte{
	'c' - 'a': []byte("Content-Type"), 'e' - 'a': []byte("Content-Encoding"), 'f' - 'a': []byte("From"),
	'i' - 'a': []byte("Call-ID"), 'k' - 'a': []byte("Supported"), 'l' - 'a': []byte("Content-Length"),
	'm' - 'a': []byte("Contact"), 's' - 'a': []byte("Subject"), 't' - 'a': []byte("To"), 'v' - 'a': []byte("Via"),
}

func longName(name []byte) []byte {
	if len(name) == 1 && 'a' <= name[0]|0x20 && name[0]|0x20 <= 'z' {
		if n := longNames[name[0]|0x20-'a']; n != nil {
			return n
		}
	}
	return name
}

// field keeps one header field; continuation lines are not joined.
func (p *parser) field(c *proto.Conn, s *side, line []byte) {
	t := &s.tx
	colon := textline.Colon(line)
	if colon < 0 {
		return
	}
	if len(t.Headers) >= MaxHeaders || len(t.mem)+len(line) > MaxHead {
		if !p.long {
			p.long = true
			c.Anomaly("too_many_headers")
		}
		return
	}
	at := len(t.mem)
	t.mem = proto.Append(t.mem, line)
	f := textline.FieldAt(t.mem[at:], colon)
	f.Name = longName(f.Name)
	t.Headers = append(t.Headers, f)
}

// Gap implements proto.Parser: a loss inside a body is counted off.
func (p *parser) Gap(c *proto.Conn, d packet.Dir, n int) error {
	s := &p.side[d]
	if s.body {
		p.whole(c, s)
	}
	if int64(n) > s.remain {
		return errLost
	}
	s.remain -= int64(n)
	return nil
}

// End implements proto.Parser.
func (p *parser) End(c *proto.Conn) {
	for d := range p.side {
		if s := &p.side[d]; s.head {
			s.head = false
			c.Emit(&s.tx, true)
		} else if s.body {
			p.whole(c, s)
		}
	}
}

// Reset implements proto.Parser.
func (p *parser) Reset() {
	for d := range p.side {
		p.side[d] = side{tx: p.shrink(packet.Dir(d)), buf: proto.Keep(p.side[d].buf, keptHead)}
	}
	p.long = false
}
