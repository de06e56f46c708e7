package http2

import (
	"bytes"
	"encoding/binary"
	"errors"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

var (
	errFrame = errors.New("http2: invalid frame")
	errLost  = errors.New("http2: frame boundary lost")
)

// Frame types, RFC 9113 section 6.
const (
	frData         = 0
	frHeaders      = 1
	frPriority     = 2
	frReset        = 3
	frSettings     = 4
	frPush         = 5
	frPing         = 6
	frGoAway       = 7
	frWindow       = 8
	frContinuation = 9
)

// Flags.
const (
	flEndStream  = 0x01
	flEndHeaders = 0x04
	flPadded     = 0x08
	flPriority   = 0x20
)

type side struct {
	begun   bool // past the preface
	inFrame bool
	typ     byte
	flags   byte
	stream  uint32
	remain  int
	fresh   bool // no byte of the frame's payload was seen
	pad     int  // bytes of padding at the end of a DATA frame

	// Header block under way, over HEADERS or PUSH_PROMISE and CONTINUATION.
	open      bool
	openFlags byte
	push      bool // the block is a PUSH_PROMISE's
	openOn    uint32
	start     int // of this frame's payload within block
	block     []byte
	weight    byte // of the stream's priority
	weighed   bool
	broken    bool   // HPACK state lost: header fields are not read any more
	control   []byte // a control frame as sent, of its payload MaxControl at most
	hpack     decoder
}

type parser struct {
	side    [2]side
	streams []*Tx  // oldest first
	made    uint64 // streams so far
	// connection is stream 0, for what ends all of it.
	connection Tx
	held       int  // bytes of the streams
	many       bool // too_many_streams was reported
	cut        bool // too_many_headers was reported
	long       bool // header_block_too_long was reported
}

func newParser() *parser {
	p := new(parser)
	p.side[0].hpack.table.reset()
	p.side[1].hpack.table.reset()
	return p
}

// Parse implements proto.Parser.
func (p *parser) Parse(c *proto.Conn, d packet.Dir, data []byte) (int, error) {
	s := &p.side[d]
	off := 0
	if !s.begun {
		if d == packet.ToServer {
			n := min(len(data), len(preface))
			if string(data[:n]) == preface[:n] {
				if n < len(preface) {
					return 0, nil
				}
				off = n
			}
		}
		s.begun = true
	}
	for {
		if !s.inFrame {
			if len(data)-off < 9 {
				return off, nil
			}
			if err := p.head(data[off:], s); err != nil {
				return off, err
			}
			off += 9
		}
		n := min(s.remain, len(data)-off)
		p.payload(c, d, data[off:off+n])
		off += n
		if s.remain -= n; s.remain > 0 {
			return off, nil
		}
		s.inFrame = false
		if err := p.frameEnd(c, d); err != nil {
			return off, err
		}
	}
}

// head reads a frame header, RFC 9113 section 4.1.
func (p *parser) head(b []byte, s *side) error {
	s.inFrame, s.fresh, s.pad = true, true, 0
	s.remain = int(b[0])<<16 | int(b[1])<<8 | int(b[2])
	s.typ, s.flags = b[3], b[4]
	s.stream = binary.BigEndian.Uint32(b[5:]) &^ (1 << 31)
	if s.open != (s.typ == frContinuation) || s.open && s.stream != s.openOn {
		return errFrame
	}
	switch s.typ {
	case frHeaders, frPush:
		if s.stream == 0 {
			return errFrame
		}
		s.open, s.openFlags, s.openOn, s.push = true, s.flags, s.stream, s.typ == frPush
		s.weighed = false
		s.block = s.block[:0]
	case frData:
		if s.stream == 0 {
			return errFrame
		}
	case frSettings:
		if s.stream != 0 || s.remain%6 != 0 {
			return errFrame
		}
	}
	s.start = len(s.block)
	if isControl(s.typ) {
		s.control = append(s.control[:0], b[:9]...)
	}
	return nil
}

func (p *parser) payload(c *proto.Conn, d packet.Dir, b []byte) {
	s := &p.side[d]
	switch s.typ {
	case frReset, frGoAway, frSettings, frPing, frWindow, frPriority:
		s.control = append(s.control, b[:min(len(b), 9+MaxControl-len(s.control))]...)
	case frData:
		if t := p.find(s.stream); t != nil {
			t.seen[d] |= 1 << frData
			if d == packet.ToServer {
				t.RequestLen += int64(len(b))
			} else {
				t.ResponseLen += int64(len(b))
			}
			p.fileData(c, d, t, b)
		}
	case frHeaders, frPush, frContinuation:
		if s.broken {
			return
		}
		if len(s.block)+len(b) > MaxBlock {
			s.broken = true
			if !p.long {
				p.long = true
				c.Anomaly("header_block_too_long")
			}
			return
		}
		s.block = append(s.block, b...)
	}
}

func (p *parser) frameEnd(c *proto.Conn, d packet.Dir) error {
	s := &p.side[d]
	switch s.typ {
	case frData:
		t := p.find(s.stream)
		switch {
		case t == nil:
		case s.flags&flEndStream != 0:
			p.end(c, d, t)
		case t.fresh: // a call of gRPC may go on for hours, its messages count as they come
			t.fresh = false
			c.Emit(t, false)
		}
	case frGoAway, frSettings, frPing, frWindow, frPriority:
		p.connectionFrame(c, d)
	case frReset:
		t := p.find(s.stream)
		if t != nil && len(s.control) >= 13 && s.remain == 0 {
			t.Error[d], t.hasError[d] = binary.BigEndian.Uint32(s.control[9:]), true
			t.seen[d] |= 1 << frReset
			c.Emit(t, false)
		}
		switch {
		case t == nil:
		case d == packet.ToServer && !t.ResponseDone:
			t.RequestDone = true // the answer may be on its way already
		default:
			p.finish(c, t)
		}
	case frHeaders, frPush:
		if err := s.strip(); err != nil {
			return err
		}
		fallthrough
	case frContinuation:
		if s.flags&flEndHeaders != 0 {
			s.open = false
			return p.headers(c, d)
		}
	}
	return nil
}

// isControl says that a frame has no part in a stream's header fields or body.
func isControl(typ byte) bool {
	return typ == frReset || typ == frGoAway || typ == frSettings || typ == frPing || typ == frWindow || typ == frPriority
}

// connectionFrame reports a control frame as a transaction of stream 0, for
// rules alone: settings, pings, windows, priorities and the end of the
// connection (RFC 9113 section 6).
func (p *parser) connectionFrame(c *proto.Conn, d packet.Dir) {
	s := &p.side[d]
	t := &p.connection
	*t = Tx{scratch: t.scratch[:0], control: s.control, from: d}
	if s.typ == frGoAway {
		if len(s.control) < 9+8 {
			return
		}
		t.Error[d], t.hasError[d] = binary.BigEndian.Uint32(s.control[13:]), true
	}
	c.Emit(t, true)
	t.control = nil
}

// authority reports a name of the server that is no plain name, or of which
// there are two (RFC 9113 section 8.3.1).
func (p *parser) authority(c *proto.Conn, t *Tx) {
	a := t.Header(packet.ToServer, ":authority")
	if bytes.IndexByte(a, '@') >= 0 {
		c.Anomaly("userinfo_in_uri")
	}
	if h := t.Header(packet.ToServer, "host"); a != nil && h != nil && !bytes.EqualFold(a, h) {
		c.Anomaly("authority_host_mismatch")
	}
}

// strip takes padding and priority off the payload of the first frame of a
// header block, RFC 9113 section 6.2; for PUSH_PROMISE it leaves the promised
// stream's number in front.
func (s *side) strip() error {
	if s.broken {
		return nil
	}
	b := s.block
	if s.flags&flPadded != 0 {
		if len(b) < 1 || len(b) < 1+int(b[0]) {
			return errFrame
		}
		b = b[1 : len(b)-int(b[0])]
	}
	if s.typ == frHeaders && s.flags&flPriority != 0 {
		if len(b) < 5 {
			return errFrame
		}
		s.weight, s.weighed = b[4], true
		b = b[5:]
	}
	s.block = s.block[:copy(s.block, b)]
	return nil
}

// headers decodes a complete header block.
func (p *parser) headers(c *proto.Conn, d packet.Dir) error {
	s := &p.side[d]
	block, id, side := s.block, s.openOn, d
	if s.push {
		if s.broken {
			return nil
		}
		if len(block) < 4 {
			return errFrame
		}
		id, block = binary.BigEndian.Uint32(block)&^(1<<31), block[4:]
		side = packet.ToServer // the promise holds the request
	}
	t := p.find(id)
	if t == nil {
		t = p.open(c, id)
	}
	if t.seen[d] |= 1 << frHeaders; s.push {
		t.seen[d] |= 1 << frPush
	}
	if d == packet.ToServer && s.weighed {
		t.weight, t.weighed = s.weight, true
	}
	keep := fieldOf[side]
	if side == packet.ToServer && t.RequestHead || side == packet.ToClient && t.ResponseHead {
		keep = ignore // trailers
	}
	if !s.broken {
		s.hpack.resized = false
		err := s.hpack.decode(block, t, keep)
		if s.hpack.resized {
			t.update[d], t.updated[d] = uint32(s.hpack.table.max), true
		}
		if err != nil {
			s.broken = true
			if !c.Midstream {
				c.Anomaly("header_block_invalid")
			}
		}
	}
	p.count(t)
	if t.cut && !p.cut {
		p.cut = true
		c.Anomaly("too_many_headers")
	}
	if side == packet.ToServer {
		if !t.RequestHead {
			t.RequestHead = true
			t.calls = bytes.HasPrefix(t.Header(packet.ToServer, "content-type"), []byte("application/grpc"))
			p.authority(c, t)
			c.Emit(t, false)
		}
	} else if !t.ResponseHead {
		if t.Status >= 100 && t.Status < 200 && s.openFlags&flEndStream == 0 {
			t.ResponseHeaders, t.mem[1], t.Status = t.ResponseHeaders[:0], t.mem[1][:0], 0
			return nil
		}
		t.ResponseHead = true
		c.Emit(t, false)
	}
	if s.push {
		t.RequestDone = true
	} else if s.openFlags&flEndStream != 0 {
		p.end(c, d, t)
	}
	return nil
}

func (p *parser) find(id uint32) *Tx {
	for i := len(p.streams) - 1; i >= 0; i-- {
		if p.streams[i].Stream == id {
			return p.streams[i]
		}
	}
	return nil
}

func (p *parser) open(c *proto.Conn, id uint32) *Tx {
	if len(p.streams) >= MaxStreams {
		if !p.many {
			p.many = true
			c.Anomaly("too_many_streams")
		}
		p.finish(c, p.streams[0])
	}
	t := txs.Get().(*Tx)
	t.Stream, t.num = id, p.made
	p.made++
	p.count(t)
	p.streams = append(p.streams, t)
	return t
}

// end notes that direction d of a stream is complete.
func (p *parser) end(c *proto.Conn, d packet.Dir, t *Tx) {
	c.CloseFile(&t.files[d], false)
	if d == packet.ToServer {
		t.RequestDone = true
	} else {
		t.ResponseDone = true
	}
	// An answer may end first, but seldom does; without a request seen (an
	// upgraded connection's first stream) it ends the stream.
	if t.ResponseDone && (t.RequestDone || !t.RequestHead) {
		p.finish(c, t)
	}
}

func (p *parser) finish(c *proto.Conn, t *Tx) {
	for i, q := range p.streams {
		if q == t {
			copy(p.streams[i:], p.streams[i+1:])
			p.streams[len(p.streams)-1] = nil
			p.streams = p.streams[:len(p.streams)-1]
			break
		}
	}
	c.CloseFile(&t.files[0], true)
	c.CloseFile(&t.files[1], true)
	c.Emit(t, true)
	p.held -= t.held
	t.release()
}

// fieldOf stores a field, by the direction it belongs to.
var fieldOf = [2]func(*Tx, []byte, []byte){requestField, responseField}

func ignore(*Tx, []byte, []byte) {}

// keep copies a field into the transaction, within its limits.
func (t *Tx) keep(d packet.Dir, hs []Header, name, value []byte) ([]Header, Header) {
	m := t.mem[d]
	if len(hs) >= MaxHeaders || len(m)+len(name)+len(value) > MaxHead {
		t.cut = true
		return hs, Header{}
	}
	at := len(m)
	m = proto.Append(proto.Append(m, name), value)
	t.mem[d] = m
	h := Header{m[at : at+len(name) : at+len(name)], m[at+len(name):]}
	return append(hs, h), h
}

func requestField(t *Tx, name, value []byte) {
	var h Header
	t.RequestHeaders, h = t.keep(packet.ToServer, t.RequestHeaders, name, value)
	switch string(h.Name) {
	case ":method":
		t.Method = h.Value
	case ":path":
		t.Path = h.Value
	case ":scheme":
		t.Scheme = h.Value
	case ":authority":
		t.HostRaw, t.Host = h.Value, hostOnly(h.Value)
	case "host":
		if t.HostRaw == nil {
			t.HostRaw, t.Host = h.Value, hostOnly(h.Value)
		}
	case "user-agent":
		t.UserAgent = h.Value
	}
}

func responseField(t *Tx, name, value []byte) {
	var h Header
	t.ResponseHeaders, h = t.keep(packet.ToClient, t.ResponseHeaders, name, value)
	switch string(h.Name) {
	case ":status":
		t.code, t.Status = h.Value, 0
		for _, b := range h.Value {
			if b < '0' || b > '9' || t.Status > 99 {
				t.Status = 0
				break
			}
			t.Status = t.Status*10 + int(b-'0')
		}
	case "content-type":
		ct, _, _ := bytes.Cut(h.Value, []byte{';'})
		t.ContentType = bytes.TrimSpace(ct)
	}
}

// Gap implements proto.Parser: a loss inside a frame's payload is counted off.
func (p *parser) Gap(c *proto.Conn, d packet.Dir, n int) error {
	s := &p.side[d]
	if !s.inFrame || n > s.remain {
		return errLost
	}
	s.remain -= n
	switch s.typ {
	case frData:
		if t := p.find(s.stream); t != nil {
			c.FileGap(&t.files[d], max(0, n-max(0, s.pad-s.remain)))
		}
	case frHeaders, frPush, frContinuation:
		s.broken = true
	}
	if s.remain == 0 {
		s.inFrame = false
		return p.frameEnd(c, d)
	}
	return nil
}

// End implements proto.Parser.
func (p *parser) End(c *proto.Conn) {
	for len(p.streams) > 0 {
		p.finish(c, p.streams[0])
	}
}

// Reset implements proto.Parser.
func (p *parser) Reset() {
	for _, t := range p.streams {
		t.release()
	}
	clear(p.streams)
	p.streams, p.held = proto.Keep(p.streams, keptStreams), 0
	p.many, p.long, p.cut, p.made = false, false, false, 0
	for d := range p.side {
		s := &p.side[d]
		h := s.hpack
		h.shrink()
		p.side[d] = side{block: proto.Keep(s.block, keptHead), control: s.control[:0], hpack: h}
	}
}
