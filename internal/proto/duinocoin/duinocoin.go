// Package duinocoin reads the protocol of Duino-Coin, which is mined on small
// boards, routers and whatever else is at hand: lines of text with commas. See
// README.md.
package duinocoin

import (
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/stratum"
)

// maxLine bounds one line; a share with all its fields has about 100 bytes.
const maxLine = 256

// Protocol is the table entry of this protocol.
var Protocol = proto.Protocol{
	Name:  "duinocoin",
	Doc:   "Duino-Coin's mining protocol",
	On:    proto.TCP | proto.Message,
	Ports: []uint16{2811, 2812, 2813, 2814, 2820, 6000, 14808, 15808},
	Limit: maxLine,
	Event: "stratum",
	Probe: probe,
	New:   func() proto.Parser { return new(parser) },
	Buffers: []proto.Buffer{
		{Name: "duinocoin.user", Doc: "account that jobs are asked for", Get: func(tx proto.Tx, i int) ([]byte, bool) {
			t, ok := tx.(*Tx)
			if !ok || i > 0 || len(t.Login.Bytes()) == 0 {
				return nil, false
			}
			return t.Login.Bytes(), true
		}},
	},
}

// Tx is the flow's one transaction: what its lines have shown so far. It is
// emitted after every line and, as done, at the end.
type Tx struct {
	stratum.Session
	Version stratum.Short // of the server's greeting
	Tier    stratum.Short // kind of device that the miner asks a job for ("LOW", "ESP32", "AVR")
	Done    bool
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
	e.OptBytes("server_version", t.Version.Bytes())
	e.OptBytes("tier", t.Tier.Bytes())
	e.EndObj()
}
