package stratumv2

import (
	"bytes"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// Lengths of the key exchange (section 4.5): an ElligatorSwift-encoded key of
// 64 bytes each way, and behind the pool's its static key and a signed
// certificate, both encrypted (64 + 80 + 90).
const (
	noiseAsk    = 64
	noiseAnswer = 234
)

// probe recognises one whole message that tells by itself, or the key exchange
// by its lengths: that is plausible only, so both sides have to have it.
func probe(d packet.Dir, b []byte) proto.Match {
	if len(b) < headerLen {
		if mayBegin(b) || random(b) {
			return proto.More
		}
		return proto.No
	}
	h := readHeader(b)
	if h.fits() {
		switch {
		case h.kind == setupConnection:
			if s := b[headerLen:]; len(s) >= 9 {
				if _, ok := readSetup(append(append(make([]byte, 0, 16), s[:9]...), 0, 0, 0, 0, 0, 0, 0)); !ok {
					break
				}
			}
			if len(b) < headerLen+h.size {
				return proto.More
			}
			if h.telling(b[headerLen:]) {
				return proto.Yes
			}
		case h.size > maxKept:
		case len(b) < headerLen+h.size:
			return proto.More
		case h.telling(b[headerLen:]):
			return proto.Yes
		case h.kind == setupSuccess && b[headerLen] == 2 && b[headerLen+1] == 0 && b[headerLen+5] == 0:
			return proto.Weak
		default:
			// Not telling, but the next message may be.
			rest := b[headerLen+h.size:]
			if len(rest) < headerLen {
				return proto.More
			}
			if n := readHeader(rest); n.fits() && n.telling(rest[headerLen:]) {
				return proto.Yes
			}
		}
	}
	want := noiseAsk
	if d == packet.ToClient {
		want = noiseAnswer
	}
	if len(b) > want || !random(b) {
		return proto.No
	}
	if len(b) < want {
		return proto.More
	}
	return proto.Weak
}

// mayBegin reports whether b, shorter than a header, can be the begin of one.
func mayBegin(b []byte) bool {
	switch {
	case len(b) > 2 && kinds[b[2]].from == nobody:
	case len(b) > 1 && b[1]&^(channelBit>>8) != 0:
	case len(b) > 0 && b[0] != 0:
	default:
		return true
	}
	return false
}

// random reports whether b can be taken for random bytes: about half of them
// with the highest bit set, and hardly any twice among so few. Two zeros in
// the first bytes are told at once (one key in 4,000 has them), and a dozen
// bytes without the highest bit: protocols with short messages, such as MQTT,
// must not wait for a key that cannot come.
func random(b []byte) bool {
	var seen [256]bool
	high, distinct := 0, 0
	if bytes.Contains(b[:min(len(b), 16)], []byte{0, 0}) {
		return false
	}
	for _, c := range b {
		if c >= 0x80 {
			high++
		}
		if !seen[c] {
			seen[c] = true
			distinct++
		}
	}
	n := len(b)
	if n < 16 {
		return n < 12 || high > 0 // too few to tell more
	}
	// Of 64 random bytes 57 are distinct on average, of 234 some 153: three and
	// more standard deviations below are still allowed.
	least := 3 * n / 4
	if n > 64 {
		least = n / 2
	}
	return high >= n/4 && high <= n-n/4 && distinct >= least
}
