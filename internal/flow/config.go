package flow

import (
	"time"
	"unsafe"
)

// Config sets up a Table. Zero fields get the defaults.
type Config struct {
	MaxFlows int    // most flows at a time; DefaultMaxFlows
	Seed     uint64 // secret of the hash; take a random one for live traffic

	// OnEnd is told of every flow that leaves. The flow is valid during the
	// call; what hangs in its App must be taken back here. It must not call
	// the table.
	OnEnd func(*Flow, Reason)

	// Checksums says that packets are as they were sent, so that one of TCP whose
	// checksum is wrong reaches nobody. A sender whose SYN had no right one is
	// believed: its sums may be left for a network card that is yet to come.
	Checksums bool

	Timeouts  Timeouts // DefaultTimeouts
	Emergency Timeouts // once the table was full, until it has room again; EmergencyTimeouts

	// MaxStep is the longest step forward between two times that is time
	// passing; a longer one is a clock being set and ages no flow. Live
	// capture, which ticks every second, wants a minute or so. Zero, for
	// replays: every step is time passing.
	MaxStep int64 // ns
}

// Timeouts says how long a flow may be idle, in nanoseconds. A value is
// bounded to MaxTimeout; zero takes the default. Flows end up to one second
// later.
type Timeouts struct {
	TCPNew, TCPEstablished, TCPClosed int64
	UDPNew, UDPEstablished            int64
	OtherNew, OtherEstablished        int64 // ICMP and all else
}

// Defaults and bounds.
const (
	DefaultMaxFlows = 1 << 16
	MaxTimeout      = int64(24 * time.Hour)

	// emergencyLeave is how many tenths of MaxFlows may be in use when an
	// emergency ends.
	emergencyLeave = 7
)

const second = int64(time.Second)

// DefaultTimeouts are those a stock Suricata uses, apart from TCPClosed: there
// zero, here long enough for the last retransmissions to find their flow.
func DefaultTimeouts() Timeouts {
	return Timeouts{
		TCPNew: 60 * second, TCPEstablished: 600 * second, TCPClosed: 10 * second,
		UDPNew: 30 * second, UDPEstablished: 300 * second,
		OtherNew: 30 * second, OtherEstablished: 300 * second,
	}
}

// EmergencyTimeouts are short where a flood shows, in flows without an answer.
// Established TCP keeps half its time: slow talkers must not be lost to a
// flood that somebody may send for just that.
func EmergencyTimeouts() Timeouts {
	return Timeouts{
		TCPNew: 10 * second, TCPEstablished: 300 * second, TCPClosed: 1 * second,
		UDPNew: 10 * second, UDPEstablished: 100 * second,
		OtherNew: 10 * second, OtherEstablished: 100 * second,
	}
}

// BytesPerFlow is what one flow costs: its entry and its share of the hash
// buckets (a power of two, at most two a flow). MaxFlows times this bounds the
// table.
const BytesPerFlow = int(unsafe.Sizeof(Flow{})) + 16

func (c Config) withDefaults() Config {
	if c.MaxFlows <= 0 {
		c.MaxFlows = DefaultMaxFlows
	}
	c.Timeouts = c.Timeouts.or(DefaultTimeouts())
	c.Emergency = c.Emergency.or(EmergencyTimeouts())
	c.MaxStep = max(c.MaxStep, 0)
	return c
}

func (t Timeouts) or(d Timeouts) Timeouts {
	pick := func(v, def int64) int64 {
		if v <= 0 {
			v = def
		}
		return min(v, MaxTimeout)
	}
	return Timeouts{
		TCPNew:           pick(t.TCPNew, d.TCPNew),
		TCPEstablished:   pick(t.TCPEstablished, d.TCPEstablished),
		TCPClosed:        pick(t.TCPClosed, d.TCPClosed),
		UDPNew:           pick(t.UDPNew, d.UDPNew),
		UDPEstablished:   pick(t.UDPEstablished, d.UDPEstablished),
		OtherNew:         pick(t.OtherNew, d.OtherNew),
		OtherEstablished: pick(t.OtherEstablished, d.OtherEstablished),
	}
}

func (t Timeouts) byQueue() [nQueues]int64 {
	return [nQueues]int64{
		qTCPFirst: t.TCPNew, qTCPNew: t.TCPNew, qTCPEst: t.TCPEstablished, qTCPClosed: t.TCPClosed,
		qUDPFirst: t.UDPNew, qUDPNew: t.UDPNew, qUDPEst: t.UDPEstablished,
		qOtherFirst: t.OtherNew, qOtherNew: t.OtherNew, qOtherEst: t.OtherEstablished,
	}
}
