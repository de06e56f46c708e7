// Package dcerpc reads DCE/RPC (C706 "DCE 1.1: Remote Procedure Call",
// [MS-RPCE]): which interface somebody binds to, which of its operations is
// called, and with what arguments. It runs over TCP connections of its own,
// over UDP, and in named pipes, for which smb uses Pipe.
package dcerpc

import (
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// Limits.
const (
	// MaxInterfaces bounds the presentation contexts kept of one association;
	// the oldest are forgotten. Tools that hide a bind among many send fifty.
	MaxInterfaces = 64
	// MaxStub bounds the arguments kept of one call in one direction, which
	// may come in any number of fragments. Names, tokens and what exploits
	// send are far shorter; printing and replication are longer.
	MaxStub = 64 << 10
	// maxPDU is the longest message there can be: its length has 16 bits.
	maxPDU = 1<<16 - 1
	// maxPending is how many calls wait for their answer; the oldest is
	// reported without one.
	maxPending = 16
	// maxKept is how many calls a parser keeps for its next flow, and
	// maxKeptStub how much memory each of them may hold.
	maxKept     = 4
	maxKeptStub = 16 << 10
	// maxLost is how many bytes of a direction are searched for the next
	// message after framing was lost, before giving up.
	maxLost = 1 << 20
)

// Type is the event_type of calls.
const Type event.Type = "dcerpc"

// Protocol is DCE/RPC.
var Protocol = proto.Protocol{
	Name:  "dcerpc",
	Event: Type,
	Doc:   "Windows remote procedure calls (DCE/RPC), over TCP and UDP",
	On:    proto.TCP | proto.UDP,
	Ports: []uint16{135},
	Limit: maxPDU + 1,
	Probe: probe,
	New:   func() proto.Parser { return new(parser) },
	Buffers: Buffers(func(tx proto.Tx) *Call {
		c, _ := tx.(*Call)
		return c
	}),
}

// probe asks for a whole header that makes sense for the direction. Eight of
// its octets have one or two possible values each.
func probe(d packet.Dir, b []byte) proto.Match {
	if len(b) == 0 {
		return proto.More
	}
	if b[0] == 4 {
		return probeDatagram(d, b)
	}
	if len(b) < headerLen {
		for i, c := range b {
			switch {
			case i == 0 && c != 5, i == 1 && c > 1, i == 2 && !sender(d, c), i == 4 && c != 0 && c != littleEndian, i >= 5 && i < 8 && c != 0:
				return proto.No
			}
		}
		return proto.More
	}
	if h, ok := ParseHeader(b); ok && sender(d, h.Type) && h.FragLen >= leastLen(h.Type) {
		return proto.Yes
	}
	return proto.No
}
