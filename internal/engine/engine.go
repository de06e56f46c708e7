// Package engine is the way of a packet: decode, flow, stream, protocol,
// inline detectors, verdict. One worker is one goroutine with its own tables
// and scratch memory; workers share nothing that is written on the packet's
// way.
package engine

import (
	"fmt"
	"net/netip"
	"sync/atomic"

	"github.com/yamori-net/yamori/internal/detect"
	"github.com/yamori-net/yamori/internal/device"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/evidence"
	"github.com/yamori-net/yamori/internal/files"
	"github.com/yamori-net/yamori/internal/match"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/policy"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/reassembly"
)

// Limits of what one flow may hold or cause. Those that depend on the size of
// the machine are in Config.
const (
	// ProbeLimit is how many bytes of one direction are looked at before a
	// stream counts as not recognised: a TLS ClientHello with post-quantum key
	// shares is about 1,800 bytes, and a probe needs only its start.
	ProbeLimit = 2048
	// ProbeDatagrams is the same for datagrams and carried messages.
	ProbeDatagrams = 8
	// MaxSwitches bounds protocols within protocols (SOCKS in CONNECT in …).
	MaxSwitches = 4
	// MaxFlowAnomalies bounds the anomaly events of one flow.
	MaxFlowAnomalies = 8
	// MaxDatagramErrors is how many datagrams of a flow may be malformed
	// before it is not parsed further.
	MaxDatagramErrors = 8
	// maxRounds bounds how often one packet can make the two directions' held
	// bytes wake each other.
	maxRounds = 16
)

// Config says what the engine is made of.
type Config struct {
	Protocols []proto.Protocol
	Detectors []detect.Detector
	Workers   int // at least 1

	MaxFlows     int    // per worker; default 65,536
	StreamMemory int    // bytes per worker held out of order; default 16 MiB
	HeldMemory   int    // bytes per worker held for incomplete messages; default 16 MiB
	ParserMemory int    // bytes per worker that parsers may hold (see proto.Sizer), one flow a 16th; default 32 MiB
	MaxConns     int    // flows per worker whose content is looked into at a time; default 16,384
	FragMemory   int    // bytes per worker held as IP fragments; default 4 MiB
	StreamDepth  uint64 // bytes per direction that are parsed; 0: no bound
	Policy       reassembly.Policy
	HostPolicies []HostPolicy // of receivers that differ; the narrowest prefix counts
	FragPolicy   packet.OverlapPolicy

	// HomeNet lists the home's own addresses; empty: private ones.
	HomeNet []netip.Prefix

	// Rules are inspected when set. They must have been compiled for the same
	// Protocols. RulesMidstream also inspects streams whose start was not seen,
	// RulesPassMidstream lets them pass, and leaves their transactions out of the
	// events.
	Rules              *match.Set
	RulesMidstream     bool
	RulesPassMidstream bool
	// AlertPayload lets alerts of rules tell the payload and the packet that
	// they were found in, of streams the last 4 KiB; MaxAlerts is how many alerts
	// of one packet are told, 0: match.MaxAlerts.
	AlertPayload bool
	MaxAlerts    int
	// Inline says that the verdicts are carried out: alerts of rules that drop
	// say "blocked", and dropped packets have events of their own.
	Inline bool
	// Judge has the last word on what findings and rules stop, and says what
	// the owner blocks; nil, or holding none: rules drop as they say, findings
	// stop nothing.
	Judge *policy.Handle
	// Evidence makes a small capture for each finding; nil: none. It is to be
	// closed after the engine.
	Evidence *evidence.Collector

	// Events names the event types that are wanted besides alerts; nil: none.
	// An event that is not wanted costs nothing.
	Events []event.Type
	// Files says what is found out about files, see files.Config. Files are
	// followed when it wants anything, or when Events names event.FileInfo.
	Files files.Config
	// Flows asks for a flow event at the end of each flow.
	Flows bool
	// NumberPackets numbers events by packet (pcap_cnt), for replays.
	NumberPackets bool
	Iface         string // named in events of live capture

	// Sink returns the receiver of worker i's events; nil: events are dropped.
	Sink func(i int) event.Sink
	// Seed keys the hash of the flow tables: secret, so that nobody can choose
	// addresses that collide.
	Seed uint64
	// Now is the clock for idle ticks of live capture; nil in a replay, which
	// lives by the packets' time alone.
	Now func() int64
	// MaxStep is the longest step of time that ages flows (see flow.Config):
	// set it for live capture, where a longer one is a clock being set.
	MaxStep int64
	// Observer returns who watches worker i's traffic for what it tells about
	// devices; nil: nobody. With Refs set the list of devices is kept
	// elsewhere: Refs names the device of a MAC and an address for findings,
	// from any worker, and Devices returns nothing.
	Observer func(i int) Observer
	Refs     func(m packet.MAC, ip packet.Addr) event.DeviceRef
	// OnPanic is told of a panic on the packet's way, which costs only the flow.
	OnPanic func(value any, stack []byte)
}

// HostPolicy says what the hosts of a prefix make of overlapping segments that
// they receive.
type HostPolicy struct {
	Prefix netip.Prefix
	Policy reassembly.Policy
}

// policyFor returns what a receiver makes of overlapping segments.
func (c *Config) policyFor(to packet.Addr) reassembly.Policy {
	policy, bits := c.Policy, -1
	if len(c.HostPolicies) == 0 {
		return policy
	}
	ip := to.Netip()
	for _, h := range c.HostPolicies {
		if h.Prefix.Bits() > bits && h.Prefix.Contains(ip) {
			policy, bits = h.Policy, h.Prefix.Bits()
		}
	}
	return policy
}

// Engine holds the workers.
type Engine struct {
	cfg     Config
	tcp     protoTable
	udp     protoTable
	msg     protoTable
	byName  map[string]int // index in cfg.Protocols
	Workers []*Worker
	expects expectations
	rules   atomic.Pointer[match.Change] // the latest Swap; nil: none yet
	asking  chan struct{}                // held while LiveFlows waits
}

// New builds an engine. The error names a protocol table that cannot work.
func New(cfg Config) (*Engine, error) {
	cfg.setDefaults()
	e := &Engine{cfg: cfg, byName: map[string]int{}, asking: make(chan struct{}, 1)}
	for i := range cfg.Protocols {
		p := &cfg.Protocols[i]
		if p.Name == "" || p.New == nil {
			return nil, fmt.Errorf("engine: protocol %d (%q) has no name or no parser", i, p.Name)
		}
		if _, dup := e.byName[p.Name]; dup {
			return nil, fmt.Errorf("engine: protocol %q is listed twice", p.Name)
		}
		e.byName[p.Name] = i
	}
	for _, t := range []struct {
		table *protoTable
		on    proto.Transport
	}{{&e.tcp, proto.TCP}, {&e.udp, proto.UDP}, {&e.msg, proto.Message}} {
		if err := t.table.build(cfg.Protocols, t.on); err != nil {
			return nil, err
		}
	}
	e.cfg.Files.Want |= filesFor(cfg.Rules)
	for i := range cfg.Workers {
		e.Workers = append(e.Workers, newWorker(e, i))
	}
	return e, nil
}

func (c *Config) setDefaults() {
	def := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	def(&c.Workers, 1)
	def(&c.MaxFlows, 65536)
	def(&c.StreamMemory, 16<<20)
	def(&c.HeldMemory, 16<<20)
	def(&c.ParserMemory, 32<<20)
	def(&c.MaxConns, 16384)
	def(&c.FragMemory, 4<<20)
}

// Close ends all flows and reports them. The workers must have stopped.
func (e *Engine) Close() {
	for _, w := range e.Workers {
		w.Close()
	}
	e.emitStats()
}

// Stats adds up the workers' latest snapshots.
func (e *Engine) Stats() Stats {
	var s Stats
	for _, w := range e.Workers {
		s.add(w.Snapshot())
	}
	return s
}

// Devices lists what the workers saw in the home, merged, oldest first.
func (e *Engine) Devices() []device.Device {
	var inv []*device.Inventory
	for _, w := range e.Workers {
		inv = append(inv, w.devices)
	}
	return device.Merge(inv...)
}

// protoTable is the list of candidates of one transport. Bit i of a candidate
// mask stands for list[i].
type protoTable struct {
	list []*proto.Protocol
	idx  []int // index in Config.Protocols
	hint map[uint16]uint64
	all  uint64
}

// maxCandidates is the width of a candidate mask.
const maxCandidates = 64

func (t *protoTable) build(ps []proto.Protocol, on proto.Transport) error {
	t.hint = map[uint16]uint64{}
	for i := range ps {
		p := &ps[i]
		if p.On&on == 0 || p.Probe == nil {
			continue
		}
		n := len(t.list)
		if n == maxCandidates {
			return fmt.Errorf("engine: more than %d protocols on one transport", maxCandidates)
		}
		t.list = append(t.list, p)
		t.idx = append(t.idx, i)
		t.all |= 1 << n
		for _, port := range p.Ports {
			t.hint[port] |= 1 << n
		}
	}
	return nil
}

// hints returns the candidates that name one of the two ports.
func (t *protoTable) hints(a, b uint16) uint64 { return t.hint[a] | t.hint[b] }
