// Package stratumv2 reads Stratum V2, the binary mining protocol: in clear as
// proxies and devices speak it at home, and behind its own encryption (Noise)
// as far as lengths tell. See README.md.
package stratumv2

import (
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/stratum"
)

// Protocol is the table entry of this protocol.
var Protocol = proto.Protocol{
	Name:  "stratumv2",
	Doc:   "Stratum V2, the binary mining protocol",
	On:    proto.TCP,
	Ports: []uint16{3336, 3337, 34254, 34255, 34264, 34265},
	Limit: maxKept + headerLen,
	Event: "stratum",
	Probe: probe,
	New:   func() proto.Parser { return new(parser) },
	Buffers: []proto.Buffer{
		{Name: "stratumv2.user_identity", Doc: "account and worker as the channel was opened with", Get: func(tx proto.Tx, i int) ([]byte, bool) {
			t, ok := tx.(*Tx)
			if !ok || i > 0 || len(t.Login.Bytes()) == 0 {
				return nil, false
			}
			return t.Login.Bytes(), true
		}},
	},
}

// Tx is the flow's one transaction: what its messages have shown so far. It is
// emitted after every message (of Noise after every turn of direction) and, as
// done, at the end.
type Tx struct {
	stratum.Session
	Setup Setup
	Rate  float64 // hashes a second that the miner announced
	Noise bool    // encrypted: what is known is known from lengths
	Done  bool
}

// Setup is what SetupConnection says, section 3.5.1 of the specification.
type Setup struct {
	Seen       bool
	Protocol   uint8 // 0 mining, 1 job declaration, 2 template distribution
	Version    uint16
	Flags      uint32
	Vendor     stratum.Short
	Hardware   stratum.Short
	Firmware   stratum.Short
	DeviceID   stratum.Short
	AnswerSeen bool
}

// protocols names Setup.Protocol.
var protocols = [...]string{"mining", "job_declaration", "template_distribution", "job_distribution"}

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
	if s := &t.Setup; s.Seen {
		e.Str("subprotocol", protocols[s.Protocol])
		e.Uint("version", uint64(s.Version))
		e.OptBytes("vendor", s.Vendor.Bytes())
		e.OptBytes("hardware", s.Hardware.Bytes())
		e.OptBytes("firmware", s.Firmware.Bytes())
		e.OptBytes("device_id", s.DeviceID.Bytes())
	}
	if t.Rate > 0 {
		e.Float("hash_rate", t.Rate, 0)
	}
	if t.Noise {
		e.Bool("noise", true)
	}
	e.EndObj()
}
