package http

import (
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// count adds n to the length of the body of direction d as on the wire.
func (p *parser) count(d packet.Dir, n int) {
	t := p.side[d].tx
	if d == packet.ToServer {
		t.RequestLen += int64(n)
	} else {
		t.ResponseLen += int64(n)
	}
}

// body takes bytes of a body, past chunking. Once the prefix is full it only
// counts them.
func (p *parser) body(c *proto.Conn, d packet.Dir, b []byte) {
	p.count(d, len(b))
	t := p.side[d].tx
	m := &t.msg[d]
	if m.filing {
		p.fileBody(c, d, b)
		return
	}
	if m.full {
		t.setTruncated(d)
		return
	}
	m.room()
	if m.dec == nil {
		n := min(len(b), MaxBody-len(m.body))
		m.body = append(m.body, b[:n]...)
		if n < len(b) {
			t.setTruncated(d)
		}
		if len(m.body) == MaxBody {
			p.bodyFull(c, d)
		}
		return
	}
	var res decodeResult
	m.body, res = m.dec.write(m.body, b)
	if res == decodePlain {
		p.anomaly(c, anNotEncoded)
	}
	switch {
	case res == decodeBad:
		p.anomaly(c, anDecode)
		p.bodyFull(c, d)
	case res == decodeLimit:
		p.anomaly(c, anDecodeLimit)
		t.setTruncated(d)
		p.bodyFull(c, d)
	case len(m.body) == MaxBody:
		if !m.dec.ended() {
			t.setTruncated(d)
		}
		p.bodyFull(c, d)
	}
}

// bodyFull hands over the prefix of a body that goes on.
func (p *parser) bodyFull(c *proto.Conn, d packet.Dir) {
	t := p.side[d].tx
	t.msg[d].full = true
	t.publish(d)
	c.Emit(t, false)
}

// publish shows the prefix of a body to the users of the transaction.
func (t *Tx) publish(d packet.Dir) {
	m := &t.msg[d]
	if m.dec != nil && !m.filing {
		m.dec.release()
		m.dec = nil
	}
	if len(m.body) == 0 {
		return
	}
	if d == packet.ToServer {
		t.RequestBody = m.body
	} else {
		t.ResponseBody = m.body
	}
}

// notChunked looks at the first byte of a chunk's line. When it is no digit
// the rest is a body without chunks, as to browsers and libhtp: the line may
// never end.
func (p *parser) notChunked(c *proto.Conn, d packet.Dir, b []byte) bool {
	i := 0
	for i < len(b) && (isSpace(b[i]) || b[i] == 0) {
		i++
	}
	if i == len(b) {
		return false
	}
	if _, ok := hexValue(b[i]); ok {
		return false
	}
	p.anomaly(c, anChunkLen)
	p.side[d].state, p.side[d].scan = stUntilEnd, 0
	return true
}

// chunkLine handles the line before a chunk, RFC 9112 section 7.1: white
// space and control bytes before the number and anything after it are
// tolerated, as by libhtp.
func (p *parser) chunkLine(c *proto.Conn, d packet.Dir, line, raw []byte) {
	s := &p.side[d]
	for len(line) > 0 && (isSpace(line[0]) || line[0] == 0) {
		line = line[1:]
	}
	size, digits := int64(0), 0
	for digits < len(line) && digits < 16 {
		v, ok := hexValue(line[digits])
		if !ok {
			break
		}
		size = size<<4 | int64(v)
		digits++
	}
	if digits == 0 {
		p.count(d, len(raw)) // a stray line end
		return
	}
	if size < 0 || size > maxChunk {
		// Browsers and libhtp go on with the rest as an unchunked body.
		p.anomaly(c, anChunkLen)
		s.state = stUntilEnd
		p.body(c, d, raw)
		return
	}
	p.count(d, len(raw))
	if size == 0 {
		s.state = stTrailers
		return
	}
	s.state, s.remain = stChunk, size
}

// maxChunk is the largest chunk length believed, 4 TB.
const maxChunk = 1 << 42

func hexValue(c byte) (v byte, ok bool) {
	switch {
	case isDigit(c):
		return c - '0', true
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10, true
	}
	return 0, false
}

// maybeBody decides what follows a 204 or 304 answer that announced a length:
// almost always the next answer, sometimes a body after all.
func (p *parser) maybeBody(c *proto.Conn, d packet.Dir, b []byte) (n int, more bool) {
	yes, more := isStatusLine(b)
	switch {
	case yes:
		p.messageEnd(c, d)
		return 0, true
	case more:
		return 0, false
	}
	p.anomaly(c, anBodyless)
	s := &p.side[d]
	s.state = s.after
	return 0, true
}

// messageEnd completes the message of direction d.
func (p *parser) messageEnd(c *proto.Conn, d packet.Dir) {
	s := &p.side[d]
	t := s.tx
	p.closeFile(c, t, d, false)
	t.publish(d)
	if d == packet.ToServer {
		p.requestDone(c, t, true)
	} else {
		p.responseDone(c, t)
	}
}
