// Package enforce keeps the program's rules in the kernel's packet filter:
// which packets go to the queues, which flows are let go of or cut, what is
// blocked, paused or in quarantine and for how long. It is the mechanism; who
// is blocked and why is decided elsewhere.
//
// # What it touches
//
// The table "yamori" of the families inet and, where the kernel has it, bridge;
// where the kernel has neither nft's "queue" nor nft_compat, by which the target of
// iptables serves in our own table, also a chain YAMORI in the mangle tables of
// iptables, with one jump to it from each of FORWARD, INPUT and OUTPUT. Nothing
// else: the rules of others are neither read nor changed.
//
// # Fail open
//
// Packets go to the queues only while the set "alive" holds an element that
// expires within Config.Timeout. Heart refreshes it as long as every worker
// has taken its turn; whatever stops the program or one of its workers lets
// the element expire, and packets pass by. Blocks that the owner asked for, and
// quarantine, are sets with time-outs of their own and go on.
package enforce

import (
	"errors"
	"fmt"
	"math/bits"
	"net"
	"net/netip"
	"time"
)

// ErrPermission is wrapped when the process may not change the rules.
var ErrPermission = errors.New("not permitted to change the packet filter")

// ErrUnsupported is wrapped when the kernel or the system lacks what is needed;
// the text names it and the cure.
var ErrUnsupported = errors.New("the packet filter cannot do it")

// Marks are the program's five bits of the packet mark and the connection
// mark. All other bits stay as they are.
type Marks struct {
	Queue   uint32 // this packet goes to a queue; on the packet only, and taken off again
	Release uint32 // the flow is let go of
	Cut     uint32 // the flow is dropped
	// Side on a packet lets go of its direction of the flow, Back takes that back.
	// On the connection they are the direction that is let go of: Side the
	// answering one, Back the other.
	Side, Back uint32
}

// DefaultMarks keep clear of the bits that mwan3 (0x3f00), Tailscale (0xff0000)
// and container engines (low bits) use.
var DefaultMarks = Marks{Queue: 0x10000000, Release: 0x20000000, Cut: 0x40000000, Side: 0x08000000, Back: 0x04000000}

// Own is the mark of packets that the program itself sends in place of those
// that it stopped: they are not inspected, nor dropped with the flow. It takes
// back that a direction was let go of, which does no harm there.
func (m Marks) Own() uint32 { return m.Back }

func (m Marks) all() uint32 { return m.Queue | m.Release | m.Cut | m.Side | m.Back }

// loose are the bits of a connection of which something is let go of.
func (m Marks) loose() uint32 { return m.Release | m.Side | m.Back }

// distinct reports that each is one bit, and each another.
func (m Marks) distinct() bool {
	all := uint32(0)
	for _, b := range [...]uint32{m.Queue, m.Release, m.Cut, m.Side, m.Back} {
		if bits.OnesCount32(b) != 1 || all&b != 0 {
			return false
		}
		all |= b
	}
	return true
}

// Config says what to set up. Zero fields get the defaults.
type Config struct {
	Queue   uint16 // number of the first queue
	Workers int    // number of queues
	Marks   Marks
	// LAN names the interfaces of the home. Only what enters or leaves by one
	// of them is queued; none: everything that is forwarded.
	LAN []string
	// Local also queues the home's own services on this machine: DNS and the
	// ports where somebody may log in (LocalPorts).
	Local bool
	// Bridge also works on frames that are bridged, through br_netfilter.
	Bridge bool
	// Passive queues nothing: the sets alone act.
	Passive bool
	// Timeout is how long packets are queued after the last heartbeat.
	Timeout time.Duration
	// State is a file that remembers what to restore, under /run.
	State string

	mode string // for tests: the way to the queues; empty: the best there is
}

// Times of the heartbeat.
const (
	// DefaultTimeout is over before TCP repeats a segment for the second time,
	// 600 ms after the first (RFC 6298 with Linux's least time-out of 200 ms).
	DefaultTimeout = 550 * time.Millisecond
	// beatEvery is how often the heart beats: workers take their turn at least
	// every 100 ms.
	beatEvery = 150 * time.Millisecond
)

// LocalPorts are the TCP ports of this machine that are watched with
// Config.Local: names and logins.
var LocalPorts = []uint16{21, 22, 23, 53, 80, 443, 445, 2323, 7547, 8080, 8443}

// DefaultState is where the state file lies: in no folder that a process with
// fewer rights may write.
const DefaultState = "/run/yamori-enforce.json"

func (c *Config) setDefaults() error {
	if c.Marks == (Marks{}) {
		c.Marks = DefaultMarks
	}
	if c.Workers <= 0 {
		c.Workers = 1
	}
	if c.Timeout == 0 {
		c.Timeout = DefaultTimeout
	}
	if c.State == "" {
		c.State = DefaultState
	}
	m := c.Marks
	if !m.distinct() {
		return fmt.Errorf("marks %#x, %#x, %#x, %#x and %#x: give five different bits", m.Queue, m.Release, m.Cut, m.Side, m.Back)
	}
	if int(c.Queue)+c.Workers > 0xffff {
		return fmt.Errorf("queues %d to %d: the last number is 65535", c.Queue, int(c.Queue)+c.Workers-1)
	}
	if c.Timeout < 2*beatEvery || c.Timeout > time.Second {
		return fmt.Errorf("time-out %v: choose between %v and 1s", c.Timeout, 2*beatEvery)
	}
	for _, l := range c.LAN {
		if err := interfaceName(l); err != nil {
			return err
		}
	}
	return nil
}

// interfaceName checks a name before it is written into a rule
// (dev_valid_name in the kernel, and nothing that ends a string).
func interfaceName(s string) error {
	if s == "" || len(s) > 15 || s == "." || s == ".." {
		return fmt.Errorf("%q is no name of an interface", s)
	}
	for _, r := range s {
		if r <= ' ' || r > '~' || r == '/' || r == ':' || r == '"' || r == '\\' || r == '*' {
			return fmt.Errorf("%q is no name of an interface", s)
		}
	}
	return nil
}

// Kind is what is done to a target.
type Kind string

// Kinds.
const (
	// Block drops what goes to or comes from an address outside.
	Block Kind = "block"
	// Pause drops everything a device sends to other networks.
	Pause Kind = "pause"
	// Quarantine lets a device reach this machine and the allowed hosts only.
	Quarantine Kind = "quarantine"
	// Cut ends one flow: packets of TCP are answered with resets where the
	// kernel can, others are dropped. It asks no never-block list.
	Cut Kind = "cut"
)

// Entry is one thing that is done. For a Block: Net, with Proto and Port for
// one service, with MAC for one device alone (single addresses only); a service
// for one device is refused with resets where the kernel can. For Pause and
// Quarantine: MAC. For a Cut: Proto, From and To, as the packets that are
// forwarded have them.
type Entry struct {
	Kind     Kind
	MAC      net.HardwareAddr
	Net      netip.Prefix // a single address has all bits
	Proto    uint8        // of Port: 6 or 17
	Port     uint16
	From, To netip.AddrPort
	For      time.Duration // how long; 0: until it is deleted or the table is removed
}

// check says what is wrong with e.
func (e *Entry) check() error {
	bad := func(why string) error { return fmt.Errorf("%s of %s: %s", e.Kind, e.target(), why) }
	switch {
	case e.For < 0:
		return bad("the time is over")
	case e.MAC != nil && len(e.MAC) != 6:
		return bad("a hardware address has six bytes")
	case e.Kind == Cut:
		a, b := e.From.Addr(), e.To.Addr()
		switch {
		case e.MAC != nil || e.Net.IsValid() || e.Port != 0:
			return bad("name its two ends, and nothing else")
		case !a.IsValid() || !b.IsValid() || a.Is4() != b.Is4() || a.Zone() != "" || b.Zone() != "" || a.Is4In6() || b.Is4In6():
			return bad("name two addresses of one family")
		case e.Proto == 0:
			return bad("name its protocol")
		}
	case e.From.IsValid() || e.To.IsValid():
		return bad("only what is cut has two ends")
	case e.Kind == Pause || e.Kind == Quarantine:
		if e.MAC == nil || e.Net.IsValid() || e.Port != 0 {
			return bad("name a device by its hardware address, and nothing else")
		}
	case e.Kind != Block:
		return bad("is not known")
	case !e.Net.IsValid() || e.Net.Addr().Zone() != "" || e.Net.Addr().Is4In6():
		return bad("name an address or a network")
	case e.Net.Bits() == 0:
		return bad("this is the whole internet; pause the devices instead")
	case e.Port != 0 && e.Proto != 6 && e.Proto != 17:
		return bad("a port needs TCP or UDP")
	case (e.Port != 0 || e.MAC != nil) && !e.Net.IsSingleIP():
		return bad("a port, or a device, goes with a single address")
	}
	return nil
}

func (e *Entry) target() string {
	switch {
	case e.Kind == Cut:
		return e.From.String() + " to " + e.To.String()
	case e.Net.IsValid() && e.Port != 0 && e.MAC != nil:
		return fmt.Sprintf("%s to %s port %d", e.MAC, e.Net, e.Port)
	case e.Net.IsValid() && e.Port != 0:
		return fmt.Sprintf("%s port %d", e.Net, e.Port)
	case e.Net.IsValid() && e.MAC != nil:
		return e.MAC.String() + " to " + e.Net.String()
	case e.Net.IsValid():
		return e.Net.String()
	}
	return e.MAC.String()
}

// Active is an entry in the kernel.
type Active struct {
	Entry
	Left time.Duration // 0: until it is deleted
}

// Counters of what was dropped, and by which kind of rule.
type Counters struct {
	Cut, Blocked, Paused, Quarantined uint64 // packets
	Queued                            uint64 // packets sent to the queues
	Passed                            uint64 // packets that passed by because no heart beat
	Uninspected                       uint64 // frames on the bridge that cannot be inspected: no IP, or tags within tags
}

// Beater is what a Heart beats: a Table, or one in another process.
type Beater interface {
	Beat() error // packets are queued for another Config.Timeout
	Rest() error // packets pass by at once
}
