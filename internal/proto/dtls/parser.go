package dtls

import (
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/tls"
)

const (
	// maxDatagrams bounds the datagrams looked at for a handshake. A full one
	// with retransmissions takes about twenty.
	maxDatagrams = 128
	// maxRecords bounds the records of one datagram.
	maxRecords = 64
)

type parser struct {
	session tls.Session
	frag    [2]fragments
	seen    int
	ready   bool
}

var _ proto.Parser = (*parser)(nil)

func (p *parser) Reset() {
	p.session.Reset(tls.OverDTLS)
	p.frag[0].reset()
	p.frag[1].reset()
	p.seen, p.ready = 0, true
}

// Parse reads one datagram. What is not DTLS is passed over: media streams
// share their port with STUN and RTP (RFC 7983).
func (p *parser) Parse(c *proto.Conn, d packet.Dir, b []byte) (int, error) {
	if !p.ready {
		p.Reset()
	}
	n := len(b)
	if p.seen++; p.seen > maxDatagrams {
		p.session.End(c)
		c.Finish()
		return n, nil
	}
	for i := 0; i < maxRecords && len(b) > 0 && !c.Finished(); i++ {
		if b[0]&unifiedMask == unifiedBits && p.session.Tx.HasSH || b[0] == recCID {
			p.session.Secure(c, d)
			break
		}
		var r record
		if !parseRecord(b, &r) {
			break
		}
		b = b[r.size:]
		if r.epoch > 0 || r.typ == recData {
			p.session.Secure(c, d)
			continue
		}
		switch r.typ {
		case recHandshake:
			p.handshake(c, d, r.body)
		case recAlert:
			if len(r.body) == 2 {
				p.session.Alert(c, d, r.body[0], r.body[1])
			}
		case recChangeCipher:
			p.session.Secure(c, d)
		}
	}
	return n, nil
}

// handshake reads the fragments in one record.
func (p *parser) handshake(c *proto.Conn, d packet.Dir, b []byte) {
	for len(b) > 0 && !c.Finished() {
		var m message
		if !parseMessage(b, &m) {
			return
		}
		b = b[m.size:]
		if !tls.Wanted(m.typ) {
			if m.off == 0 {
				p.session.Message(c, d, m.typ, nil)
			}
			continue
		}
		body, anomaly := p.frag[d].add(&m)
		if anomaly != "" {
			c.Anomaly(anomaly)
		}
		if body != nil {
			p.session.Message(c, d, m.typ, body)
		}
	}
}

// Size implements proto.Sizer.
func (p *parser) Size() int { return p.session.Size() + p.frag[0].size() + p.frag[1].size() }

// Gap does not happen to datagrams.
func (p *parser) Gap(*proto.Conn, packet.Dir, int) error { return nil }

// End emits what is still open.
func (p *parser) End(c *proto.Conn) {
	if p.ready {
		p.session.End(c)
	}
}
