package http

import (
	"bytes"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

type state uint8

const (
	stStart     state = iota // a start line comes next
	stHeaders                // header fields up to the empty line
	stHeaders09              // after a request line without version: header fields, or none at all
	stBody                   // remain bytes of body
	stUntilEnd               // body up to the end of the stream
	stChunkLen               // line with the length of a chunk
	stChunk                  // remain bytes of a chunk
	stChunkEnd               // line end after a chunk
	stTrailers               // fields after the last chunk
	stMaybeBody              // 204 or 304 with a length: body or the next status line
	stWait                   // request: CONNECT or Upgrade waits for its answer
	stResync                 // look for the next start line
)

// side is the state of one direction.
type side struct {
	state  state
	long   bool  // in the rest of an overlong line
	odd    bool  // the head ended with LF CR CR LF: CR LF may follow
	scan   int   // of the unconsumed bytes, those without line end
	remain int64 // bytes left of a body or chunk
	after  state // what stMaybeBody becomes when it is a body
	tx     *Tx   // being read, nil between messages
	blind  bool  // parts of a chunked body went by unseen: its end is not known
}

type parser struct {
	side     [2]side
	queue    []*Tx // in order of their requests; not yet done
	lost     int   // requests handed over unanswered, whose answers still come
	reported uint32
	made     uint64 // transactions so far
	answered bool   // a status line was seen
	switched bool
	// pipelined: a request was seen to be sent before the answer to the one
	// before it.
	pipelined bool
}

// Parse implements proto.Parser.
func (p *parser) Parse(c *proto.Conn, d packet.Dir, data []byte) (int, error) {
	off := 0
	if p.side[d].blind || p.side[d^1].blind {
		if n, done := p.sighted(c, d, len(data)); done {
			return n, nil
		}
	}
	if s := &p.side[d]; s.state == stResync {
		// Messages mostly begin with a segment, whatever was before.
		s.long = false
	}
	for {
		n, more := p.step(c, d, data[off:])
		off += n
		if !more {
			return off, nil
		}
	}
}

// step makes one step of progress; more is false when it needs more bytes, or
// when the flow was switched.
func (p *parser) step(c *proto.Conn, d packet.Dir, b []byte) (n int, more bool) {
	s := &p.side[d]
	if len(b) == 0 {
		return 0, false
	}
	if s.long {
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			return len(b), false
		}
		s.long = false
		return i + 1, true
	}
	if s.odd {
		if len(b) == 1 && b[0] == '\r' {
			return 0, false
		}
		s.odd = false
		if b[0] == '\r' && b[1] == '\n' {
			return 2, true
		}
	}
	switch s.state {
	case stBody, stChunk:
		n := len(b)
		if int64(n) > s.remain {
			n = int(s.remain)
		}
		p.body(c, d, b[:n])
		if s.remain -= int64(n); s.remain > 0 {
			return n, true
		}
		if s.state == stChunk {
			s.state = stChunkEnd
		} else {
			p.messageEnd(c, d)
		}
		return n, !p.switched
	case stUntilEnd:
		p.body(c, d, b)
		return len(b), false
	case stMaybeBody:
		return p.maybeBody(c, d, b)
	case stChunkLen:
		if p.notChunked(c, d, b) {
			return 0, true
		}
	case stWait:
		return p.wait(c, b)
	case stResync:
		if n, more, handled := s.skipLine(d, b); handled {
			return n, more
		}
	case stStart:
		if b[0] == '\r' || b[0] == '\n' {
			return 1, true
		}
		if d == packet.ToClient {
			if n, more, handled := p.noStatusLine(c, b); handled {
				return n, more
			}
		} else if n := min(len(b), len(preface)); string(b[:n]) == preface[:n] {
			if n == len(preface) {
				p.switchTo(c, "http2")
			}
			return 0, false
		}
	}
	line, n, ok := s.line(b)
	if !ok {
		return 0, false
	}
	if n > MaxLine {
		p.anomaly(c, anLine)
	}
	return n, p.lineStep(c, d, line, b[:n])
}

// skipLine passes over a line that cannot be a start line without waiting for
// its end.
func (s *side) skipLine(d packet.Dir, b []byte) (n int, more, handled bool) {
	if d == packet.ToClient {
		if yes, more := isStatusLine(b); yes || more {
			return 0, false, false
		}
	} else if isTokenByte(b[0]) {
		return 0, false, false
	}
	s.scan = 0
	i := bytes.IndexByte(b, '\n')
	if i < 0 {
		s.long = true
		return len(b), false, true
	}
	return i + 1, true, true
}

// preface is the first line of HTTP/2, RFC 9113 section 3.4.
const preface = "PRI * HTTP/2.0\r\n"

// line takes one line, without its end; n is what it takes of b.
func (s *side) line(b []byte) (line []byte, n int, ok bool) {
	i := bytes.IndexByte(b[min(s.scan, len(b)):], '\n')
	if i < 0 {
		if s.scan = len(b); len(b) <= MaxLine {
			return nil, 0, false
		}
		s.scan, s.long = 0, true
		return b[:MaxLine], len(b), true
	}
	i += s.scan
	s.scan = 0
	line = b[:min(i, MaxLine)]
	// One CR belongs to the line's end; more of them make the line not empty.
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	return line, i + 1, true
}

// lineStep handles one line; raw is the line with its end.
func (p *parser) lineStep(c *proto.Conn, d packet.Dir, line, raw []byte) (more bool) {
	s := &p.side[d]
	switch s.state {
	case stStart:
		switch {
		case len(trim(line)) == 0:
		case d == packet.ToServer:
			p.requestLine(c, line, raw)
		default:
			p.statusLine(c, line, raw)
		}
	case stHeaders09:
		_, request := parseRequestLine(trim(line))
		if len(line) == 0 || request && !looksLikeHeader(line) {
			// A bare HTTP/0.9 request after all: this line begins the next one.
			s.state = stHeaders
			p.requestHead(c)
			if s.state == stStart && len(line) > 0 {
				p.requestLine(c, line, raw)
			}
			return true
		}
		s.state = stHeaders
		p.anomaly(c, anNoVersion)
		fallthrough
	case stHeaders:
		return p.headerLine(c, d, line, raw)
	case stChunkLen:
		p.chunkLine(c, d, line, raw)
	case stChunkEnd:
		p.count(d, len(raw))
		if len(trim(line)) > 0 {
			p.anomaly(c, anChunkEnd)
		}
		s.state = stChunkLen
	case stTrailers:
		if len(line) == 0 {
			p.messageEnd(c, d)
			return !p.switched
		}
	case stResync:
		p.resync(c, d, line, raw)
	}
	return true
}
