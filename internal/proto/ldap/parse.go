package ldap

import (
	"errors"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

var (
	errData = errors.New("ldap: malformed message")
	errLost = errors.New("ldap: message boundary lost")
)

// startTLS is the name of the extended operation that begins TLS (RFC 4511
// section 4.14).
const startTLS = "1.3.6.1.4.1.1466.20037"

// handshake is the first byte of a TLS handshake; no message begins with it.
const handshake = 0x16

type side struct {
	skip int  // bytes of a message too long that are to come
	lost bool // a message's begin has to be found
}

type parser struct {
	side    [2]side
	open    []*Tx // waiting for answers, oldest first
	free    []*Tx
	loose   Tx   // for answers to nothing
	waitTLS bool // asked for, not answered
	sealed  bool // a bind with SASL succeeded: messages may be encrypted
	flooded bool
}

// Parse implements proto.Parser.
func (p *parser) Parse(c *proto.Conn, d packet.Dir, data []byte) (int, error) {
	s, at := &p.side[d], 0
	if s.lost {
		if probe(d, data) != proto.Yes {
			return len(data), nil
		}
		s.lost = false
	}
	for at < len(data) {
		b := data[at:]
		if s.skip > 0 {
			n := min(s.skip, len(b))
			s.skip -= n
			at += n
			continue
		}
		if p.waitTLS && d == packet.ToServer {
			if b[0] != handshake {
				return at, nil // the server may refuse
			}
			p.waitTLS = false
			c.Switch("tls")
			return at, nil
		}
		tag, size, n := header(b)
		switch {
		case p.sealed && b[0] == 0:
			c.Finish() // RFC 4422 section 3.7: encrypted, behind a length
			return len(data), nil
		case n < 0 || b[0] != tagSeq || n > 0 && tag != tagSeq:
			return at, errData
		case n == 0 || n+size > len(b) && len(b) < MaxMessage:
			if c.Transport != proto.TCP {
				return at, errData
			}
			return at, nil
		}
		end := min(n+size, len(b))
		s.skip = n + size - end
		tls, err := p.message(c, d, b[n:end])
		if err != nil {
			return at, err
		}
		at += end
		if tls {
			c.Switch("tls")
			return at, nil
		}
	}
	return at, nil
}

// message reads one message without its outer header. It reports whether TLS
// begins behind it.
func (p *parser) message(c *proto.Conn, d packet.Dir, b []byte) (tls bool, err error) {
	r := reader{b, true}
	id := r.number(tagInt)
	tag, body := r.next() // controls follow: passed over
	op, ok := operation(tag)
	if !r.ok || !ok || operations[op].response != (d == packet.ToClient) {
		return false, errData
	}
	if d == packet.ToServer {
		p.request(c, id, op, body)
		return false, nil
	}
	return p.answer(c, id, op, body), nil
}

func (p *parser) request(c *proto.Conn, id uint32, op uint8, body []byte) {
	if len(p.open) >= MaxOpen {
		if !p.flooded {
			p.flooded = true
			c.Anomaly("too_many_transactions")
		}
		p.done(c, 0)
	}
	t := p.tx(id)
	t.Asked, t.op[0] = true, op
	t.store.read(&t.Request, op, body)
	p.open = append(p.open, t)
	switch op {
	case ExtendedRequest:
		p.waitTLS = p.waitTLS || string(t.Request.Name) == startTLS
	case UnbindRequest, AbandonRequest: // without an answer
		p.done(c, len(p.open)-1)
		return
	}
	c.Emit(t, false)
}

func (p *parser) tx(id uint32) *Tx {
	var t *Tx
	if n := len(p.free); n > 0 {
		t, p.free = p.free[n-1], p.free[:n-1]
	} else {
		t = new(Tx)
	}
	t.reset(id)
	return t
}

// done completes an open transaction.
func (p *parser) done(c *proto.Conn, i int) {
	t := p.open[i]
	t.count = appendUint(t.count[:0], t.Count)
	c.Emit(t, true)
	copy(p.open[i:], p.open[i+1:])
	p.open[len(p.open)-1] = nil
	p.open = p.open[:len(p.open)-1]
	p.free = append(p.free, t)
}

func (p *parser) answer(c *proto.Conn, id uint32, op uint8, body []byte) (tls bool) {
	i := len(p.open) - 1
	for i >= 0 && p.open[i].ID != id {
		i--
	}
	if i < 0 {
		// Message 0 is the server's own, section 4.4.
		if id != 0 {
			c.Anomaly("request_not_found")
		}
		t := &p.loose
		t.reset(id)
		t.respond(op, body)
		t.count = appendUint(t.count, t.Count)
		c.Emit(t, true)
		return false
	}
	t := p.open[i]
	t.respond(op, body)
	m := &t.Responses[len(t.Responses)-1]
	switch op {
	case SearchEntry, SearchReference, Intermediate: // there are more
		c.Emit(t, false)
		return false
	case ExtendedAnswer:
		if p.waitTLS && string(t.Request.Name) == startTLS {
			p.waitTLS = false
			tls = m.HasCode && m.Code == 0
			if !tls {
				c.Wake()
			}
		}
	case BindResponse:
		p.sealed = p.sealed || t.Request.SASL && m.HasCode && m.Code == 0
	}
	p.done(c, i)
	return tls
}

func appendUint(b []byte, n int) []byte {
	if n >= 10 {
		b = appendUint(b, n/10)
	}
	return append(b, byte('0'+n%10))
}

// Gap implements proto.Parser: a loss inside a part that is passed over is
// counted off, else a message is looked for at the begin of what comes.
func (p *parser) Gap(_ *proto.Conn, d packet.Dir, n int) error {
	s := &p.side[d]
	if p.waitTLS || p.sealed {
		return errLost
	}
	if n <= s.skip {
		s.skip -= n
		return nil
	}
	s.skip, s.lost = 0, true
	return nil
}

// End implements proto.Parser.
func (p *parser) End(c *proto.Conn) {
	for len(p.open) > 0 {
		p.done(c, 0)
	}
}

// What a parser keeps for its next flow.
const (
	keptTx  = 2
	keptMem = 1 << 10
)

// Reset implements proto.Parser.
func (p *parser) Reset() {
	free := append(p.free, p.open...)
	for i := range free {
		if i >= keptTx {
			free[i] = nil
			continue
		}
		free[i].shrink()
	}
	p.loose.shrink()
	*p = parser{open: proto.Keep(p.open, MaxOpen), free: free[:min(len(free), keptTx)], loose: p.loose}
}

// shrink lets go of memory that one flow made grow.
func (t *Tx) shrink() {
	*t = Tx{Responses: proto.Keep(t.Responses, 4), ops: t.ops[:0], codes: t.codes[:0], count: t.count[:0],
		store: store{mem: proto.Keep(t.mem, keptMem), attrs: proto.Keep(t.attrs, 16), changes: proto.Keep(t.changes, 16)}}
}

// Size implements proto.Sizer.
func (p *parser) Size() int {
	n := p.loose.size()
	for _, t := range p.open {
		n += t.size()
	}
	for _, t := range p.free {
		n += t.size()
	}
	return n
}

func (t *Tx) size() int {
	return int(sizeTx) + cap(t.Responses)*int(sizeMessage) + t.store.size()
}
