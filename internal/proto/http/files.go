package http

import (
	"bytes"
	"errors"

	"github.com/yamori-net/yamori/internal/mime"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/textline"
)

// Limits of undoing the content codings of a whole body, for those who listen
// to files.
const (
	// maxWindow bounds the output that one layer holds: what DEFLATE may refer
	// back to and as much again.
	maxWindow = 64 << 10
	// Beyond freeOutput decoded bytes a body may not have produced more than
	// maxRatio times its length, all layers together. Real pages stay below 20;
	// a bomb reaches 1,030 with each layer.
	freeOutput = 1 << 20
	maxRatio   = 200
)

var errBomb = errors.New("http: compression bomb")

// startFile decides whether the body about to come is a file, or several.
// Suricata takes every answer's body for one, and of requests those of POST and
// PUT.
func (p *parser) startFile(c *proto.Conn, d packet.Dir) {
	if !c.WantFiles {
		return
	}
	t := p.side[d].tx
	m := &t.msg[d]
	if d == packet.ToServer {
		post := textline.Is(t.Method, "post")
		if !post && !textline.Is(t.Method, "put") {
			return
		}
		var mem [maxBoundary]byte
		if b := boundary(mem[:], t.Header(d, "content-type")); post && b != nil {
			m.multi = newMultipart(b)
		}
	}
	m.filing = true
}

// fileBody takes bytes of a body that somebody listens to.
func (p *parser) fileBody(c *proto.Conn, d packet.Dir, b []byte) {
	m := &p.side[d].tx.msg[d]
	if m.dec == nil {
		p.content(c, d, b)
		return
	}
	if m.full && m.file.Enough || m.undecoded {
		return
	}
	m.dec.in += len(b)
	err := p.pump(c, d, 0, b)
	for i := range m.dec.n {
		if m.dec.layer[i].state == lyPlain {
			p.anomaly(c, anNotEncoded)
		}
	}
	switch err {
	case nil:
		return
	case errBomb:
		p.anomaly(c, anDecodeLimit)
		p.side[d].tx.setTruncated(d)
	default:
		p.anomaly(c, anDecode)
	}
	// What was decoded before the fault still counts.
	m.undecoded = true
	if !m.full {
		p.bodyFull(c, d)
	}
}

// pump gives bytes to layer i of the decoder, and what comes of them to the
// next one or, decoded, to content.
func (p *parser) pump(c *proto.Conn, d packet.Dir, i int, in []byte) error {
	m := &p.side[d].tx.msg[d]
	dec := m.dec
	l := &dec.layer[i]
	for {
		from := len(dec.win[i])
		w, n, err := l.write(dec.win[i], in, maxWindow)
		dec.win[i], in = w, in[n:]
		if out := w[from:]; len(out) > 0 {
			if dec.made += len(out); dec.made > freeOutput && dec.made/maxRatio > dec.in {
				return errBomb
			}
			if i+1 == dec.n {
				p.content(c, d, out)
			} else if bad := p.pump(c, d, i+1, out); bad != nil {
				return bad
			}
		}
		if err != nil || len(w) < maxWindow || m.full && m.file.Enough {
			return err
		}
		dec.win[i] = w[:copy(w, w[maxWindow/2:])]
		l.z.Slide(maxWindow / 2)
	}
}

// content takes decoded bytes of a body: its first part is kept, all of it is
// a file.
func (p *parser) content(c *proto.Conn, d packet.Dir, b []byte) {
	t := p.side[d].tx
	m := &t.msg[d]
	if m.full {
		t.setTruncated(d)
	} else {
		m.room()
		n := min(len(b), MaxBody-len(m.body))
		m.body = append(m.body, b[:n]...)
		if n < len(b) {
			t.setTruncated(d)
		}
		if len(m.body) == MaxBody {
			p.bodyFull(c, d)
		}
	}
	switch {
	case m.multi != nil:
		m.multi.write(c, t, b)
	case m.file.IsOpen():
		c.FileData(&m.file, b)
	case len(b) > 0:
		c.OpenFile(&m.file, d, t.fileName(d), t, t.num)
		if d == packet.ToClient && t.Status == 206 {
			m.file.Start, m.file.End = byteRange(find(m.headers, "content-range"))
		}
		c.FileData(&m.file, b)
	}
}

// fileName names the body sent in direction d: by the Content-Disposition of
// an answer, or else by the path of the request, as Suricata does.
func (t *Tx) fileName(d packet.Dir) []byte {
	if d == packet.ToClient {
		m := &t.msg[d]
		if m.name = mime.AppendParam(m.name[:0], t.Header(d, "content-disposition"), "filename"); len(m.name) > 0 {
			return m.name
		}
	}
	if i := bytes.IndexAny(t.Path, "?#"); i >= 0 {
		return t.Path[:i]
	}
	return t.Path
}

// closeFile ends the file, or files, in the body of direction d.
func (p *parser) closeFile(c *proto.Conn, t *Tx, d packet.Dir, truncated bool) {
	m := &t.msg[d]
	if !m.filing {
		return
	}
	m.filing = false
	if m.multi != nil {
		m.multi.end(c)
		m.multi.release()
		m.multi = nil
	}
	c.CloseFile(&m.file, truncated || m.undecoded)
}

// fileGap says that n bytes of the body of direction d are lost here.
func (p *parser) fileGap(c *proto.Conn, d packet.Dir, n int) {
	t := p.side[d].tx
	m := &t.msg[d]
	if !m.filing {
		return
	}
	if m.multi != nil {
		m.multi.gap(c, n)
		return
	}
	c.FileGap(&m.file, n)
	if m.dec != nil {
		m.undecoded = true // nothing after the loss can be decoded
	}
}

// byteRange reads "bytes first-last/size" of Content-Range, RFC 9110 section
// 14.4.
func byteRange(v []byte) (first, last uint64) {
	for len(v) > 0 && !isDigit(v[0]) {
		v = v[1:]
	}
	a, n := number(v)
	if n == 0 || n >= len(v) || v[n] != '-' {
		return 0, 0
	}
	b, n := number(v[n+1:])
	if n == 0 || b < a {
		return 0, 0
	}
	return uint64(a), uint64(b)
}
