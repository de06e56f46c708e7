package http

import (
	"math"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// Bulk implements proto.Bulk: the rest of a body whose kept prefix is full and
// that nobody follows as a file. An answer that is the only one awaited lasts
// until the client speaks again, however it is framed; when another is awaited,
// it may begin at any time.
func (p *parser) Bulk(d packet.Dir) int64 {
	s := &p.side[d]
	t := s.tx
	if t == nil || p.switched || s.long || s.odd {
		return 0
	}
	m := &t.msg[d]
	if !m.full || m.filing && !(m.multi == nil && (m.file.Enough || m.undecoded)) {
		return 0
	}
	if d == packet.ToClient && (len(p.queue) > 1 || p.side[packet.ToServer].tx != nil && p.side[packet.ToServer].tx != t) {
		return 0
	}
	switch s.state {
	case stUntilEnd:
		return math.MaxInt64
	case stBody:
		return s.remain
	case stChunk, stChunkLen, stChunkEnd:
		if d == packet.ToClient && t.RequestDone {
			return math.MaxInt64
		}
		if s.state == stChunk {
			return s.remain
		}
	}
	return 0
}

// Pass implements proto.Bulk.
func (p *parser) Pass(c *proto.Conn, d packet.Dir, n int) {
	s := &p.side[d]
	switch s.state {
	case stChunk, stChunkLen, stChunkEnd:
		if d == packet.ToServer || s.state == stChunk && int64(n) < s.remain {
			break
		}
		p.lose(c, d)
		p.count(d, n)
		p.fileGap(c, d, n)
		s.blind, s.scan = true, 0
		return
	}
	_ = p.Gap(c, d, n) // in a body it has no error
}

// sighted goes on after a body whose end went by unseen: it is over when the
// client speaks, and until then what the server sends belongs to it. done: the
// n bytes of direction d are dealt with.
func (p *parser) sighted(c *proto.Conn, d packet.Dir, n int) (int, bool) {
	s := &p.side[packet.ToClient]
	if s.tx == nil { // ended meanwhile
		s.blind = false
		return 0, false
	}
	if d == packet.ToClient {
		p.count(d, n)
		return n, true
	}
	s.blind = false
	p.messageEnd(c, packet.ToClient)
	s.state, s.tx = stResync, nil
	return 0, false
}
