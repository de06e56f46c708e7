// Package proto fixes what an application protocol is to the engine: how it is
// recognised by content on any port, how its bytes become transactions, and
// which buffers of them rules may inspect. Each protocol lives in a folder of
// its own below this one and exports one value of type Protocol.
package proto

import (
	"strconv"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
)

// Transport is a set of the ways in which bytes reach a parser.
type Transport uint8

// Transports.
const (
	TCP     Transport = 1 << iota // a reassembled byte stream in each direction
	UDP                           // datagrams
	Message                       // whole messages inside another protocol, such as WebSocket payloads
)

// Match is what a probe thinks of the first bytes of a direction.
type Match uint8

// Match values.
const (
	No   Match = iota // not this protocol
	More              // could be; the bytes so far are a proper prefix: ask again with more
	// Weak means plausible but not telling. It is enough on one of the
	// protocol's own ports, or when both directions are at least Weak.
	Weak
	Yes // this protocol, on whatever port
)

// Protocol describes one application protocol. It is a constant table: all
// state is in the parsers.
type Protocol struct {
	Name  string // as in app_proto, lower case, Suricata's name where it has one
	Doc   string // one line
	On    Transport
	Ports []uint16 // usual server ports: a hint for Weak matches, never a condition

	// Limit bounds the bytes held back for one direction: what Parse has not
	// consumed yet. Zero means DefaultLimit. When a message is longer the
	// flow gets the anomaly "limit" and is not parsed further.
	Limit int

	// Probe judges the first bytes of direction d: of the stream so far, of
	// one datagram or of one message. It must be pure, quick, and right on
	// every input. The engine may ask about a direction that later turns out
	// to be the other one (a flow picked up midstream).
	Probe func(d packet.Dir, b []byte) Match

	// New makes a parser. The engine reuses parsers through Reset.
	New func() Parser

	// Event is the EVE event_type of the protocol's transactions; empty when
	// it logs none.
	Event event.Type

	// Buffers lists what rules may inspect.
	Buffers []Buffer
}

// DefaultLimit is the bound of held-back bytes per direction when a Protocol
// names none.
const DefaultLimit = 16 << 10

// Parser turns the bytes of one flow into transactions. It is used by one
// goroutine and keeps no reference to data after a call.
type Parser interface {
	// Parse is given the unconsumed bytes of direction d: on a stream all of
	// them in order, with new ones at the end; else one datagram or message.
	// It returns how many it has consumed (a stream's rest is kept and offered
	// again together with what follows; a datagram's is dropped). An error
	// means that the flow cannot be understood any more: the engine reports
	// it as an anomaly and stops parsing the flow.
	Parse(c *Conn, d packet.Dir, data []byte) (n int, err error)

	// Gap says that n bytes of direction d are lost at this point, after the
	// unconsumed bytes, which are gone as well. Returning an error stops the
	// parsing of the flow quietly; Switch works as in Parse.
	Gap(c *Conn, d packet.Dir, n int) error

	// End says that no more bytes will come: transactions still open are
	// emitted as done.
	End(c *Conn)

	// Reset makes the parser as new, keeping its memory where that is bounded.
	Reset()
}

// Sizer is implemented by parsers that keep memory which a peer can grow. The
// engine adds the sizes of all its parsers up and gives flows up before they
// exceed its budget.
type Sizer interface {
	// Size returns the bytes held beyond the parser's fixed size, including
	// what it borrowed from pools. It is called after each Parse and must be
	// cheap.
	Size() int
}

// Bulk is implemented by parsers of protocols in which one message may be long
// and nobody looks at most of it.
type Bulk interface {
	// Bulk returns how many bytes of direction d, from the next one on, neither
	// the parser nor who listens to it will look at, whatever they are, as long as
	// the other direction is silent; zero: all are looked at.
	// math.MaxInt64: until the other direction speaks.
	Bulk(d packet.Dir) int64
	// Pass says that n of them, at most as many as Bulk said, went by unseen.
	Pass(c *Conn, d packet.Dir, n int)
}

// MaxTarget bounds the name of a proxy's target: a domain name, a colon and a
// port.
const MaxTarget = 255 + 6

// Tx is one transaction: a message or a request with its answer. The value
// belongs to the parser and is valid only during the call that emits it.
type Tx interface {
	// EventType is the EVE event_type ("tls"), or "" when the transaction is
	// for detectors and rules only.
	EventType() event.Type
	// EncodeEVE appends the member for the event ("tls":{…}).
	EncodeEVE(e *event.Encoder)
}

// Buffer is one named piece of a transaction that rules may inspect, under
// Suricata's name of the sticky buffer.
type Buffer struct {
	Name string // "tls.sni"
	Doc  string
	Dir  packet.Dir // who sends it
	// Get returns the i-th instance of the buffer in tx; callers count i up
	// from zero until ok is false. It must not allocate; the bytes are valid
	// as long as tx.
	Get func(tx Tx, i int) (b []byte, ok bool)
}

// Conn is a parser's view of the flow it works on. The engine owns it.
type Conn struct {
	Time       int64 // of the packet being parsed, ns since the Unix epoch
	Transport  Transport
	ClientPort uint16
	ServerPort uint16
	Client     packet.Addr
	Server     packet.Addr
	Midstream  bool // the start of the stream was not seen

	// AppProto is the name for the flow record. The engine sets it to the
	// protocol's name; a parser may refine it once it knows better.
	AppProto string

	// OnTx receives transactions, OnMessage carried messages, OnAnomaly the
	// names of protocol violations. The engine sets all three.
	OnTx      func(tx Tx, done bool)
	OnMessage func(d packet.Dir, msg []byte)
	OnAnomaly func(name string)

	// WantFiles says that somebody listens to files: without it a parser need
	// not find them. OnFile receives them, see OpenFile. The engine sets both.
	WantFiles bool
	OnFile    func(f *File)

	// OnExpect receives what Expect announces; the engine sets it. Expected is
	// what was announced of this flow, nil for most flows.
	OnExpect func(x *Expected)
	Expected *Expected

	target   []byte
	files    uint32 // opened so far
	next     string
	switched bool
	finished bool
	wake     bool
}

// Emit hands over a transaction: each time there is something new in it to
// inspect, and with done set exactly once, when it is complete (or the flow
// ends); then it is also logged.
func (c *Conn) Emit(tx Tx, done bool) { c.OnTx(tx, done) }

// Carry hands over one whole message of a protocol carried inside this one, to
// be identified and parsed on its own (On: Message).
func (c *Conn) Carry(d packet.Dir, msg []byte) { c.OnMessage(d, msg) }

// Anomaly reports a violation of the protocol that does not stop parsing, by a
// short stable name in snake_case.
func (c *Conn) Anomaly(name string) { c.OnAnomaly(name) }

// Switch says that what follows the bytes consumed by this call, in both
// directions, is another protocol: the named one, or with "" whatever its
// content says (a proxy's tunnel). The parser is ended after the call. Of a
// datagram, what the parser did not consume goes to the new protocol at once.
// Bytes of the other direction that the parser left unconsumed go to the new
// protocol as well, so a parser that waits for an answer before it switches
// leaves the peer's early bytes unconsumed.
func (c *Conn) Switch(name string) { c.next, c.switched = name, true }

// SetTarget notes what a proxy was asked for, before the parser of the proxy's
// protocol switches to what is spoken through it. Longer names are cut.
func (c *Conn) SetTarget(host []byte, port uint16) {
	c.target = append(c.target[:0], host[:min(len(host), MaxTarget-6)]...)
	if port != 0 {
		c.target = append(c.target, ':')
		c.target = strconv.AppendUint(c.target, uint64(port), 10)
	}
}

// TakeTarget makes c's target that of the flow that carries c's messages.
func (c *Conn) TakeTarget(from *Conn) { c.target = append(c.target[:0], from.target...) }

// Target returns the host:port that a proxy was asked for when this flow goes
// through one, empty otherwise. The bytes stay valid until the flow ends.
func (c *Conn) Target() []byte { return c.target }

// Finish says that nothing more can be learnt from this flow's content
// (encrypted from here on): the engine stops reassembling and parsing it.
func (c *Conn) Finish() { c.finished = true }

// Wake asks the engine to offer the other direction's unconsumed bytes once
// more when this call returns: for a parser that made one side wait for the
// other.
func (c *Conn) Wake() { c.wake = true }

// Woken returns and clears what Wake asked for.
func (c *Conn) Woken() bool {
	w := c.wake
	c.wake = false
	return w
}

// Switched returns and clears what Switch asked for.
func (c *Conn) Switched() (name string, ok bool) {
	name, ok = c.next, c.switched
	c.next, c.switched = "", false
	return name, ok
}

// Finished reports whether Finish was called.
func (c *Conn) Finished() bool { return c.finished }

// Reset prepares c for another flow, keeping its callbacks.
func (c *Conn) Reset() {
	*c = Conn{OnTx: c.OnTx, OnMessage: c.OnMessage, OnAnomaly: c.OnAnomaly, OnFile: c.OnFile, OnExpect: c.OnExpect, target: c.target[:0]}
}
