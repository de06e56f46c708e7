package dtls

import (
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/tls"
)

// probe judges one datagram: its first record must be whole, of a known type
// and version, and what follows must be a record too.
func probe(_ packet.Dir, b []byte) proto.Match {
	var r record
	if !parseRecord(b, &r) {
		if len(b) >= recordHeader && b[0] == recCID && version(b[1], b[2]) {
			return proto.Weak
		}
		return proto.No
	}
	rest := b[r.size:]
	if len(rest) > 0 && (rest[0] < recChangeCipher || rest[0] > recACK && rest[0]&unifiedMask != unifiedBits ||
		len(rest) >= recordHeader && rest[0] <= recACK && !version(rest[1], rest[2])) {
		return proto.No
	}
	if r.epoch > 0 {
		// Encrypted. The version and the length say enough.
		if r.epoch > 0xff {
			return proto.Weak
		}
		return proto.Yes
	}
	switch r.typ {
	case recHandshake:
		var m message
		if !parseMessage(r.body, &m) || m.length > tls.MaxHandshake {
			return proto.No
		}
		return proto.Yes
	case recAlert:
		if len(r.body) == 2 && (r.body[0] == 1 || r.body[0] == 2) {
			return proto.Yes
		}
		return proto.No
	case recChangeCipher:
		// One byte; three in the version before RFC 4347.
		if (len(r.body) == 1 || len(r.body) == 3) && r.body[0] == 1 {
			return proto.Yes
		}
		return proto.No
	case recACK:
		return proto.Weak
	}
	return proto.No // data is never sent in the clear
}
