package match

import (
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/match/inspect"
	"github.com/yamori-net/yamori/internal/match/mpm"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/rules"
)

// Set is a compiled set of rules. It is immutable and safe for any number of
// Workers.
type Set struct {
	rules []rule
	meta  []Meta
	arena *inspect.Arena
	stats Stats
	gen   uint32 // counts the sets that follow one another, from 1

	partial  bool           // MaxMemory was exceeded
	data     map[string]any // data sets by name
	prevData map[string]any // those of the set before, while compiling
	trace    *Trace         // nil: no rule is followed

	protocols []proto.Protocol
	buffers   []string // names by buffer number
	chains    []chain  // transforms by number; 0 is none

	ipOnly   ipIndex
	pdOnly   []uint32
	events   map[eventKey][]uint32
	packets  [nL4]packetGroup
	streams  [2]streamGroup     // by direction
	ends     [2]uint64          // by direction: the protocols whose messages end a piece of the stream
	txs      [][2]txGroup       // by protocol and direction
	fileKind []fileKind         // by buffer
	get      [][2][]getter      // by protocol, direction and buffer
	names    *names             // of flowbits and the like
	hosts    *Hosts             // shared by the workers
	sizes    struct{ bits int } // number of flowbits
	links    []uint32           // rules on frames without IP
	odd      oddRules
}

// eventKey is a violation a parser tells of.
type eventKey struct{ app, name string }

type getter = func(proto.Tx, int) ([]byte, bool)

// Meta is what an alert says about its rule.
type Meta struct {
	event.Rule
	Action rules.Action
	Kind   Kind
	File   string
	Line   int
}

// Stats counts the rules of a Set by how they are inspected.
type Stats struct {
	Loaded, Failed int
	IPOnly         int // by addresses alone, once a flow and direction
	ProtoOnly      int // by the protocol recognised, once a flow and direction
	Packet         int // header or payload of single packets
	Stream         int // reassembled streams
	App            int // transactions
	Event          int // by events of decoder or parsers
	Inert          int // inspect a buffer that no protocol here provides
	Memory         int // bytes of compiled programs and filters
}

// Stats returns the counts of the load.
func (s *Set) Stats() Stats { return s.stats }

// Len returns the number of rules.
func (s *Set) Len() int { return s.stats.Loaded }

// l4 numbers the kinds of packets that have groups of their own.
const (
	l4TCP = iota
	l4UDP
	l4ICMP
	l4ICMPv6
	l4Other
	nL4
)

func l4Of(p uint8) int {
	switch p {
	case packet.ProtoTCP:
		return l4TCP
	case packet.ProtoUDP:
		return l4UDP
	case packet.ProtoICMP:
		return l4ICMP
	case packet.ProtoICMPv6:
		return l4ICMPv6
	}
	return l4Other
}

// Bits of rule.on: kinds of packets, then IP versions.
const (
	onTCP    = 1 << l4TCP
	onUDP    = 1 << l4UDP
	onICMP   = 1 << l4ICMP
	onICMPv6 = 1 << l4ICMPv6
	onOther  = 1 << l4Other
	onAll    = 1<<nL4 - 1
	onV4     = 1 << 6
	onV6     = 1 << 7
)

// Flags of a rule.
const (
	toServer     = 1 << iota // only packets of the client
	toClient                 // only packets of the server
	needFlow                 // any flow keyword: no packet outside of flows
	established              // flow:established
	notEstablish             // flow:not_established
	onlyStream               // never single packets of TCP
	noStream                 // never the stream
	onlyFrag
	noFrag
	needPacket // its payload options look at packets
	needStream // its payload options look at the stream of TCP
	noAlert
	flowAction // pass and drop concern the whole flow
	isTx       // inspected by transaction
	hasSize    // dsize: no packet without payload length
	withAlert  // a pass rule that is told of
	swapped    // the second half of a <> rule
	traced     // see Trace
	wholeTx    // =>: buffers of both sides of a transaction
	byPiece    // where a piece of a stream begins, or what it lacks, matters to it
	lacks      // what a piece of a stream lacks matters to it
	ofRequest  // asks for a violation of HTTP in what the client sends
	ofResponse // or in what the server does
)

// rule is one compiled rule. A rule with <> stands twice, its ends swapped.
type rule struct {
	src, dst *rules.AddrSet
	sp, dp   *rules.PortSet
	conds    []cond
	payload  *inspect.Program
	bufs     []bufCheck
	posts    []post
	thr      *threshold
	apps     uint64 // by number of protocol; 0: any
	flags    uint32
	meta     uint32
	on       uint8
	action   rules.Action
	vars     bool // byte variables are shared by several programs
	hasApps  bool // apps counts even when it is 0
}

// cond is a condition on packet and flow, post what a match changes.
type (
	cond func(c *ctx) bool
	post func(c *ctx)
)

// bufCheck inspects one buffer of a transaction.
type bufCheck struct {
	prog  *inspect.Program // nil: the buffer must be there
	buf   uint16
	chain uint16
	side  uint8 // of a rule with =>: sideServer or sideClient
	neg   bool  // absence is a match too
}

// packetGroup holds the rules inspected for every packet of a kind.
type packetGroup struct {
	payload [2]prefilter // by direction
	always  portIndex
	syn     portIndex // the same of rules on packets with the SYN flag
	addrs   ipIndex   // rules that name few addresses
}

// streamGroup holds the rules on streams of one direction.
type streamGroup struct {
	filter prefilter
	always portIndex
	n      int
}

// txGroup holds the rules on transactions of one protocol and direction.
type txGroup struct {
	bufs   []txFilter
	always []uint32 // no pattern to filter by
	n      int
}

// txFilter is the prefilter on one buffer.
type txFilter struct {
	get    getter
	kind   fileKind
	filter *mpm.Filter
	names  *mpm.NameSet
	chain  uint16
}
