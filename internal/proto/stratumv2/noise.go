package stratumv2

import (
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/stratum"
)

// After the key exchange a message is its header of 6 bytes with 16 of
// authentication, and its payload with 16 more for each 65,519 bytes
// (section 4.6).
const overhead = headerLen + 16 + 16

// Lengths of whole messages in ciphertext.
const (
	setupAsk   = overhead + 16   // SetupConnection at the least
	setupMost  = overhead + 1291 // and at the most
	setupReply = overhead + 6
	shareLeast = overhead + 24 // SubmitSharesStandard
	shareMost  = overhead + 57 // SubmitSharesExtended with the longest extranonce
	shareReply = overhead + 20
)

// noise follows an encrypted connection by how much each side says before the
// other one speaks: how its bytes are cut into segments does not matter.
type noise struct {
	turn  int // flights that are over
	dir   packet.Dir
	size  int // of the flight under way
	last  int // of the one before
	share int // length of the messages that are answered like shares
	over  bool
}

// cipher takes n bytes of direction d. A flight is judged when the other side
// speaks.
func (p *parser) cipher(c *proto.Conn, d packet.Dir, n int) {
	o := &p.noise
	if o.over {
		return
	}
	if !p.any {
		p.any = true
		o.dir = d
		o.over = d == packet.ToClient || c.Midstream
	}
	p.tx.Seen(c.Time)
	if d != o.dir {
		if !p.flight() {
			o.over = true
			return
		}
		o.turn++
		o.dir, o.last, o.size = d, o.size, 0
		if p.tx.Marks != 0 {
			p.emit(c)
		}
	}
	o.size += n
}

// flight judges the flight that is over, together with the one before it; it
// returns false when the connection is something else.
func (p *parser) flight() bool {
	o := &p.noise
	t := &p.tx
	switch o.turn {
	case 0:
		return o.size == noiseAsk
	case 1:
		if o.size != noiseAnswer {
			return false
		}
		t.Is(stratum.DialectV2)
		t.Mark(stratum.MarkNoise)
		t.Role(packet.ToServer, true)
	case 2:
		return o.size >= setupAsk && o.size <= setupMost
	case 3:
		if o.size != setupReply {
			return false
		}
		t.Mark(stratum.MarkNoiseSetup)
	default:
		p.share()
	}
	return true
}

// share counts a message that is answered with 58 bytes: of all that a miner
// sends only shares are, and theirs is one length all along.
func (p *parser) share() {
	o := &p.noise
	t := &p.tx
	if o.dir != packet.ToClient || o.size != shareReply || o.last < shareLeast || o.last > shareMost || o.share != 0 && o.share != o.last {
		return
	}
	o.share = o.last
	t.Hand(1, 0)
	t.Accepted++
	if t.Shares >= 2 {
		t.Mark(stratum.MarkNoiseShare)
	}
}
