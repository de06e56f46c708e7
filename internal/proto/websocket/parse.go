package websocket

import (
	"encoding/binary"
	"errors"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

var (
	errFrame = errors.New("websocket: invalid frame")
	errLost  = errors.New("websocket: frame boundary lost")
)

// side is the state of one direction.
type side struct {
	inFrame bool
	remain  uint64 // payload bytes left of the frame
	op      uint8  // of the frame: OpContinuation too
	fin     bool
	masked  bool
	mask    [4]byte
	phase   uint64 // payload bytes of the frame done

	open bool // a data message is under way
	msg  Tx
	buf  *buffer64 // of the data message; nil between messages
	z    *inflater // permessage-deflate context, nil until needed
	ctl  Tx
	cbuf [maxControl]byte
	clen int
}

// maxControl is the largest payload of a control frame, RFC 6455 section 5.5.
const maxControl = 125

type parser struct {
	side     [2]side
	reported uint8
}

// Violations reported once a flow each.
const (
	anMask = 1 << iota
	anControl
	anContinuation
	anDeflate
	anLong
)

func (p *parser) anomaly(c *proto.Conn, bit uint8, name string) {
	if p.reported&bit == 0 {
		p.reported |= bit
		c.Anomaly(name)
	}
}

// Parse implements proto.Parser.
func (p *parser) Parse(c *proto.Conn, d packet.Dir, data []byte) (int, error) {
	s := &p.side[d]
	off := 0
	for {
		if !s.inFrame {
			n, err := p.head(c, d, data[off:])
			if n == 0 || err != nil {
				return off, err
			}
			off += n
		}
		n := len(data) - off
		if uint64(n) > s.remain {
			n = int(s.remain)
		}
		p.payload(c, d, data[off:off+n])
		off += n
		if s.remain > 0 {
			return off, nil
		}
		p.frameEnd(c, d)
	}
}

// head reads a frame header, RFC 6455 section 5.2.
func (p *parser) head(c *proto.Conn, d packet.Dir, b []byte) (n int, err error) {
	if len(b) < 2 {
		return 0, nil
	}
	s := &p.side[d]
	op, length := b[0]&15, uint64(b[1]&0x7f)
	control := op >= 8
	// Extensions other than permessage-deflate, RSV1 on the first frame of a
	// data message (RFC 7692 section 6), are not in use.
	if b[0]&0x30 != 0 || op > OpPong || op > OpBinary && op < OpClose || control && b[0]&0x40 != 0 {
		return 0, errFrame
	}
	n = 2
	switch length {
	case 126:
		if n += 2; len(b) < n {
			return 0, nil
		}
		length = uint64(binary.BigEndian.Uint16(b[2:]))
	case 127:
		if n += 8; len(b) < n {
			return 0, nil
		}
		if length = binary.BigEndian.Uint64(b[2:]); length >= 1<<63 {
			return 0, errFrame
		}
	}
	s.masked = b[1]&0x80 != 0
	if s.masked {
		if n += 4; len(b) < n {
			return 0, nil
		}
		copy(s.mask[:], b[n-4:])
	}
	if s.masked != (d == packet.ToServer) {
		p.anomaly(c, anMask, "mask_wrong")
	}
	s.inFrame, s.remain, s.phase = true, length, 0
	s.op, s.fin = op, b[0]&0x80 != 0
	if control {
		if !s.fin || length > maxControl {
			p.anomaly(c, anControl, "control_frame_invalid")
		}
		s.ctl = Tx{Dir: d, Opcode: op, Flags: b[0] &^ 15, Masked: s.masked, Mask: s.mask, Frames: 1}
		s.clen = 0
		return n, nil
	}
	if op == OpContinuation != s.open {
		p.anomaly(c, anContinuation, "continuation_invalid")
		p.drop(d)
	}
	if !s.open {
		s.open = true
		s.msg = Tx{Dir: d, Opcode: op, Flags: b[0] &^ 15, Compressed: b[0]&0x40 != 0}
		s.buf = newBuffer()
		if s.msg.Compressed {
			s.inflateStart()
		}
	}
	s.msg.Frames++
	s.msg.Masked, s.msg.Mask = s.masked, s.mask
	return n, nil
}

// payload takes bytes of the frame's payload.
func (p *parser) payload(c *proto.Conn, d packet.Dir, b []byte) {
	s := &p.side[d]
	if s.op >= 8 {
		s.ctl.Length += uint64(len(b))
		n := min(len(b), len(s.cbuf)-s.clen)
		s.unmask(s.cbuf[s.clen:s.clen+n], b[:n], 0)
		s.clen += n
		s.ctl.Truncated = s.ctl.Truncated || n < len(b)
	} else {
		s.msg.Length += uint64(len(b))
		p.data(c, d, b)
	}
	s.remain -= uint64(len(b))
	s.phase += uint64(len(b))
}

// data unmasks, and inflates, bytes of a data message into its buffer.
func (p *parser) data(c *proto.Conn, d packet.Dir, b []byte) {
	s := &p.side[d]
	if s.msg.Compressed {
		var piece [1024]byte
		for done := 0; done < len(b) && !s.msg.Opaque && !s.msg.Truncated; {
			n := min(len(piece), len(b)-done)
			s.unmask(piece[:n], b[done:done+n], done)
			p.inflate(c, s, piece[:n])
			done += n
		}
		return
	}
	have := len(s.buf.b)
	n := min(len(b), MaxMessage-have)
	if n < len(b) {
		s.msg.Truncated = true
		p.anomaly(c, anLong, "message_too_long")
	}
	s.buf = s.buf.room(n)
	s.buf.b = append(s.buf.b, b[:n]...)
	s.unmask(s.buf.b[have:], b[:n], 0)
}

// unmask writes src without its mask to dst; src begins skip bytes after what
// the frame has had so far. RFC 6455 section 5.3.
func (s *side) unmask(dst, src []byte, skip int) {
	if !s.masked {
		copy(dst, src)
		return
	}
	at := s.phase + uint64(skip)
	var k [8]byte
	for i := range k {
		k[i] = s.mask[(at+uint64(i))&3]
	}
	key := binary.LittleEndian.Uint64(k[:])
	i := 0
	for ; i+8 <= len(src); i += 8 {
		binary.LittleEndian.PutUint64(dst[i:], binary.LittleEndian.Uint64(src[i:])^key)
	}
	for ; i < len(src); i++ {
		dst[i] = src[i] ^ k[i&7]
	}
}

// frameEnd completes a frame, and the message when it was the last.
func (p *parser) frameEnd(c *proto.Conn, d packet.Dir) {
	s := &p.side[d]
	s.inFrame = false
	if s.op >= 8 {
		s.ctl.Payload = s.cbuf[:s.clen]
		c.Emit(&s.ctl, true)
		return
	}
	if !s.fin || !s.open {
		return
	}
	if s.msg.Compressed && !s.msg.Opaque && !s.msg.Truncated {
		p.inflate(c, s, syncTail[:])
	}
	p.emit(c, d)
}

// emit hands over the data message under way.
func (p *parser) emit(c *proto.Conn, d packet.Dir) {
	s := &p.side[d]
	m := &s.msg
	m.Payload = s.buf.b
	if m.Compressed {
		m.Payload = nil
		if !m.Opaque {
			m.Payload = s.z.message()
		}
	}
	c.Emit(m, true)
	if !m.Truncated && !m.Opaque && len(m.Payload) > 0 {
		c.Carry(d, m.Payload)
	}
	p.drop(d)
}

// drop forgets the data message under way.
func (p *parser) drop(d packet.Dir) {
	s := &p.side[d]
	if s.z != nil {
		s.z.messageEnd(s.msg.Compressed && (s.msg.Truncated || s.msg.Opaque || s.inFrame))
	}
	if s.buf != nil {
		s.buf.release()
		s.buf = nil
	}
	s.msg, s.open = Tx{}, false
}

// Gap implements proto.Parser: a loss inside a payload is counted off.
func (p *parser) Gap(c *proto.Conn, d packet.Dir, n int) error {
	s := &p.side[d]
	if !s.inFrame || uint64(n) > s.remain {
		return errLost
	}
	s.remain -= uint64(n)
	s.phase += uint64(n)
	if s.op >= 8 {
		s.ctl.Truncated = true
	} else {
		s.msg.Truncated = true
		s.msg.Length += uint64(n)
	}
	if s.remain == 0 {
		p.frameEnd(c, d)
	}
	return nil
}

// End implements proto.Parser.
func (p *parser) End(c *proto.Conn) {
	for d := range p.side {
		if s := &p.side[d]; s.open {
			s.msg.Truncated = true
			p.emit(c, packet.Dir(d))
		}
	}
}

// Reset implements proto.Parser.
func (p *parser) Reset() {
	for d := range p.side {
		p.drop(packet.Dir(d))
		if z := p.side[d].z; z != nil {
			z.release()
		}
	}
	*p = parser{}
}
