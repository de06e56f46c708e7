package http

import (
	"errors"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

var errTunnel = errors.New("http: bytes lost around a change of protocol")

// Gap implements proto.Parser. Inside a body the loss is counted off; anywhere
// else the message under way ends there and the next start line is looked for.
func (p *parser) Gap(c *proto.Conn, d packet.Dir, n int) error {
	s := &p.side[d]
	s.scan, s.long, s.odd = 0, false, false
	t := s.tx
	if s.blind && t != nil {
		p.count(d, n)
		p.fileGap(c, d, n)
		return nil
	}
	switch s.state {
	case stBody, stChunk:
		p.lose(c, d)
		p.fileGap(c, d, int(min(int64(n), s.remain)))
		if int64(n) <= s.remain {
			p.count(d, n)
			if s.remain -= int64(n); s.remain > 0 {
				return nil
			}
			if s.state == stChunk {
				s.state = stChunkEnd
			} else {
				p.messageEnd(c, d)
			}
			return nil
		}
		p.messageEnd(c, d)
	case stUntilEnd:
		p.lose(c, d)
		p.fileGap(c, d, n)
		p.count(d, n)
		return nil
	case stChunkLen, stChunkEnd, stTrailers:
		p.lose(c, d)
		if s.state != stTrailers {
			p.fileGap(c, d, n)
		}
		p.messageEnd(c, d)
	case stMaybeBody:
		p.messageEnd(c, d)
	case stHeaders, stHeaders09:
		if d == packet.ToServer {
			t.requestFields()
			t.RequestHead = true
			p.requestDone(c, t, true)
		} else {
			t.responseFields()
			t.ResponseHead = true
			p.responseDone(c, t)
		}
	case stWait:
		return errTunnel
	}
	if s.state != stWait {
		s.state, s.tx = stResync, nil
	}
	return nil
}

// lose ends the kept prefix of a body at the bytes that are missing.
func (p *parser) lose(c *proto.Conn, d packet.Dir) {
	t := p.side[d].tx
	t.setTruncated(d)
	if !t.msg[d].full {
		p.bodyFull(c, d)
	}
}

// End implements proto.Parser.
func (p *parser) End(c *proto.Conn) {
	p.settle09(c)
	if s := &p.side[packet.ToServer]; s.tx != nil && s.state != stWait {
		p.endSide(c, packet.ToServer)
	}
	if s := &p.side[packet.ToClient]; s.tx != nil {
		t := s.tx
		p.endSide(c, packet.ToClient)
		t.RequestDone = true
		p.finish(c, t)
	}
	for len(p.queue) > 0 {
		p.finish(c, p.queue[0])
	}
}

// endSide completes the message of direction d as far as it came.
func (p *parser) endSide(c *proto.Conn, d packet.Dir) {
	s := &p.side[d]
	t := s.tx
	switch s.state {
	case stHeaders:
		if d == packet.ToServer {
			t.requestFields()
		} else {
			t.responseFields()
		}
		return
	case stBody, stChunk, stChunkLen, stChunkEnd:
		t.setTruncated(d)
	}
	// To clients the end of the connection ends the file, whatever was
	// announced, and its hash is that of what they have got.
	p.closeFile(c, t, d, false)
	t.publish(d)
	if d == packet.ToClient && (s.state == stUntilEnd || s.state == stMaybeBody || s.state == stTrailers) {
		t.ResponseDone = true
	}
}

// Reset implements proto.Parser.
func (p *parser) Reset() {
	if s := &p.side[packet.ToClient]; s.tx != nil && !p.queued(s.tx) {
		s.tx.release()
	}
	for _, t := range p.queue {
		t.release()
	}
	clear(p.queue)
	*p = parser{queue: proto.Keep(p.queue, keptQueue)}
}

func (p *parser) queued(t *Tx) bool {
	for _, q := range p.queue {
		if q == t {
			return true
		}
	}
	return false
}

// resync looks for the next start line among the lines after a loss.
func (p *parser) resync(c *proto.Conn, d packet.Dir, line, raw []byte) {
	if d == packet.ToServer {
		if r, ok := parseRequestLine(trim(line)); ok && len(r.version) > 0 {
			p.requestLine(c, line, raw)
		}
		return
	}
	if l := parseStatusLine(line); len(l.version) >= 4 && len(l.code) == 3 && isDigit(l.code[0]) {
		// Who does not pipeline had all answers but this one.
		for t := p.pending(); !p.pipelined && t != nil && t != p.queue[len(p.queue)-1]; t = p.pending() {
			p.finish(c, t)
		}
		p.statusLine(c, line, raw)
	}
}
