package stratumv2

import (
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
		return proto.More
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

// random reports whether b can be taken for random bytes: about half of them
// with the highest bit set, and hardly any twice among so few.
func random(b []byte) bool {
	var seen [256]bool
	high, distinct := 0, 0
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
		return true // too few to tell
	}
	// Of 64 random bytes 57 are distinct on average, of 234 some 153: three and
	// more standard deviations below are still allowed.
	least := 3 * n / 4
	if n > 64 {
		least = n / 2
	}
	return high >= n/4 && high <= n-n/4 && distinct >= least
}
