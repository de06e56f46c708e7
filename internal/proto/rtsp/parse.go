package rtsp

import (
	"bytes"
	"errors"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/textline"
)

var (
	errStart = errors.New("rtsp: invalid start line")
	errLost  = errors.New("rtsp: message boundary lost")
)

type side struct {
	head   bool  // in the header fields
	remain int64 // bytes left of a body or of an interleaved frame
	lines  textline.Scanner
	tx     Tx
}

type parser struct {
	side [2]side
	long bool // too_many_headers was reported
}

// probe recognises a start line that ends or begins with RTSP/.
func probe(_ packet.Dir, b []byte) proto.Match {
	line, _, whole := bytes.Cut(b, []byte{'\n'})
	if n := min(len(line), len(version)); string(line[:n]) == version[:n] {
		switch {
		case n == len(version):
			return proto.Yes
		case whole:
			return proto.No
		}
		return proto.More
	}
	i := 0
	for i < len(line) && i < 16 && ('A' <= line[i] && line[i] <= 'Z' || line[i] == '_') {
		i++
	}
	switch {
	case i == len(line) && !whole && i < 16:
		return proto.More
	case i == 0 || i == len(line) || line[i] != ' ':
		return proto.No
	}
	if whole {
		var t Tx
		if t.startLine(bytes.TrimSpace(line)) {
			return proto.Yes
		}
		return proto.No
	}
	uri := line[i+1:]
	for _, s := range [...]string{"rtsp://", "rtspu://", "rtsps://", "* "} {
		if textline.MayBecome(uri, s) && len(line) < MaxStartLine {
			return proto.More
		}
	}
	return proto.No
}

const version = "RTSP/"

// startLine reads a request or status line, RFC 2326 section 6.1 and 7.1.
func (t *Tx) startLine(line []byte) bool {
	if bytes.HasPrefix(line, []byte(version)) {
		i := bytes.IndexByte(line, ' ')
		if i < 0 {
			return false
		}
		t.Version = line[:i]
		code := bytes.TrimLeft(line[i:], " ")
		n := 0
		for n < len(code) && n < 3 && '0' <= code[n] && code[n] <= '9' {
			t.Status = t.Status*10 + int(code[n]-'0')
			n++
		}
		t.Reason = bytes.TrimSpace(code[n:])
		return n == 3
	}
	i, j := bytes.IndexByte(line, ' '), bytes.LastIndexByte(line, ' ')
	if i <= 0 || j <= i || !bytes.HasPrefix(line[j+1:], []byte(version)) {
		return false
	}
	t.Method, t.URI, t.Version = line[:i], bytes.TrimSpace(line[i:j]), line[j+1:]
	return len(t.URI) > 0
}

// Parse implements proto.Parser.
func (p *parser) Parse(c *proto.Conn, d packet.Dir, data []byte) (int, error) {
	s := &p.side[d]
	for off := 0; ; {
		if n := min(s.remain, int64(len(data)-off)); n > 0 {
			s.remain -= n
			off += int(n)
		}
		if off == len(data) {
			return off, nil
		}
		b := data[off:]
		if !s.head {
			switch b[0] {
			case '\r', '\n':
				off++
				continue
			case '$': // interleaved frame, RFC 2326 section 10.12
				if len(b) < 4 {
					return off, nil
				}
				s.remain = int64(b[2])<<8 | int64(b[3])
				off += 4
				continue
			}
		}
		line, n := s.lines.Next(b)
		if n == 0 {
			if !s.head && len(b) > MaxStartLine {
				return off, errStart
			}
			return off, nil
		}
		off += n
		switch {
		case !s.head:
			t := &s.tx
			if len(line) > MaxStartLine {
				return off, errStart
			}
			*t = Tx{Dir: d, Headers: t.Headers[:0], mem: proto.Append(t.mem[:0], line)}
			if !t.startLine(t.mem) {
				return off, errStart
			}
			s.head = true
		case len(line) > 0:
			p.field(c, s, line)
		default:
			s.head = false
			s.remain = textline.Number(s.tx.Header("content-length"))
			p.emit(c, s)
		}
	}
}

func (p *parser) emit(c *proto.Conn, s *side) {
	t := &s.tx
	t.UserAgent, t.Server = t.Header("user-agent"), t.Header("server")
	a := t.Header("authorization")
	if a == nil {
		a = t.Header("www-authenticate")
	}
	if i := bytes.IndexByte(a, ' '); i > 0 {
		t.Auth = a[:i]
		t.Realm, t.User = quoted(a[i:], "realm="), quoted(a[i:], "username=")
	}
	c.Emit(t, true)
}

// quoted returns the quoted value after key in b.
func quoted(b []byte, key string) []byte {
	for i := 0; i+len(key) < len(b); i++ {
		if (b[i] == ' ' || b[i] == ',') && i+1+len(key) < len(b) && textline.HasPrefix(b[i+1:], key) && b[i+1+len(key)] == '"' {
			v := b[i+len(key)+2:]
			if e := bytes.IndexByte(v, '"'); e >= 0 {
				return v[:e]
			}
		}
	}
	return nil
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
	t.Headers = append(t.Headers, textline.FieldAt(t.mem[at:], colon))
}

// Gap implements proto.Parser: a loss inside a body or an interleaved frame is
// counted off.
func (p *parser) Gap(_ *proto.Conn, d packet.Dir, n int) error {
	s := &p.side[d]
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
			p.emit(c, s)
		}
	}
}

// Reset implements proto.Parser.
func (p *parser) Reset() {
	for d := range p.side {
		p.side[d] = side{tx: p.shrink(packet.Dir(d))}
	}
	p.long = false
}
