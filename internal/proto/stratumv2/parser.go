package stratumv2

import (
	"encoding/binary"
	"math"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/stratum"
)

// side is one direction of the stream.
type side struct {
	skip int  // bytes of a long payload still to come
	lost bool // the next bytes are the beginning of a message only if they look so
}

type parser struct {
	tx    Tx
	side  [2]side
	noise noise
	any   bool // a message was seen
	begun bool
	odd   bool // the anomaly was told
}

// Parse takes every whole message of the stream.
func (p *parser) Parse(c *proto.Conn, d packet.Dir, data []byte) (n int, err error) {
	if !p.tx.Mining() {
		c.AppProto = unsure
	}
	if !p.begun && len(data) >= headerLen {
		p.begun = true
		p.tx.Noise = !readHeader(data).fits() || len(data) == noiseAsk && random(data)
	}
	if p.tx.Noise {
		p.cipher(c, d, len(data))
		return len(data), nil
	}
	s := &p.side[d]
	for n < len(data) {
		rest := data[n:]
		if s.skip > 0 {
			k := min(s.skip, len(rest))
			s.skip -= k
			n += k
			continue
		}
		if len(rest) < headerLen {
			return n, nil
		}
		h := readHeader(rest)
		if !h.fits() {
			// Bytes that are no message: what comes with the next segment may be
			// one again.
			if !s.lost && !c.Midstream && !p.odd {
				p.odd = true
				c.Anomaly("malformed_message")
			}
			s.lost = true
			return len(data), nil
		}
		keep := min(h.size, maxKept)
		if len(rest) < headerLen+keep {
			return n, nil
		}
		s.lost = false
		p.message(c, d, h, rest[headerLen:headerLen+keep])
		n += headerLen + keep
		s.skip = h.size - keep
	}
	return n, nil
}

// unsure is the name of a flow as long as it is not known to be mining, that
// of flows that nothing recognises.
const unsure = "failed"

// message judges one message; p is its payload, or the beginning of a long one.
func (p *parser) message(c *proto.Conn, d packet.Dir, h header, b []byte) {
	t := &p.tx
	p.any = true
	t.Seen(c.Time)
	t.Messages[d]++
	t.Is(stratum.DialectV2)
	switch kinds[h.kind].from {
	case miner:
		t.Role(d, true)
	case pool:
		t.Role(d, false)
	}
	if h.telling(b) {
		t.Mark(stratum.MarkV2Frame)
	}
	switch h.kind {
	case setupConnection:
		if s, ok := readSetup(b); ok {
			p.setup(s)
		}
	case setupSuccess:
		if t.Setup.Seen && !t.Setup.AnswerSeen {
			t.Setup.AnswerSeen = true
			t.Mark(stratum.MarkAnswer)
		}
	case openStandard, openExtended:
		if h.telling(b) {
			p.open(b)
		}
	case openStandardOK, openExtendedOK:
		t.Mark(stratum.MarkV2Channel)
		t.Target(b[8:40])
	case updateChannel:
		p.rate(b[4:])
	case newMiningJob, newExtendedJob:
		t.Jobs++
		t.Mark(stratum.MarkV2Channel)
	case setTarget:
		t.Target(b[4:36])
	case submitStandard, submitExtended:
		t.Mark(stratum.MarkShareKeys)
		t.Hand(1, 0)
	case submitSuccess:
		t.Accepted += min(binary.LittleEndian.Uint32(b[8:]), 1<<20)
		t.Mark(stratum.MarkAnswer)
	case submitError:
		t.Hand(0, 1)
	}
	p.emit(c)
}

// setup takes what a connection was set up with.
func (p *parser) setup(s setup) {
	t := &p.tx
	t.Mark(stratum.MarkV2Setup)
	u := &t.Setup
	u.Seen, u.Protocol, u.Version, u.Flags = true, s.protocol, s.maxVersion, s.flags
	u.Vendor.Set(s.vendor)
	u.Hardware.Set(s.hardware)
	u.Firmware.Set(s.firmware)
	u.DeviceID.Set(s.device)
	t.Agent.Set(s.vendor)
	for _, name := range [...][]byte{s.vendor, s.firmware} {
		if stratum.IsMiner(name) {
			t.Mark(stratum.MarkAgent)
		}
	}
	if len(s.host) > 0 {
		t.Pool.Set(s.host)
	}
}

// open takes the account of a channel, and what the miner says of its speed.
func (p *parser) open(b []byte) {
	t := &p.tx
	t.Mark(stratum.MarkV2Channel)
	user := b[5 : 5+int(b[4])]
	t.Login.Set(user)
	if stratum.FindAddress(user).Sure {
		t.Mark(stratum.MarkWallet)
	}
	p.rate(b[5+len(user):])
}

// rate reads a nominal hash rate, an IEEE 754 number of 32 bits.
func (p *parser) rate(b []byte) {
	r := float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
	if r > 0 && r < 1e21 {
		p.tx.Rate, p.tx.Effort.Reported = r, r
	}
}

func (p *parser) emit(c *proto.Conn) {
	if p.tx.Mining() {
		c.AppProto = "stratum"
	}
	c.Emit(&p.tx, false)
}

// Gap goes on with what comes next if it looks like a message. In ciphertext
// there is nothing to go by any more.
func (p *parser) Gap(_ *proto.Conn, d packet.Dir, n int) error {
	s := &p.side[d]
	if s.skip >= n {
		s.skip -= n // all of it was payload that is not kept
		return nil
	}
	*s = side{lost: true}
	p.noise.over = true
	return nil
}

// End closes the flow's transaction.
func (p *parser) End(c *proto.Conn) {
	if p.any {
		p.any = false
		p.tx.Done = true
		c.Emit(&p.tx, true)
	}
}

// Reset forgets the flow.
func (p *parser) Reset() { *p = parser{} }
