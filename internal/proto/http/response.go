package http

import (
	"bytes"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/textline"
)

// pending returns the oldest request without answer, nil when there is none.
func (p *parser) pending() *Tx {
	for _, t := range p.queue {
		if !t.started {
			return t
		}
	}
	return nil
}

// answer returns the transaction that a new answer belongs to: the oldest
// unanswered request's, or a fresh one when its request was not seen.
func (p *parser) answer(c *proto.Conn) *Tx {
	p.settle09(c)
	t := p.pending()
	if p.lost > 0 {
		p.lost--
		t = nil
	} else if t == nil && !c.Midstream {
		p.anomaly(c, anUnexpected)
	}
	if t == nil {
		t = p.newTx()
		t.RequestDone = true
	}
	t.started = true
	return t
}

// noStatusLine handles the start of an answer that is no status line: one of
// HTTP/0.9, a body where none belongs, or the middle of a message.
func (p *parser) noStatusLine(c *proto.Conn, b []byte) (n int, more, handled bool) {
	yes, more := isStatusLine(b)
	if yes {
		return 0, false, false
	}
	if more {
		return 0, false, true
	}
	s := &p.side[packet.ToClient]
	if p.answered || c.Midstream || p.pending() == nil {
		if !c.Midstream {
			p.anomaly(c, anStatusLine)
		}
		s.state = stResync
		return 0, true, true
	}
	p.anomaly(c, anStatusLine)
	if i := bytes.IndexByte(b, '\n'); i >= 0 && i <= maxJunkLine && i+1 < len(b) && b[i+1] == 'H' {
		return i + 1, true, true // as libhtp: the status line comes after a line of something else
	}
	t := p.answer(c)
	t.msg[packet.ToClient].startLine(nil, nil)
	s.tx, s.state = t, stUntilEnd
	t.ResponseHead = true
	p.startFile(c, packet.ToClient)
	p.answered = true
	return 0, true, true
}

// maxJunkLine bounds a line before the status line that is passed over.
const maxJunkLine = 256

// statusLine begins an answer.
func (p *parser) statusLine(c *proto.Conn, line, raw []byte) {
	s := &p.side[packet.ToClient]
	t := p.answer(c)
	p.answered = true
	s.tx, s.state = t, stHeaders
	var more []byte
	if i := bytes.IndexByte(line, '\r'); i >= 0 && len(trim(line[i:])) > 0 {
		more = line[i+1:] // header fields after a lone CR
		line, raw = line[:i], line[:i+1]
	}
	l := parseStatusLine(t.msg[packet.ToClient].startLine(line, raw))
	t.AnswerVersion, t.StatusCode, t.StatusText = l.version, l.code, l.text
	v, n := number(l.code)
	if v <= 999 {
		t.Status = int(v)
	}
	if n != 3 || len(l.code) != 3 {
		p.anomaly(c, anStatusLine)
	}
	if len(more) > 0 {
		p.fields(c, packet.ToClient, more, more)
	}
}

// responseHead completes the head of the answer being read.
func (p *parser) responseHead(c *proto.Conn) {
	s := &p.side[packet.ToClient]
	t := s.tx
	chunked, length := p.framingOf(c, packet.ToClient)
	if t.Status == 100 || t.Status > 101 && t.Status < 200 && !chunked && length < 0 {
		p.interim(t)
		return
	}
	t.responseFields()
	t.ResponseHead = true
	connect := textline.Is(t.Method, "connect")
	if t.Status == 101 || connect && t.Status/100 == 2 {
		up := t.Header(packet.ToClient, "upgrade")
		if len(up) == 0 {
			up = t.Header(packet.ToServer, "upgrade")
		}
		name := protocolOf(up, connect)
		t.ResponseDone, t.RequestDone = true, true
		if connect {
			c.SetTarget(t.Host, t.Port)
		}
		p.finish(c, t)
		p.switchTo(c, name)
		return
	}
	switch {
	case textline.Is(t.Method, "head"), !chunked && length == 0:
		p.responseDone(c, t)
		return
	case t.Status == 204 || t.Status == 304 || t.Status/100 == 1:
		if !chunked && length < 0 {
			p.responseDone(c, t)
			return
		}
		p.startBody(c, packet.ToClient, chunked, length)
		s.after, s.state = s.state, stMaybeBody
	default:
		p.startBody(c, packet.ToClient, chunked, length)
	}
	c.Emit(t, false)
}

// interim forgets a 1xx answer: the real one still comes.
func (p *parser) interim(t *Tx) {
	s := &p.side[packet.ToClient]
	s.state, s.tx = stStart, nil
	if !t.RequestHead && t.Method == nil {
		t.release()
		return
	}
	t.msg[packet.ToClient].reset()
	t.started, t.Status = false, 0
	t.AnswerVersion, t.StatusCode, t.StatusText = nil, nil, nil
}

// responseFields fills in what is read from the answer's head.
func (t *Tx) responseFields() {
	t.msg[packet.ToClient].read = true
	t.ResponseHeaders = t.msg[packet.ToClient].headers
	ct := find(t.ResponseHeaders, "content-type")
	if i := bytes.IndexByte(ct, ';'); i >= 0 {
		ct = trim(ct[:i])
	}
	t.ContentType = ct
}

// responseDone notes that an answer is complete.
func (p *parser) responseDone(c *proto.Conn, t *Tx) {
	s := &p.side[packet.ToClient]
	t.ResponseDone = true
	s.state, s.tx, s.scan = stStart, nil, 0
	p.pipelined = p.pipelined || p.pending() != nil
	if w := &p.side[packet.ToServer]; w.state == stWait && w.tx == t {
		// Declined: what the client sent ahead is the next request.
		w.state, w.tx = stStart, nil
		c.Wake()
	}
	if t.RequestDone {
		p.finish(c, t)
		return
	}
	c.Emit(t, false)
}
