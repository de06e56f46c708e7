package tls

import (
	"encoding/binary"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// maxEmpty bounds the empty handshake records skipped before a first message:
// OpenSSL takes 32.
const maxEmpty = 32

// probe judges the first bytes of a direction. It does not care which one: a
// stream picked up midway may have its sides exchanged.
func probe(_ packet.Dir, b []byte) proto.Match {
	if len(b) == 0 {
		return proto.More
	}
	if b[0]&0x80 != 0 {
		return probeHello2(b)
	}
	for i := 0; i < maxEmpty && len(b) > recordHeader && b[0] == recHandshake && b[1] == 3 && b[3]|b[4] == 0; i++ {
		b = b[recordHeader:]
	}
	if b[0] < recChangeCipher || b[0] > recHeartbeat || len(b) > 1 && b[1] != 3 {
		return proto.No
	}
	// Servers look at the minor version of a first ClientHello's record as
	// little as RFC 8446 section 5.1 tells them to.
	odd := len(b) > 2 && b[2] > 4
	if odd && b[0] != recHandshake {
		return proto.No
	}
	if len(b) < recordHeader {
		return proto.More
	}
	n := int(binary.BigEndian.Uint16(b[3:]))
	if n > maxRecord {
		return proto.No
	}
	body := b[recordHeader:]
	switch b[0] {
	case recHandshake:
		return probeHandshake(body, n, odd)
	case recAlert:
		if n == 2 {
			if len(body) < 2 {
				return proto.More
			}
			if body[0] != 1 && body[0] != 2 {
				return proto.No
			}
			return next(body[2:], proto.Yes)
		}
	case recChangeCipher:
		if n != 1 {
			return proto.No
		}
		if len(body) < 1 {
			return proto.More
		}
		if body[0] != 1 {
			return proto.No
		}
		return next(body[1:], proto.Yes)
	}
	if n == 0 {
		return proto.Weak
	}
	if len(body) > n { // two records in a row are no accident
		return next(body[n:], proto.Weak)
	}
	return proto.Weak
}

// next judges by the header that must follow; alone is the answer when nothing
// follows yet.
func next(b []byte, alone proto.Match) proto.Match {
	if len(b) == 0 {
		return alone
	}
	if b[0] < recChangeCipher || b[0] > recHeartbeat || len(b) > 1 && b[1] != 3 || len(b) > 2 && b[2] > 4 {
		return proto.No
	}
	if len(b) < 3 {
		return alone
	}
	return proto.Yes
}

// probeHandshake judges the body of a handshake record of n bytes. An odd one
// must be a whole ClientHello.
func probeHandshake(b []byte, n int, odd bool) proto.Match {
	if n == 0 { // forbidden by RFC 8446 section 5.1, skipped by servers
		if odd {
			return proto.No
		}
		return proto.Weak
	}
	if len(b) == 0 {
		return proto.More
	}
	if odd && (b[0] != MsgClientHello || len(b) >= 4 && u24(b[1:])+4 != n) {
		return proto.No
	}
	if !known(b[0]) {
		// Perhaps an encrypted one, of a stream picked up midway.
		if len(b) >= n {
			return next(b[n:], proto.Weak)
		}
		return proto.Weak
	}
	if n < 6 { // split within the header: what follows must be the next record
		if len(b) < n+3 {
			return proto.More
		}
		return next(b[n:], proto.Weak)
	}
	if len(b) < 6 {
		return proto.More
	}
	if b[1] > 1 { // longer than any ClientHello can be (131,396 bytes in OpenSSL)
		return proto.Weak
	}
	switch b[0] {
	case MsgClientHello, MsgServerHello:
		v := binary.BigEndian.Uint16(b[4:])
		if v>>8 == 3 && v&0xff <= 4 || v>>8 == 0x7f || v>>8 == 0xfb {
			return proto.Yes
		}
		if v>>8 == 3 && u24(b[1:])+4 == n { // a version yet to come: servers answer with their own
			return proto.Yes
		}
		return proto.No
	case MsgCertificate, msgServerKeyExchange, 16:
		return proto.Yes
	}
	return proto.Weak
}

// probeHello2 judges bytes that may be an SSLv2-compatible ClientHello.
func probeHello2(b []byte) proto.Match {
	if len(b) < 3 {
		return proto.More
	}
	n := int(b[0]&0x7f)<<8 | int(b[1])
	if b[2] != 1 || n > maxHello2 || n < 9+3+16 {
		return proto.No
	}
	if len(b) < 2+9 {
		if len(b) >= 4 && b[3] != 3 && b[3] != 0 {
			return proto.No
		}
		return proto.More
	}
	specs, sid, challenge, ok := hello2Lengths(b[2:])
	if !ok || 9+specs+sid+challenge != n {
		return proto.No
	}
	return proto.Yes
}
