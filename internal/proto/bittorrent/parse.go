package bittorrent

import (
	"bytes"
	"encoding/hex"
	"errors"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

const (
	greeting     = "\x13BitTorrent protocol"
	handshakeLen = len(greeting) + 8 + hashLen + hashLen
	search       = "BT-SEARCH * HTTP/1."
	// maxHashes is how many info hashes of one local announcement are kept;
	// clients put as many into a datagram as fit.
	maxHashes = 32
	// maxLines bounds the header lines read of one.
	maxLines = 64
)

var errPeer = errors.New("bittorrent: no handshake")

// probe is certain of a handshake, a DHT message, a connect request to a
// tracker and a local search. uTP and announcements without the connect before
// them are Weak.
func probe(d packet.Dir, b []byte) proto.Match {
	if len(b) == 0 {
		return proto.No
	}
	if n := min(len(b), len(greeting)); string(b[:n]) == greeting[:n] {
		if n < len(greeting) {
			return proto.More
		}
		return proto.Yes
	}
	var m Message
	switch {
	case b[0] == 'd':
		if m.dht(b) {
			return proto.Yes
		}
	case b[0] == 'B':
		if len(b) > len(search) && string(b[:len(search)]) == search {
			return proto.Yes
		}
	case b[0]&15 == 1:
		if typ, data, ok := utp(b); ok {
			if typ == utpData && isHandshake(data) {
				return proto.Yes
			}
			return proto.Weak
		}
	}
	if len(b) == 16 && m.trackerRequest(b) {
		return proto.Yes
	}
	if probeTracker(d, b) {
		return proto.Weak
	}
	return proto.No
}

func isHandshake(b []byte) bool {
	return len(b) >= handshakeLen && string(b[:len(greeting)]) == greeting
}

type parser struct {
	m       Message
	hashes  [maxHashes * hashLen]byte
	greeted [2]bool // on TCP
	utp     bool    // a connection was told of
}

func (p *parser) Parse(c *proto.Conn, d packet.Dir, b []byte) (int, error) {
	if c.Transport == proto.TCP {
		return p.stream(c, d, b)
	}
	if p.datagram(d, b) {
		c.Emit(&p.m, true)
	}
	p.m = Message{}
	return len(b), nil
}

// stream waits for the handshakes. Pieces of files follow, or whatever else
// begins with an encrypted peer.
func (p *parser) stream(c *proto.Conn, d packet.Dir, b []byte) (int, error) {
	if p.greeted[d] {
		return len(b), nil
	}
	if n := min(len(b), len(greeting)); string(b[:n]) != greeting[:n] {
		return 0, errPeer
	}
	if len(b) < handshakeLen {
		return 0, nil
	}
	p.greeted[d] = true
	p.m.handshake(d, b)
	c.Emit(&p.m, true)
	p.m = Message{}
	if p.greeted[0] && p.greeted[1] {
		c.Finish()
	}
	return len(b), nil
}

func (m *Message) handshake(d packet.Dir, b []byte) {
	*m = Message{Kind: Handshake, Dir: d, Hashes: b[28:48], PeerID: b[48:68]}
	copy(m.Reserved[:], b[len(greeting):])
}

// datagram reads b to p.m. Most datagrams of uTP have nothing to tell.
func (p *parser) datagram(d packet.Dir, b []byte) bool {
	m := &p.m
	*m = Message{Dir: d}
	switch {
	case len(b) == 0:
		return false
	case b[0] == 'd' && m.dht(b):
		return true
	case bytes.HasPrefix(b, []byte(search)):
		p.search(b)
		return true
	}
	if typ, data, ok := utp(b); ok {
		if typ == utpData && isHandshake(data) {
			p.utp = true
			m.handshake(d, data)
			m.InUTP = true
			return true
		}
		first := !p.utp
		p.utp = true
		*m = Message{Kind: UTP, Dir: d}
		return first
	}
	*m = Message{Dir: d}
	if d == packet.ToServer {
		return m.trackerRequest(b)
	}
	return m.trackerReply(b)
}

// search reads a local announcement, BEP 14: HTTP header lines.
func (p *parser) search(b []byte) {
	p.m = Message{Kind: Discovery, Dir: p.m.Dir}
	out := p.hashes[:0]
	for range maxLines {
		var line []byte
		line, b, _ = bytes.Cut(b, []byte{'\n'})
		name, value, _ := bytes.Cut(line, []byte{':'})
		value = bytes.TrimSpace(value)
		switch {
		case bytes.EqualFold(name, []byte("Infohash")):
			if n := len(out); len(value) == 2*hashLen && n < len(p.hashes) {
				if _, err := hex.Decode(p.hashes[n:n+hashLen], value); err == nil {
					out = p.hashes[:n+hashLen]
				}
			}
		case bytes.EqualFold(name, []byte("Port")):
			p.m.Port = 0
			for _, c := range value {
				if c < '0' || c > '9' || p.m.Port > 6553 {
					p.m.Port = 0
					break
				}
				p.m.Port = 10*p.m.Port + uint16(c-'0')
			}
		}
		if len(b) == 0 {
			break
		}
	}
	p.m.Hashes = out
}

// Gap ends the hope for a handshake: it is the first that a peer sends.
func (p *parser) Gap(_ *proto.Conn, d packet.Dir, _ int) error {
	if !p.greeted[d] {
		return errPeer
	}
	return nil
}

func (p *parser) End(*proto.Conn) {}

func (p *parser) Reset() {
	p.m = Message{}
	p.greeted, p.utp = [2]bool{}, false
}
