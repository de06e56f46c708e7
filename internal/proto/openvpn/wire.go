package openvpn

import (
	"encoding/binary"
	"math"
)

// Lengths of the fields of a control packet, in their order: opcode and key
// identifier; session; with tls-auth HMAC and replay protection (packet
// identifier and time); acknowledgements; packet identifier; TLS bytes.
// With tls-crypt replay protection and tag come after the session, and all
// that follows is encrypted.
const (
	lenHead   = 1 + 8
	lenReplay = 4 + 4
	lenTag    = 32 // tls-crypt: HMAC-SHA256
	maxAcks   = 8
	// A wrapped client key (tls-crypt-v2) has at most 1024 bytes.
	maxWrapped = 1024
)

// control is what can be read of a control packet.
type control struct {
	op         Opcode
	session    []byte
	protection Protection
	hmac       int
	remote     []byte // the session of the peer, nil when absent or encrypted
}

// readControl reads the control packet b: any opcode but data. ok is false when
// no protection makes sense of it.
func readControl(b []byte) (c control, ok bool) {
	if len(b) < lenHead+1 {
		return c, false
	}
	c.op = Opcode(b[0] >> 3)
	c.session = b[1:lenHead]
	reset := c.op.client() || c.op.server()
	if reset && b[0]&7 != 0 || binary.BigEndian.Uint64(c.session) == 0 {
		return c, false
	}
	switch c.op {
	case ResetClientV3, ControlWKC:
		// These exist for tls-crypt-v2 alone, and end with a wrapped key.
		least := lenHead + lenReplay + lenTag + 5
		c.protection = TLSCryptV2
		return c, len(b) > least+lenTag && replay(b[lenHead:]) && (c.op == ControlWKC || len(b) <= least+16+maxWrapped)
	case ResetClientV1, ResetServerV1, ResetClientV2, ResetServerV2, SoftReset, Control, Ack:
	default:
		return c, false
	}
	if c.tail(b[lenHead:]) {
		c.protection = Plain
		return c, true
	}
	// HMACs of MD5, SHA-1, SHA-224, SHA-256, SHA-384, SHA-512.
	for _, n := range [...]int{20, 32, 64, 16, 48, 28} {
		if at := lenHead + n; len(b) > at+lenReplay && replay(b[at:]) && c.tail(b[at+lenReplay:]) {
			c.protection, c.hmac = TLSAuth, n
			return c, true
		}
	}
	// A reset has a known length: encrypted are the acknowledgements (none, or
	// one and the peer's session), the packet identifier, and a few flags.
	if n := len(b) - lenHead - lenReplay - lenTag; reset && n >= 5 && n <= 17+16 && replay(b[lenHead:]) {
		if c.op.server() || n == 5 {
			c.protection = TLSCrypt
			return c, true
		}
	}
	return c, false
}

// replay judges the replay protection of a packet early in a session: its
// number, whose top byte tells of early negotiation when it is 0x0f, and the
// time in seconds, after 1999.
func replay(b []byte) bool {
	id, time := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
	if id>>24 == 0x0f {
		id &= 0xffffff
	}
	return id != 0 && id < math.MaxUint16 && time >= 0x38000000
}

// tail reads acknowledgements and packet identifier and checks that they are
// such as c.op has: a reset is the first packet of its sender and carries
// nothing, other identifiers are small.
func (c *control) tail(b []byte) bool {
	n := int(b[0])
	b = b[1:]
	if n > maxAcks || n > 0 && len(b) < 4*n+8 {
		return false
	}
	for i := range n {
		if binary.BigEndian.Uint32(b[4*i:]) > math.MaxUint16 {
			return false
		}
	}
	c.remote = nil
	if n > 0 {
		c.remote = b[4*n : 4*n+8]
		b = b[4*n+8:]
	}
	if c.op == Ack {
		return n > 0 && len(b) == 0
	}
	if len(b) < 4 || binary.BigEndian.Uint32(b) > math.MaxUint16 {
		return false
	}
	id, payload := binary.BigEndian.Uint32(b), b[4:]
	switch {
	case c.op.client():
		return n == 0 && id == 0 && len(payload) == 0
	case c.op.server():
		return n <= 1 && id == 0 && len(payload) == 0
	case c.op == SoftReset:
		return len(payload) == 0
	}
	// TLS records, the first of which begins with the first control packet.
	return id > 1 || len(payload) > 2 && 0x14 <= payload[0] && payload[0] <= 0x17 && payload[1] == 3
}

// data judges a data packet: version 2 with a peer identifier, then the packet
// number of an AEAD cipher and its tag. Version 1 has no more than its opcode.
func data(b []byte) bool {
	return len(b) > 4+4+16 && Opcode(b[0]>>3) == DataV2 && b[1] == 0 && b[4] == 0 && binary.BigEndian.Uint32(b[4:]) != 0
}
