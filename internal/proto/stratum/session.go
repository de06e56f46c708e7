package stratum

import "github.com/yamori-net/yamori/internal/packet"

// Dialect numbers the mining protocols, the more telling ones after those
// that they look like at first: a session's dialect only ever moves up.
type Dialect uint8

// Dialects.
const (
	DialectUnknown Dialect = iota
	DialectStratum
	DialectCryptoNote
	DialectEthProxy
	DialectGetwork
	DialectTemplate
	DialectEthereum1
	DialectEthereum2
	DialectKawPow
	DialectEquihash
	DialectKaspa
	DialectCKB
	DialectGrin
	DialectBeam
	DialectCoinhive
	DialectWebMinerPool
	DialectDero
	DialectIronFish
	DialectErgo
	DialectXelis
	DialectHandshake
	DialectAlephium
	DialectEthSubscribe
	DialectAeternity
	DialectDuino  // internal/proto/duinocoin
	DialectV2     // internal/proto/stratumv2
	DialectP2Pool // internal/proto/p2pool
	DialectNimiq
	DialectWarthog
	DialectQubic
)

var dialects = [...]string{
	"", "stratum-v1", "cryptonote", "ethproxy", "getwork", "getblocktemplate", "ethereumstratum-1.0", "ethereumstratum-2.0",
	"kawpow", "equihash", "kaspa", "ckb", "grin", "beam", "coinhive", "webminerpool", "dero", "ironfish",
	"ergo", "xelis", "handshake", "alephium", "ethsubscribe", "aeternity", "duinocoin", "stratum-v2", "p2pool", "nimiq",
	"warthog", "qubic",
}

// String returns the name that events carry.
func (d Dialect) String() string { return dialects[d] }

// Limits of what a session remembers.
const (
	maxPending = 16  // requests waiting for their answer, each way; the oldest is forgotten
	maxField   = 160 // bytes of a login or agent: a Monero address with payment id and worker
	maxShort   = 72  // bytes of other texts: 0x and 64 digits
)

// Field is a text kept inline, cut at maxField bytes.
type Field struct {
	n uint8
	b [maxField]byte
}

// Set replaces the text, unless t is empty.
func (f *Field) Set(t []byte) {
	if len(t) > 0 {
		f.n = uint8(copy(f.b[:], t))
	}
}

// Bytes returns the text, valid as long as f.
func (f *Field) Bytes() []byte { return f.b[:f.n] }

// Short is a Field of maxShort bytes.
type Short struct {
	n uint8
	b [maxShort]byte
}

// Set replaces the text, unless t is empty.
func (f *Short) Set(t []byte) {
	if len(t) > 0 {
		f.n = uint8(copy(f.b[:], t))
	}
}

// Bytes returns the text, valid as long as f.
func (f *Short) Bytes() []byte { return f.b[:f.n] }

type pending struct {
	id     uint32 // hash of the id as written
	method Method
}

// Session is what one flow's messages have shown so far. It has a fixed size
// and no pointers (a test holds the parser under 1.3 kilobytes); its zero value is a flow of which nothing was seen.
type Session struct {
	Marks     Marks
	Dialect   Dialect
	Methods   uint64 // set of Method values seen
	Agent     Field  // software as it names itself
	Login     Field  // account, address and worker as sent
	Worker    Short  // where it has a member of its own
	Algorithm Short  // the one algorithm agreed on
	Pool      Short  // "host" or "host:port" where the miner tells it
	Diff      Short  // latest difficulty or target, as sent

	Messages [2]uint32 // by packet.Dir
	Jobs     uint32
	Shares   uint32
	Accepted uint32
	Rejected uint32

	First, Last int64 // time of the first and latest message, ns since the Unix epoch
	Effort      Effort
	Noted       uint32 // shares, and one, that a detector across flows has noted
	Told        int64  // when a detector last told of the session's progress

	Reported bool // a detector has given its judgement

	wait     [2][maxPending]pending
	waitNext [2]uint8
	boundary uint32 // hash of the latest boundary
	diff     float64
	measure  measure
	miner    int8 // votes for the client being the miner
	sure     bool
	formed   bool   // a job or a share has shown the dialect by its form
	ethash   bool   // jobs have the form of Ethash's in Stratum V1
	graph    uint16 // digits of an Equihash solution
}

// Mining reports whether the messages are mining for certain: enough weight
// from at least two independent groups of marks.
func (s *Session) Mining() bool { return s.sure }

// MinerIsClient tells which side mines, as the messages show it.
func (s *Session) MinerIsClient() bool { return s.miner >= 0 }

// Mark adds an observation made outside the messages (an HTTP header).
func (s *Session) Mark(m Mark) { s.add(m) }

func (s *Session) add(m Mark) {
	if s.Marks.Has(m) {
		return
	}
	s.Marks |= 1 << m
	w, g := s.Marks.Sum()
	s.sure = w >= Certain && g >= 2
}

// Is raises the dialect, from what was seen outside the messages.
func (s *Session) Is(d Dialect) { s.is(d) }

func (s *Session) is(d Dialect) {
	if d > s.Dialect {
		s.Dialect = d
	}
}

// shaped is is for what the form of a job or a share shows. What was guessed
// before from how the miner introduced itself gives way to it: software for
// many coins asks for all of them in one way.
func (s *Session) shaped(d Dialect) {
	if !s.formed && s.Dialect == DialectEquihash {
		s.Dialect = DialectStratum
	}
	s.formed = true
	s.is(d)
}

// Role votes: a message of direction d was sent by the miner, or by the pool.
func (s *Session) Role(d packet.Dir, miner bool) { s.role(d, miner) }

// role votes: the message was sent by the miner, or by the pool.
func (s *Session) role(d packet.Dir, miner bool) {
	if (d == packet.ToServer) == miner {
		s.miner = min(s.miner+1, 100)
	} else {
		s.miner = max(s.miner-1, -100)
	}
}

// ask remembers a request of direction d.
func (s *Session) ask(d packet.Dir, m *Message) {
	id := m.Top.Get(KeyID)
	if id.Kind == Absent || id.Kind == Null {
		return
	}
	s.wait[d][s.waitNext[d]] = pending{hash(m.Text(id)), m.Method}
	s.waitNext[d] = (s.waitNext[d] + 1) % maxPending
}

// answered returns the method that the message of direction d answers,
// NoMethod when the request was not seen. Miners reuse ids (minerd sends every
// share as 4), so the oldest request of that id is taken, and forgotten.
func (s *Session) answered(d packet.Dir, m *Message) Method {
	id := m.Top.Get(KeyID)
	if id.Kind == Absent || id.Kind == Null {
		return NoMethod
	}
	h := hash(m.Text(id))
	d = d.Reverse()
	w := &s.wait[d]
	for i := range uint8(maxPending) {
		p := &w[(s.waitNext[d]+i)%maxPending]
		if p.method != NoMethod && p.id == h {
			method := p.method
			p.method = NoMethod
			return method
		}
	}
	return NoMethod
}

// hash is FNV-1a.
func hash(t []byte) uint32 {
	h := uint32(2166136261)
	for _, c := range t {
		h = (h ^ uint32(c)) * 16777619
	}
	return h
}
