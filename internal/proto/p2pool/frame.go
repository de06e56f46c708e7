package p2pool

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"math"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// Messages of Monero's p2pool (p2p_server.h, MessageId): a byte that says which,
// and what belongs to it.
const (
	msgChallenge = iota // 8 random bytes and the peer's number
	msgSolution         // a hash and the 8 bytes that were found for it
	msgPort             // on which the peer listens, in four bytes
	msgAsk              // for a block of the chain of shares; all zeros: for its tip
	msgBlock            // length and block, as the next ones
	msgNew
	msgAskPeers
	msgPeers // their number and 19 bytes each
	msgCompact
	msgNotify // hash of a block
	msgDonation
	msgMonero
	numMessages
)

// Lengths of messages, their first byte included; 0: a length of four bytes
// follows it.
var lengths = [numMessages]int{17, 41, 5, 33, 0, 0, 1, 0, 0, 33, 0, 0}

const (
	handshakeLen = 17 + 41
	maxPeers     = 16    // PEER_LIST_RESPONSE_MAX_PEERS
	difficulty   = 10000 // CHALLENGE_DIFFICULTY, of the side that connects
)

// size returns the length of the message at the beginning of b, or how many
// bytes of it are needed to know (need); bad when it is none.
func size(b []byte) (n, need int, bad bool) {
	switch k := b[0]; {
	case k >= numMessages:
		return 0, 0, true
	case k == msgPeers:
		if len(b) < 2 {
			return 0, 2, false
		}
		return 2 + 19*int(b[1]), 2, b[1] > maxPeers
	case lengths[k] > 0:
		return lengths[k], lengths[k], false
	}
	if len(b) < 5 {
		return 0, 5, false
	}
	v := binary.LittleEndian.Uint32(b[1:])
	return 5 + int(v), 5, v > maxMessage
}

// worked reports whether a solution (after its first byte) has the work that
// the side that connects has to do: one hash of ten thousand has.
func worked(b []byte) bool {
	return binary.LittleEndian.Uint64(b[24:]) <= math.MaxUint64/difficulty
}

// probe recognises the handshake of either network. What a peer sends first is
// random, so of Monero's both parts are needed, and the work in it or what
// follows.
func probe(d packet.Dir, b []byte) proto.Match {
	if len(b) == 0 {
		return proto.More
	}
	if b[0] != msgChallenge {
		return probeOld(b)
	}
	if m := probeOld(b); m == proto.Yes || len(b) > handshakeLen && m == proto.More {
		return m
	}
	if !random(b[1:min(len(b), 17)]) || len(b) > 17 && b[17] != msgSolution {
		return proto.No
	}
	if len(b) > 18 && !random(b[18:min(len(b), handshakeLen)]) {
		return proto.No
	}
	if len(b) < handshakeLen {
		return proto.More
	}
	if worked(b[18:]) && d == packet.ToServer {
		return proto.Yes
	}
	// The other side need not work, and of a flow picked up midstream the
	// direction may be the other one.
	switch rest := b[handshakeLen:]; {
	case worked(b[18:]):
		return proto.Yes
	case len(rest) == 0:
		return proto.Weak
	case !port(rest):
		return proto.No
	case len(rest) < 5+33:
		return proto.Weak
	case rest[5] == msgAsk:
		return proto.Yes
	}
	return proto.No
}

// port reports whether b begins with a port to listen on, as far as it goes: a
// number of four bytes below 65536.
func port(b []byte) bool {
	return b[0] == msgPort && (len(b) < 4 || b[3] == 0) && (len(b) < 5 || b[4] == 0)
}

// random reports whether bytes can be random: hardly any zeros, not all text.
func random(b []byte) bool {
	zeros, text := 0, 0
	for _, c := range b {
		if c == 0 {
			zeros++
		}
		if c >= 0x20 && c < 0x7f {
			text++
		}
	}
	return zeros < 4 && (text < len(b) || len(b) < 12)
}

// Bitcoin's p2pool: eight bytes of the network, then as Bitcoin's own messages.
const oldHeader = 8 + 12 + 4 + 4

// oldNetworks are the prefixes of networks/bitcoin.py and litecoin.py.
var oldNetworks = [...]string{"\x24\x72\xef\x18\x1e\xfc\xd3\x7b", "\xe0\x37\xd5\xb8\xc6\x92\x34\x10"}

// oldCommands are messages of p2p.py that nothing but p2pool has.
var oldCommands = [...]string{"addrme", "addrs", "getaddrs", "shares", "sharereq", "sharereply", "bestblock", "have_tx", "losing_tx", "remember_tx", "forget_tx"}

type header struct {
	command [12]byte
	size    int
	sum     [4]byte
}

func readHeader(b []byte) (h header, ok bool) {
	copy(h.command[:], b[8:])
	h.size = int(binary.LittleEndian.Uint32(b[20:]))
	copy(h.sum[:], b[24:])
	end := bytes.IndexByte(h.command[:], 0)
	if end < 2 || h.size > maxMessage {
		return h, false
	}
	for i, c := range h.command {
		if i < end && c != '_' && (c < 'a' || c > 'z') || i > end && c != 0 {
			return h, false
		}
	}
	return h, true
}

func (h *header) is(command string) bool {
	return string(h.command[:len(command)]) == command && h.command[len(command)] == 0
}

func (h *header) right(payload []byte) bool {
	sum := sha256.Sum256(payload)
	sum = sha256.Sum256(sum[:])
	return string(sum[:4]) == string(h.sum[:])
}

// probeOld recognises a version message whose checksum is right, and of the
// known networks any message that p2pool alone has.
func probeOld(b []byte) proto.Match {
	known := false
	for _, n := range oldNetworks {
		k := min(len(b), len(n))
		known = known || string(b[:k]) == n[:k]
	}
	if len(b) < oldHeader {
		const first = "version\x00\x00\x00\x00\x00"
		if known || len(b) > 8 && string(b[8:min(len(b), 20)]) == first[:min(len(b)-8, 12)] {
			return proto.More
		}
		return proto.No
	}
	h, ok := readHeader(b)
	if !ok {
		return proto.No
	}
	if h.is("version") && h.size <= maxVersion {
		if len(b) < oldHeader+h.size {
			return proto.More
		}
		if h.right(b[oldHeader : oldHeader+h.size]) {
			return proto.Yes
		}
		return proto.No
	}
	if known && h.own() {
		return proto.Yes
	}
	return proto.No
}

func (h *header) own() bool {
	for _, c := range oldCommands {
		if h.is(c) {
			return true
		}
	}
	return false
}
