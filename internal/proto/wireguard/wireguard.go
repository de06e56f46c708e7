// Package wireguard recognises WireGuard tunnels (Donenfeld: WireGuard, Next
// Generation Kernel Network Tunnel, section 5.4) and pairs the messages of a
// handshake by their indices. Nothing more of it is in the clear.
package wireguard

import (
	"encoding/binary"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// Protocol describes WireGuard.
var Protocol = proto.Protocol{
	Name:  "wireguard",
	Doc:   "WireGuard tunnel: handshakes",
	On:    proto.UDP,
	Ports: []uint16{51820},
	Event: "wireguard",
	Probe: probe,
	New:   func() proto.Parser { return new(parser) },
}

// Kind is a message's type, section 5.4; the three bytes after it are zero.
type Kind uint8

// Kinds and their lengths in bytes.
const (
	Initiation Kind = 1 // 148
	Response   Kind = 2 // 92
	Cookie     Kind = 3 // 64
	Transport  Kind = 4 // 32 and any multiple of 16 more
)

const (
	lenInitiation = 148
	lenResponse   = 92
	lenCookie     = 64
	minTransport  = 32
)

// kind returns what b is by its type, reserved bytes and length, or 0.
func kind(b []byte) Kind {
	if len(b) < minTransport || b[1]|b[2]|b[3] != 0 {
		return 0
	}
	switch k := Kind(b[0]); {
	case k == Initiation && len(b) == lenInitiation,
		k == Response && len(b) == lenResponse,
		k == Cookie && len(b) == lenCookie,
		k == Transport && (len(b)-minTransport)%16 == 0:
		return k
	}
	return 0
}

// probe is certain of an initiation; the other messages answer one or follow
// it and are Weak.
func probe(_ packet.Dir, b []byte) proto.Match {
	switch kind(b) {
	case Initiation:
		if publicKey(b[8:40]) {
			return proto.Yes
		}
	case Response:
		if publicKey(b[12:44]) {
			return proto.Weak
		}
	case Cookie:
		return proto.Weak
	case Transport:
		// The counter begins at zero with each key, which lives for three
		// minutes: its upper bytes stay zero.
		if binary.LittleEndian.Uint64(b[8:])>>40 == 0 {
			return proto.Weak
		}
	}
	return proto.No
}

// publicKey judges an ephemeral key: X25519 makes numbers below 2^255-19 that
// look random.
func publicKey(k []byte) bool {
	zeros := 0
	for _, c := range k {
		if c == 0 {
			zeros++
		}
	}
	return k[31] < 0x80 && zeros < 8
}

// Tunnel is the transaction: a handshake, or a tunnel met midway.
type Tunnel struct {
	// Initiator is who began the handshake; with neither Initiated nor
	// Answered it means nothing.
	Initiator packet.Dir
	Initiated bool // the initiation was seen
	Answered  bool // the response was seen
	Cookie    bool // the responder was under load and asked for another try
	Tries     int  // initiations seen
	// Index is what each side calls the session, by who chose it.
	Index    [2]uint32
	hasIndex [2]bool
}

// EventType returns "wireguard".
func (t *Tunnel) EventType() event.Type { return "wireguard" }

// EncodeEVE appends "wireguard":{…}.
func (t *Tunnel) EncodeEVE(e *event.Encoder) {
	e.Obj("wireguard")
	if t.Initiated || t.Answered {
		e.Str("type", "handshake")
		e.Str("initiator", [2]string{"client", "server"}[t.Initiator])
		e.Bool("answered", t.Answered)
	} else {
		e.Str("type", "transport")
	}
	for d, key := range [2]string{"client_index", "server_index"} {
		if t.hasIndex[d] {
			e.Uint(key, uint64(t.Index[d]))
		}
	}
	if t.Tries > 1 {
		e.Uint("tries", uint64(t.Tries))
	}
	if t.Cookie {
		e.Bool("cookie", true)
	}
	e.EndObj()
}

type parser struct {
	t    Tunnel
	done bool
}

func (p *parser) Parse(c *proto.Conn, d packet.Dir, b []byte) (int, error) {
	t, o := &p.t, d.Reverse()
	switch kind(b) {
	case Initiation:
		sender := binary.LittleEndian.Uint32(b[4:])
		t.Initiator, t.Initiated = d, true
		t.set(d, sender)
		t.Tries++
		c.Emit(t, false)
	case Response:
		sender, receiver := binary.LittleEndian.Uint32(b[4:]), binary.LittleEndian.Uint32(b[8:])
		if t.Initiated && (t.Initiator == d || t.Index[o] != receiver) {
			c.Anomaly("index_mismatch")
			break
		}
		t.Initiator, t.Answered = o, true
		t.set(d, sender)
		t.set(o, receiver)
		p.finish(c)
	case Cookie:
		if t.Initiated && t.Initiator == o && t.Index[o] == binary.LittleEndian.Uint32(b[4:]) {
			t.Cookie = true
		}
	case Transport:
		if t.Initiated {
			break // data of the session before
		}
		if t.set(o, binary.LittleEndian.Uint32(b[4:])); t.hasIndex[d] {
			p.finish(c)
		}
	}
	return len(b), nil
}

// set notes the index that side d has chosen.
func (t *Tunnel) set(d packet.Dir, index uint32) { t.Index[d], t.hasIndex[d] = index, true }

// finish emits the transaction; what follows is all encrypted.
func (p *parser) finish(c *proto.Conn) {
	p.done = true
	c.Emit(&p.t, true)
	c.Finish()
}

func (p *parser) Gap(*proto.Conn, packet.Dir, int) error { return nil }

func (p *parser) End(c *proto.Conn) {
	if !p.done && p.t != (Tunnel{}) {
		p.done = true
		c.Emit(&p.t, true)
	}
}

func (p *parser) Reset() { *p = parser{} }
