// Package nfqueue takes packets in line from the kernel's packet filter
// (NFQUEUE) and answers each with a verdict. The netlink code is its own:
// nothing is allocated per packet, verdicts of ordinary packets go out in
// batches, and one system call takes many packets.
//
// # What the kernel is asked for
//
// Whole packets, super-segments included (NFQA_CFG_F_GSO): without it each
// 64 kB segment is cut into frames and queued one by one, which halves the
// throughput of a gateway or worse. NFQA_CFG_F_FAIL_OPEN: when the queue is
// full packets pass uninspected. The rule that fills the queue should say
// --queue-bypass (nft: queue … bypass), so that packets pass when nobody
// listens. What passed unseen is counted, see Stats.Dropped.
//
// # Verdicts
//
//	no opinion, accept of a packet   the packet goes on
//	accept of a flow                 … with Marks.Release set, for the kernel to
//	                                 save in the connection: the flow is not
//	                                 queued again, but for what ends it
//	accept of a side, and back       … the same with Marks.Side and Marks.Back
//	                                 for one direction of the flow
//	drop of a packet                 the packet is gone
//	drop of a flow                   with Marks.Cut, for the chain to save and to
//	                                 drop; without the packet is gone, and so must
//	                                 be the rest
//	reject                           as drop, and Config.Reject is called, which
//	                                 tells both ends
//
// A packet that gets a mark goes through the chain that queued it again
// (NF_REPEAT): that chain must act on the marks, and never queue what has one. So
// nothing else needs to look at every packet after its verdict.
//
// A batch is a verdict for all packets up to a number, so a packet that is not
// simply accepted closes the batch before it. No packet waits for a batch: what
// one system call brought is answered before the next.
package nfqueue

import (
	"errors"
	"fmt"
	"time"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/verdict"
)

// ErrPermission is wrapped by the error of Open when the process lacks
// CAP_NET_ADMIN.
var ErrPermission = errors.New("not permitted to take packets in line")

// ErrBusy is wrapped by the error of Open when another program holds the queue.
var ErrBusy = errors.New("the queue is taken by another program")

// ErrUnsupported is wrapped by the error of Open where there is no NFQUEUE.
var ErrUnsupported = errors.New("taking packets in line needs Linux with nfnetlink_queue")

// Marks are bits of the packet mark that belong to the program. Other bits stay
// as they are. A zero bit is not used.
type Marks struct {
	Release uint32 // this flow need not be seen again
	Cut     uint32 // this flow is to be dropped
	Side    uint32 // this direction of the flow need not be seen
	Back    uint32 // … and now it is to be seen again
}

// loose is the mark by which what an accepting verdict covers is let go of, or
// taken back; 0: it covers the packet alone, or there is no mark.
func (m *Marks) loose(v verdict.Verdict) uint32 {
	if v.Action != verdict.Accept {
		return 0
	}
	switch v.Scope {
	case verdict.Flow:
		return m.Release
	case verdict.Side:
		return m.Side
	case verdict.Back:
		return m.Back
	}
	return 0
}

func (m *Marks) distinct() bool {
	all := uint32(0)
	for _, b := range [...]uint32{m.Release, m.Cut, m.Side, m.Back} {
		if all&b != 0 {
			return false
		}
		all |= b
	}
	return true
}

// Config says which queue. Zero fields get the defaults.
type Config struct {
	Queue  uint16
	Length uint32 // packets that may wait in the kernel; DefaultLength
	Range  uint32 // bytes of a packet that are handed over; MaxRange
	Buffer int    // receive buffer of the socket in bytes; DefaultBuffer
	Marks  Marks

	// Reject is called for packets whose sender is to be told, before the
	// verdict is given. The frame is valid during the call.
	Reject func(f *packet.Frame)

	// FD is a netlink socket for netfilter that a privileged process opened and
	// handed over; 0: open one.
	FD int

	// Handover, if set, is a queue that a privileged process bound (see Bind).
	Handover *Handover
}

// Handover is what a process without privileges needs for a queue. The kernel
// asks for CAP_NET_ADMIN with every message it is sent, so the packets are read
// from the kernel's socket, but the verdicts go by way of the process that bound
// the queue; it checks them with OnlyVerdicts.
type Handover struct {
	Socket   int // that Bind returned
	Verdicts int // a socket that keeps messages apart, to the process that sends them on
	Table    int // the kernel's list of queues, open for reading; -1: none
}

// ErrAlone is wrapped by the error of Run when the process that sends the
// verdicts on is gone.
var ErrAlone = errors.New("the process that answers the kernel is gone")

// Limits and times.
const (
	// DefaultLength is 8,192 packets, the kernel's own default times eight: at
	// 100,000 packets a second a pause of 80 ms fills it.
	DefaultLength = 8192
	MaxRange      = 0xffff
	// DefaultBuffer has to hold what the worker has not read: 8 MiB.
	DefaultBuffer = 8 << 20

	// pollTime bounds how long an idle worker sleeps. It is what the heartbeat
	// of a gateway lives by, and must be well below its time-out.
	pollTime = 100 * time.Millisecond

	// batch is how many packets one system call may bring.
	batch = 32
	// slot holds one netlink message: headers, attributes and 64 kB.
	slot = 68 << 10
)

func (c *Config) setDefaults() error {
	if c.Length == 0 {
		c.Length = DefaultLength
	}
	if c.Range == 0 || c.Range > MaxRange {
		c.Range = MaxRange
	}
	if c.Buffer <= 0 {
		c.Buffer = DefaultBuffer
	}
	if !c.Marks.distinct() {
		return fmt.Errorf("nfqueue: the marks %#x share bits", c.Marks)
	}
	return nil
}

// Stats counts what became of the packets.
type Stats struct {
	Packets   uint64 // delivered
	Bytes     uint64
	Accepted  uint64
	Released  uint64 // packets that released their flow, or a side of it
	Recalled  uint64 // packets that took a side back
	Dropped   uint64 // by verdict
	Cut       uint64 // packets that cut their flow
	Rejected  uint64
	Overruns  uint64 // times the kernel said that it could not hand packets over (ENOBUFS)
	Unseen    uint64 // packets that passed because the queue or the socket was full, or the worker late
	Relieved  uint64 // of those, packets that Relieve let pass
	Waiting   uint64 // packets in the kernel now
	Truncated uint64 // packets of which only a part was handed over
	Malformed uint64 // messages that could not be read
	Unsent    uint64 // verdicts that could not be sent
}
