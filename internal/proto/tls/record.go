package tls

import (
	"encoding/binary"
	"errors"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// Record types, RFC 8446 section 5.1; heartbeat: RFC 6520.
const (
	recChangeCipher = 20
	recAlert        = 21
	recHandshake    = 22
	recData         = 23
	recHeartbeat    = 24
)

const (
	recordHeader = 5
	// maxRecord is the longest record body: 2^14 and 2048 of compression and
	// MAC, RFC 5246 section 6.2.3.
	maxRecord = 1<<14 + 2048
	// maxOneSided bounds the encrypted bytes followed in one direction while
	// nothing comes in the other: beyond it the handshake is taken as over.
	maxOneSided = 64 << 10
)

var errRecord = errors.New("tls: not a record")

// stream is the state of one direction.
type stream struct {
	started bool
	dead    bool // nothing of it can be understood any more
	lost    bool // after a gap: messages may start in the middle
	secure  bool
	typ     byte // of the record being read
	left    int  // bytes of it not yet consumed
	length  int  // of it, all
	opaque  int  // encrypted bytes so far
	msg     []byte
	skip    int // bytes left of a message nobody wants
	alert   [2]byte
	nalert  int
}

type parser struct {
	dir     [2]stream
	session Session
	ready   bool
}

var _ proto.Parser = (*parser)(nil)

func (p *parser) Reset() {
	for i := range p.dir {
		p.dir[i] = stream{msg: proto.Keep(p.dir[i].msg, maxKeptChain)}
	}
	p.session.Reset(OverTCP)
	p.ready = true
}

// Parse consumes records as they come, whole or not: only a record's header
// and an SSLv2 hello are left for later.
func (p *parser) Parse(c *proto.Conn, d packet.Dir, data []byte) (int, error) {
	if !p.ready {
		p.Reset()
	}
	st := &p.dir[d]
	if st.dead {
		return len(data), nil
	}
	n := 0
	for n < len(data) && !c.Finished() {
		if st.left == 0 {
			if !st.started && data[0]&0x80 != 0 {
				k, err := p.hello2(c, d, data)
				if k == 0 || err != nil {
					return k, err
				}
				n += k
				continue
			}
			if len(data)-n < recordHeader {
				return n, nil
			}
			if err := p.header(c, d, data[n:]); err != nil {
				return n, err
			}
			n += recordHeader
			continue
		}
		k := min(st.left, len(data)-n)
		p.body(c, d, data[n:n+k])
		st.left -= k
		n += k
	}
	if c.Finished() {
		return len(data), nil // nothing is worth holding back
	}
	return n, nil
}

// header starts a record; b holds at least its header.
func (p *parser) header(c *proto.Conn, d packet.Dir, b []byte) error {
	st := &p.dir[d]
	length := int(binary.BigEndian.Uint16(b[3:]))
	if b[0] < recChangeCipher || b[0] > recHeartbeat || b[1] != 3 || length > maxRecord {
		st.dead = true
		return errRecord
	}
	st.started = true
	st.typ, st.left, st.length = b[0], length, length
	st.nalert = 0
	switch st.typ {
	case recHandshake:
		if st.lost {
			st.msg, st.skip = st.msg[:0], 0
		}
	case recChangeCipher, recData:
		if st.typ == recChangeCipher && !c.Midstream && !p.session.noResume && !p.session.spoke(d) {
			break // before its hello a side cannot change anything
		}
		if p.session.Secure(c, d) {
			st.secure = true
			if p.dir[d.Reverse()].dead {
				p.session.End(c)
				c.Finish()
			}
		}
	}
	return nil
}

// body takes the next bytes of the current record.
func (p *parser) body(c *proto.Conn, d packet.Dir, b []byte) {
	st := &p.dir[d]
	switch st.typ {
	case recHandshake:
		if !st.secure {
			p.handshake(c, d, b)
			return
		}
	case recAlert:
		// An encrypted alert is longer than its two bytes.
		if st.secure || st.length != 2 {
			break
		}
		st.nalert += copy(st.alert[st.nalert:], b)
		if st.nalert == 2 {
			p.session.Alert(c, d, st.alert[0], st.alert[1])
		}
		return
	case recChangeCipher:
		return
	}
	if st.opaque += len(b); st.opaque > maxOneSided {
		p.session.End(c)
		c.Finish()
	}
}

// handshake takes the next bytes of the stream of handshake messages, which
// pays no heed to the borders of records (RFC 8446 section 5.1).
func (p *parser) handshake(c *proto.Conn, d packet.Dir, b []byte) {
	st := &p.dir[d]
	for len(b) > 0 && !c.Finished() {
		if st.skip > 0 {
			k := min(st.skip, len(b))
			st.skip -= k
			b = b[k:]
			continue
		}
		if len(st.msg) == 0 && len(b) >= 4 {
			typ, n := b[0], u24(b[1:])
			if !p.begin(c, d, typ, n) {
				return
			}
			if st.skip > 0 {
				continue
			}
			if len(b) >= 4+n { // the usual case: nothing to put together
				p.session.Message(c, d, typ, b[4:4+n])
				b = b[4+n:]
				continue
			}
			st.msg = append(st.msg, b...)
			return
		}
		if len(st.msg) < 4 {
			k := min(4-len(st.msg), len(b))
			st.msg = append(st.msg, b[:k]...)
			b = b[k:]
			if len(st.msg) < 4 {
				return
			}
			if !p.begin(c, d, st.msg[0], u24(st.msg[1:])) {
				st.msg = st.msg[:0]
				return
			}
			if st.skip > 0 {
				st.skip -= 4
				st.msg = st.msg[:0]
				continue
			}
		}
		need := 4 + u24(st.msg[1:]) - len(st.msg)
		k := min(need, len(b))
		st.msg = append(st.msg, b[:k]...)
		b = b[k:]
		if k == need {
			typ := st.msg[0]
			p.session.Message(c, d, typ, st.msg[4:])
			st.msg = st.msg[:0]
		}
	}
}

// begin decides about a message from its header: it sets skip for one that is
// not looked into, and returns false when the rest of the record says nothing.
func (p *parser) begin(c *proto.Conn, d packet.Dir, typ byte, n int) bool {
	st := &p.dir[d]
	if st.lost && (!known(typ) || 4+n > st.length) {
		return false // the middle of a message, most likely
	}
	st.lost = false
	if !known(typ) {
		// Encrypted, of a stream picked up after its ChangeCipherSpec.
		if p.session.Secure(c, d) {
			st.secure = true
		}
		return false
	}
	switch {
	case !Wanted(typ):
		p.session.Message(c, d, typ, nil)
		st.skip = 4 + n
	case n > MaxHandshake:
		c.Anomaly("handshake_too_long")
		p.session.Lost()
		st.skip = 4 + n
	}
	return true
}

// Gap goes on behind lost bytes when they lie within one record; else the
// borders of records are lost and this direction with them.
func (p *parser) Gap(c *proto.Conn, d packet.Dir, n int) error {
	if !p.ready {
		p.Reset()
	}
	st := &p.dir[d]
	p.session.Lost()
	st.msg = st.msg[:0]
	if n <= st.left {
		st.left -= n
		st.skip = 0
		if st.typ == recHandshake && !st.secure {
			st.lost = true
			// What remains of this record is the middle of a message.
			st.skip = st.left
		}
		return nil
	}
	st.dead = true
	if o := &p.dir[d.Reverse()]; o.dead || o.secure {
		p.session.End(c)
		c.Finish()
	}
	return nil
}

// End emits what is still open.
func (p *parser) End(c *proto.Conn) {
	if p.ready {
		p.session.End(c)
	}
}
