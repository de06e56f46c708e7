// Package p2pool recognises the peers of p2pool, the pool without an operator
// whose nodes keep a chain of shares: Monero's (github.com/SChernykh/p2pool,
// p2p_server.h) and the one of Bitcoin and its kin (github.com/p2pool/p2pool,
// p2p.py). Who runs a node of it mines, or hands out work. See README.md.
package p2pool

import (
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/stratum"
)

// Limits.
const (
	maxMessage = 16 << 20 // of any message that passes unread; blocks have up to 128 kB, Bitcoin's shares 1 MB
	maxVersion = 512      // bytes of a version message of Bitcoin's p2pool; a usual one has 150
	maxAgent   = 64       // bytes of the software's name there
	maxRead    = 64       // messages of a direction after which nothing new is expected
)

// Protocol is the table entry of this protocol.
var Protocol = proto.Protocol{
	Name:  "p2pool",
	Doc:   "peers of p2pool, of Monero and of Bitcoin",
	On:    proto.TCP,
	Ports: []uint16{37889, 37888, 37890, 9333, 9338, 9326},
	Limit: oldHeader + maxVersion,
	Event: "stratum",
	Probe: probe,
	New:   func() proto.Parser { return new(parser) },
	Buffers: []proto.Buffer{
		{Name: "p2pool.agent", Doc: "software of the client, which Bitcoin's p2pool names", Dir: packet.ToServer, Get: func(tx proto.Tx, i int) ([]byte, bool) {
			t, ok := tx.(*Tx)
			if !ok || i > 0 || len(t.Agent.Bytes()) == 0 {
				return nil, false
			}
			return t.Agent.Bytes(), true
		}},
	},
}

// Tx is the flow's one transaction: what its messages have shown so far. It is
// emitted when they show something and, as done, at the end.
type Tx struct {
	stratum.Session
	Done bool
}

// EventType returns "stratum" for a flow that mines.
func (t *Tx) EventType() event.Type {
	if t.Mining() {
		return "stratum"
	}
	return ""
}

// EncodeEVE appends the summary of the flow.
func (t *Tx) EncodeEVE(e *event.Encoder) {
	e.Obj("stratum")
	t.Session.EncodeMembers(e)
	e.EndObj()
}
