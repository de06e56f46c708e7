package quic

import (
	"encoding/binary"
	"sync"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/tls"
)

const (
	// maxTries bounds the key derivations for one connection: its first
	// connection id, that after a Retry, and guesses of an unknown version.
	maxTries = 8
	// maxDatagrams bounds the datagrams looked at before a connection is
	// taken as past its opening.
	maxDatagrams = 64
	// maxCoalesced bounds the packets of one datagram; RFC 9000 section 12.2
	// makes sense of four.
	maxCoalesced = 16
)

type parser struct {
	tx      Tx
	keys    [2]*keys // by sender: client, server (nil until it speaks)
	server  [32]byte // secret of the server's keys
	suite   *suite
	dcid    [maxCID]byte // that the keys follow from
	dcidLen int
	haveKey bool
	flip    bool // the client of the connection is the flow's server
	tries   int
	stream  [2]cryptoStream // by sender
	late    [2]bool         // packets beyond the Initial were seen, by direction
	seen    int             // datagrams
	again   bool            // another ClientHello takes the place of the one before
	begun   bool            // the transaction has something to tell
	done    bool
	scratch *[]byte // packet without protection, borrowed for one call

	sender packet.Dir // of the packet being walked
	lost   bool       // its CRYPTO frames went over a limit
}

var _ proto.Parser = (*parser)(nil)

func (p *parser) Reset() {
	p.tx.reset()
	p.stream[0].reset()
	p.stream[1].reset()
	*p = parser{tx: p.tx, stream: p.stream}
}

// Parse reads one datagram: one packet or several, RFC 9000 section 12.2.
func (p *parser) Parse(c *proto.Conn, d packet.Dir, b []byte) (int, error) {
	n := len(b)
	if p.done {
		return n, nil
	}
	if p.seen++; p.seen > maxDatagrams {
		p.finish(c)
		return n, nil
	}
	for i := 0; len(b) > 0 && !p.done && i < maxCoalesced; i++ {
		k := p.packet(c, d, b)
		if k <= 0 {
			break
		}
		b = b[k:]
	}
	return n, nil
}

// packet reads the packet at the front of b and returns its length.
func (p *parser) packet(c *proto.Conn, d packet.Dir, b []byte) int {
	if b[0]&0x80 == 0 {
		if v, n := publicHeader(b); n > 0 {
			p.google(c, v, b[n:])
			return len(b)
		}
		// A short header: encrypted beyond reach, to the datagram's end.
		p.beyond(c, d)
		return len(b)
	}
	if len(b) >= 5 {
		v := binary.BigEndian.Uint32(b[1:])
		if longGoogle(v) && suiteOf(v) == nil {
			if n := longQ046(b); n > 0 {
				p.google(c, v, b[n:])
			}
			return len(b)
		}
	}
	var h header
	if !parseLong(b, &h) {
		return 0
	}
	if h.typ == typeNegotiation {
		p.negotiation()
		return len(b)
	}
	p.tx.Version = h.version
	p.begun = true
	switch h.typ {
	case typeRetry:
		p.tx.Retried = true
	case typeZeroRTT:
		p.tx.ZeroRTT = true
	case typeHandshake:
		p.beyond(c, d)
	case typeInitial:
		p.initial(c, d, b[:h.end], &h)
	}
	return h.end
}

// negotiation takes a Version Negotiation packet: the client begins anew with
// another version, and its next ClientHello is the one that counts.
func (p *parser) negotiation() {
	p.begun = true
	if p.tx.Negotiate || p.tx.HasSH {
		return // one is enough, and a late one is void (RFC 9000 section 6.2)
	}
	p.tx.Negotiate = true
	p.again = p.tx.HasHello
	p.stream[0].buf = nil // the hello shown so far stays: there may be no other in this flow
	p.stream[0].reset()
	p.stream[1].reset()
	p.haveKey = false
}

// beyond notes that direction d has left the readable part.
func (p *parser) beyond(c *proto.Conn, d packet.Dir) {
	p.late[d] = true
	if p.late[0] && p.late[1] {
		p.finish(c)
	}
}

// initial removes the protection of an Initial packet and reads its frames.
func (p *parser) initial(c *proto.Conn, d packet.Dir, b []byte, h *header) {
	p.scratch = scratches.Get().(*[]byte)
	defer p.giveBack()
	frames, sender, ok := p.open(d, b, h)
	if !ok {
		return
	}
	p.sender = sender
	p.lost = false
	s := &p.stream[sender]
	var closed bool
	closed, ok = walk(frames, p.suite.google, func(off uint64, data []byte) {
		if !s.add(off, data) {
			p.lost = true
		}
	})
	if !ok {
		c.Anomaly("malformed_frame")
	}
	if p.lost {
		c.Anomaly("crypto_limit")
	}
	p.messages(c, sender)
	if closed && !p.done {
		p.tx.Closed = true
		p.finish(c)
	}
}

// scratches holds the memory in which packets are decrypted: nothing of it is
// needed after a call.
var scratches = sync.Pool{New: func() any { return new([]byte) }}

func (p *parser) giveBack() {
	scratches.Put(p.scratch)
	p.scratch = nil
}

// keysSize is what keys take together with the state of AES and GCM, in bytes:
// measured with Go 1.26 on amd64 and rounded up.
const keysSize = 1600

// Size implements proto.Sizer.
func (p *parser) Size() int {
	n := p.stream[0].size() + p.stream[1].size() + p.tx.Prints.Size() + cap(p.tx.Google.buf) + cap(p.tx.Google.Text) + cap(p.tx.version)
	for _, k := range p.keys {
		if k != nil {
			n += keysSize
		}
	}
	return n
}

// open finds the keys of an Initial packet: those of the connection, or new
// ones from the packet's own destination, for the first packet of a client and
// for the one that follows a Retry (RFC 9001 section 5.2).
func (p *parser) open(d packet.Dir, b []byte, h *header) (frames []byte, sender packet.Dir, ok bool) {
	if p.haveKey {
		sender = d
		if p.flip {
			sender = d.Reverse()
		}
		if p.keys[sender] == nil {
			p.keys[sender] = newKeys(p.suite, &p.server)
		}
		if frames, ok = p.keys[sender].open(p.scratch, b, h.pn); ok {
			return frames, sender, true
		}
		if sender == packet.ToClient || len(h.dcid) == p.dcidLen && string(h.dcid) == string(p.dcid[:p.dcidLen]) {
			return nil, 0, false
		}
	}
	s := suiteOf(h.version)
	for i := 0; p.tries < maxTries; i++ {
		if s == nil || i > 0 {
			if suiteOf(h.version) != nil {
				break
			}
			if s = guess(i); s == nil {
				break
			}
		}
		p.tries++
		client, server := secrets(s, h.dcid)
		k := newKeys(s, &client)
		if frames, ok = k.open(p.scratch, b, h.pn); !ok {
			continue
		}
		// Only a client's packet opens with keys of its own destination.
		p.keys, p.server = [2]*keys{k, nil}, server
		p.suite, p.haveKey = s, true
		p.dcidLen = copy(p.dcid[:], h.dcid)
		p.flip = d == packet.ToClient
		return frames, packet.ToServer, true
	}
	return nil, 0, false
}

// messages reads the handshake messages that are complete.
func (p *parser) messages(c *proto.Conn, sender packet.Dir) {
	b := p.stream[sender].ready()
	t := &p.tx
	if p.suite.google && sender == packet.ToServer && !t.Google.Seen && len(b) >= 4 && string(b[:4]) == "CHLO" {
		if t.Google.chlo(t.Version, b) {
			c.Emit(t, false)
		}
		return
	}
	for len(b) >= 4 {
		n := int(b[1])<<16 | int(b[2])<<8 | int(b[3])
		if len(b) < 4+n {
			return
		}
		body := b[4 : 4+n]
		switch {
		case b[0] == tls.MsgClientHello && sender == packet.ToServer && (!t.HasHello || p.again):
			t.HasHello, p.again = false, false
			t.Prints.Reset()
			if tls.ParseClientHello(body, &t.Hello) != nil {
				c.Anomaly("malformed_client_hello")
				return
			}
			if t.Hello.Malformed {
				c.Anomaly("malformed_extension")
			}
			if t.Hello.LongList || t.Hello.TooMany {
				c.Anomaly("list_too_long")
			}
			t.HasHello = true
			c.Emit(t, false)
		case b[0] == tls.MsgServerHello && sender == packet.ToClient && !t.HasSH:
			if tls.ParseServerHello(body, &t.Server) != nil {
				c.Anomaly("malformed_server_hello")
				return
			}
			if t.Server.Retry {
				break
			}
			t.HasSH = true
			c.Emit(t, false)
			if t.HasHello {
				p.finish(c)
				return
			}
		}
		b = b[4+n:]
	}
}

// google reads a packet of Google's versions up to Q046 behind its header.
func (p *parser) google(c *proto.Conn, v uint32, b []byte) {
	p.tx.Version = v
	p.begun = true
	if !p.tx.Google.Seen && p.tx.Google.nullFrames(v, b) {
		p.finish(c)
	}
}

// finish emits the transaction and lets go of the flow: what follows is
// encrypted.
func (p *parser) finish(c *proto.Conn) {
	p.End(c)
	c.Finish()
}

// Gap does not happen to datagrams.
func (p *parser) Gap(*proto.Conn, packet.Dir, int) error { return nil }

// End emits what is still open.
func (p *parser) End(c *proto.Conn) {
	if p.done {
		return
	}
	p.done = true
	if p.begun {
		c.Emit(&p.tx, true)
	}
}
