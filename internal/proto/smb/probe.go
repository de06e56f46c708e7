package smb

import (
	"bytes"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// Types of NetBIOS session packets, RFC 1002 section 4.3.1.
const (
	nbMessage   = 0x00
	nbRequest   = 0x81
	nbPositive  = 0x82
	nbNegative  = 0x83
	nbRetarget  = 0x84
	nbKeepalive = 0x85
)

// First bytes of the protocol identifiers; "SMB" follows.
const (
	idSMB1       = 0xff
	idSMB2       = 0xfe
	idTransform  = 0xfd // encrypted, [MS-SMB2] 2.2.41
	idCompressed = 0xfc // compressed, [MS-SMB2] 2.2.42
)

// isMagic tells the protocol identifiers.
func isMagic(b []byte) bool {
	return len(b) >= 4 && b[0] >= idCompressed && b[1] == 'S' && b[2] == 'M' && b[3] == 'B'
}

// probeWindow is how far a stream picked up midstream is searched for a
// message.
const probeWindow = 2 << 10

// probe judges by what a message says itself, also whether it is a request: in
// a flow picked up midstream the client is a guess.
func probe(d packet.Dir, b []byte) proto.Match {
	if len(b) == 0 {
		return proto.More
	}
	switch b[0] {
	case nbMessage:
		if len(b) < 8 {
			for i, c := range b[min(4, len(b)):] {
				if i == 0 && c < idCompressed || i > 0 && c != "\x00SMB"[i] {
					return proto.No
				}
			}
			return proto.More
		}
		if isMagic(b[4:]) {
			if from, ok := sender(b[4:]); ok && from != d {
				return proto.No
			}
			return proto.Yes
		}
	case nbRequest:
		// Two names in first-level encoding, each 34 bytes.
		if len(b) < 5 {
			return proto.More
		}
		if b[1] == 0 && b[2] == 0 && b[3] == 68 && b[4] == 32 {
			return proto.Yes
		}
		return proto.No
	case nbPositive, nbKeepalive:
		if len(b) < 4 {
			return proto.More
		}
		if b[1]|b[2]|b[3] == 0 {
			return proto.Weak
		}
		return proto.No
	}
	b = b[:min(len(b), probeWindow)]
	if at := find(b); at >= 0 {
		if from, ok := sender(b[at+4:]); ok && from != d {
			return proto.No
		}
		return proto.Yes
	}
	return proto.No
}

// sender tells which side sends the message, when its flags are there.
func sender(m []byte) (d packet.Dir, ok bool) {
	switch {
	case m[0] == idSMB1 && len(m) > 9:
		d = packet.Dir(m[9] >> 7)
	case m[0] == idSMB2 && len(m) > 16:
		d = packet.Dir(m[16] & flagResponse)
	default:
		return 0, false
	}
	return d, true
}

// find returns where in b the next message begins that looks sound, or -1.
func find(b []byte) int {
	for off := 0; ; {
		i := bytes.Index(b[off:], []byte("SMB"))
		if i < 0 {
			return -1
		}
		at := off + i - 5 // NetBIOS header and first byte of the identifier
		off += i + 3
		if at < 0 || b[at] != nbMessage || b[at+4] < idCompressed {
			continue
		}
		size := int(b[at+1])<<16 | int(b[at+2])<<8 | int(b[at+3])
		switch b[at+4] {
		case idSMB2: // StructureSize is 64
			if size < 64 || len(b) > at+9 && (b[at+8] != 64 || b[at+9] != 0) {
				continue
			}
		case idSMB1:
			if size < 35 {
				continue
			}
		default:
			if size < 16 {
				continue
			}
		}
		return at
	}
}
