package rfb

import (
	"encoding/binary"
	"errors"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

var errBegin = errors.New("rfb: bytes lost, or no version at the begin")

// step is how far a side has come.
type step uint8

const (
	version step = iota
	security
	proof // challenge of the server, response of the client
	result
	reason
	initial
	over
)

type parser struct {
	s    Session
	step [2]step
	open bool // something of the session was seen
	done bool
}

func (p *parser) Reset() { *p = parser{} }

// Gap is the end: the beginning is all there is to read.
func (p *parser) Gap(*proto.Conn, packet.Dir, int) error { return errBegin }

func (p *parser) End(c *proto.Conn) { p.finish(c) }

func (p *parser) finish(c *proto.Conn) {
	if p.open && !p.done {
		p.done = true
		c.Emit(&p.s, true)
	}
}

func (p *parser) Parse(c *proto.Conn, d packet.Dir, data []byte) (n int, err error) {
	for !p.done {
		before := p.step[d]
		var used int
		if before == version {
			used, err = p.version(d, data[n:])
		} else if d == packet.ToServer {
			used = p.client(c, data[n:])
		} else {
			used = p.server(c, data[n:])
		}
		n += used
		if err != nil || p.step[d] == before {
			break
		}
		c.Wake() // the other side may have waited for this
	}
	if p.done {
		c.Finish()
		return len(data), nil
	}
	return n, err
}

func (p *parser) version(d packet.Dir, b []byte) (int, error) {
	switch probe(d, b) {
	case proto.No:
		return 0, errBegin
	case proto.More:
		return 0, nil
	}
	copy(p.s.Version[d][:], b[4:7])
	copy(p.s.Version[d][3:], b[8:11])
	p.s.HasVersion[d], p.step[d], p.open = true, security, true
	return 12, nil
}

// minor is the version spoken: the client's. RFC 6143 section 7.1.1 knows 3, 7
// and 8; what others send counts as 8, but below 7 as 3.
func (p *parser) minor() int {
	v := p.s.Version[packet.ToServer]
	switch m := int(v[3]-'0')*100 + int(v[4]-'0')*10 + int(v[5]-'0'); {
	case m < 7:
		return 3
	case m == 7:
		return 7
	}
	return 8
}

func (p *parser) client(c *proto.Conn, b []byte) int {
	s, at := &p.s, &p.step[packet.ToServer]
	switch *at {
	case security:
		if p.minor() == 3 { // the server chooses
			if s.HasSecurity {
				*at = p.afterChoice()
			}
			return 0
		}
		if len(b) < 1 || p.step[packet.ToClient] <= security { // its offer is still to come
			return 0
		}
		s.Security, s.HasSecurity = uint32(b[0]), true
		*at = p.afterChoice()
		c.Emit(s, false)
		p.unknown(c)
		return 1
	case proof:
		if len(b) < 16 || !s.HasChallenge {
			return 0
		}
		s.HasResponse = copy(s.Response[:], b) == 16
		*at = initial
		return 16
	case initial:
		if len(b) < 1 {
			return 0
		}
		s.Shared, s.HasShared = b[0] != 0, true
		*at = over
		return 1
	}
	return 0
}

// afterChoice is what the client does next.
func (p *parser) afterChoice() step {
	if p.s.Security == SecVNC {
		return proof
	}
	return initial
}

// unknown ends the reading when the security type is none of the RFC: what
// follows is its own affair, mostly TLS.
func (p *parser) unknown(c *proto.Conn) {
	if p.s.Security != SecNone && p.s.Security != SecVNC {
		p.finish(c)
	}
}

func (p *parser) server(c *proto.Conn, b []byte) int {
	s, at := &p.s, &p.step[packet.ToClient]
	switch *at {
	case security:
		return p.offer(c, b)
	case proof:
		switch {
		case !s.HasSecurity:
			return 0
		case s.Security == SecVNC:
			if len(b) < 16 {
				return 0
			}
			s.HasChallenge = copy(s.Challenge[:], b) == 16
			*at = result
			return 16
		case p.minor() < 8: // no result without authentication
			*at = initial
		default:
			*at = result
		}
	case result:
		if len(b) < 4 {
			return 0
		}
		s.Result, s.HasResult = binary.BigEndian.Uint32(b), true
		*at = initial
		if s.Result != 0 {
			*at = reason
			if p.minor() < 8 {
				p.finish(c)
				return 4
			}
		}
		c.Emit(s, false)
		return 4
	case reason:
		if p.keepText(b) {
			*at = over
			p.finish(c)
		}
	case initial:
		// Width, height, pixel format, name: RFC 6143 section 7.3.2. It answers
		// the client's byte.
		if len(b) < 20 || !s.HasShared || !p.keepText(b[20:]) {
			return 0
		}
		s.Width, s.Height = binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
		copy(s.Pixel[:], b[4:])
		s.HasInit, *at = true, over
		p.finish(c)
	}
	return 0
}

// offer reads which security types the server offers, or with version 3.3 the
// one that it wants.
func (p *parser) offer(c *proto.Conn, b []byte) int {
	s, at := &p.s, &p.step[packet.ToClient]
	if !s.HasVersion[packet.ToServer] {
		return 0
	}
	if p.minor() == 3 {
		if len(b) < 4 {
			return 0
		}
		s.Security, s.HasSecurity = binary.BigEndian.Uint32(b), true
		if *at = proof; s.Security == SecInvalid {
			*at = reason
			return 4
		}
		c.Emit(s, false)
		p.unknown(c)
		return 4
	}
	if len(b) < 1 || len(b) < 1+int(b[0]) {
		return 0
	}
	if *at = proof; b[0] == 0 {
		*at = reason
	}
	return 1 + int(b[0])
}

// keepText keeps a text with its length before it, as soon as all that is kept
// of it is there.
func (p *parser) keepText(b []byte) bool {
	if len(b) < 4 {
		return false
	}
	n := int(min(binary.BigEndian.Uint32(b), maxText))
	if len(b) < 4+n {
		return false
	}
	p.s.textLen = copy(p.s.text[:n], b[4:])
	return true
}
