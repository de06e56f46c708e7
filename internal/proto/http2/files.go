package http2

import (
	"github.com/yamori-net/yamori/internal/mime"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// fileData takes bytes of a DATA frame's payload, of which the padding (RFC
// 9113 section 6.1) is no part of the body. As in Suricata the body has the
// name that a content-disposition gives it, or none. Coded bodies are not
// decoded here and are neither files nor kept for rules.
func (p *parser) fileData(c *proto.Conn, d packet.Dir, t *Tx, b []byte) {
	s := &p.side[d]
	left := s.remain - len(b)
	if s.fresh && len(b) > 0 {
		s.fresh = false
		if s.flags&flPadded != 0 {
			s.pad, b = int(b[0]), b[1:]
		}
	}
	b = b[:max(0, len(b)-max(0, s.pad-left))]
	f := &t.files[d]
	if len(b) == 0 {
		return
	}
	if !f.IsOpen() {
		if e := t.Header(d, "content-encoding"); len(e) > 0 && string(e) != "identity" {
			return
		}
	}
	if n := min(len(b), MaxBody-len(t.body[d])); n > 0 {
		t.body[d] = append(room(t.body[d], n), b[:n]...)
		t.fresh = t.calls
		p.count(t)
	}
	if !c.WantFiles {
		return
	}
	if !f.IsOpen() {
		t.name[d] = mime.AppendParam(t.name[d][:0], t.Header(d, "content-disposition"), "filename")
		c.OpenFile(f, d, t.name[d], t, t.num)
	}
	c.FileData(f, b)
}

// room returns b with place for n more bytes, MaxBody in all at most: what is
// kept of a stream for the next one must not be more.
func room(b []byte, n int) []byte {
	if len(b)+n <= cap(b) {
		return b
	}
	grown := make([]byte, len(b), min(MaxBody, max(2*cap(b), len(b)+n, 256)))
	copy(grown, b)
	return grown
}
