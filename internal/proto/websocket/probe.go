package websocket

import (
	"encoding/binary"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// Probe recognises a connection whose upgrade was not seen by an unfragmented
// text frame: in the shortest form of its length, masked by the client, and
// text once unmasked. A client's frame with enough text is certain, a server's
// when it is JSON; shorter ones are Weak.
func Probe(d packet.Dir, b []byte) proto.Match {
	if len(b) < 2 {
		if len(b) == 1 && b[0] != 0x81 {
			return proto.No
		}
		return proto.More
	}
	masked := b[1]&0x80 != 0
	if b[0] != 0x81 || masked != (d == packet.ToServer) {
		return proto.No
	}
	n, length := 2, int(b[1]&0x7f)
	switch length {
	case 126:
		if n += 2; len(b) < n {
			return proto.More
		}
		if length = int(binary.BigEndian.Uint16(b[2:])); length < 126 {
			return proto.No
		}
	case 127:
		return proto.No // a first message of 64 kB and more says too little
	}
	var key [4]byte
	if masked {
		if n += 4; len(b) < n {
			return proto.More
		}
		copy(key[:], b[n-4:])
	}
	text := b[n:min(len(b), n+length)]
	for i, c := range text[:min(len(text), maxProbeText)] {
		if c ^= key[i&3]; c < ' ' && c != '\n' && c != '\r' && c != '\t' || c == 0x7f || c >= 0xf8 || c == 0xc0 || c == 0xc1 {
			return proto.No
		}
	}
	switch {
	case length < 2:
		return proto.No
	case len(text) < min(length, sureText):
		return proto.More
	case length < sureText:
		return proto.Weak
	case masked:
		return proto.Yes
	}
	if text[0] == '{' || text[0] == '[' {
		return proto.Yes
	}
	return proto.Weak
}

const (
	// sureText is how many bytes of text make a masked frame certain: random
	// bytes look like text that long in one of a few thousand cases, and the
	// first two bytes must fit as well.
	sureText = 10
	// maxProbeText bounds the work.
	maxProbeText = 128
)
