// Package bitcoin recognises the peer-to-peer protocol of Bitcoin and of the
// coins that took it over (Bitcoin developer reference, "P2P Network"), and
// reads how two nodes introduce themselves. See README.md.
package bitcoin

import (
	"encoding/binary"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// Limits.
const (
	maxVersion = 512     // bytes of a version message that are read; the longest valid one has 358
	maxPayload = 4000000 // of any message: MAX_PROTOCOL_MESSAGE_LENGTH
	maxAgent   = 256     // MAX_SUBVERSION_LENGTH
	maxRead    = 32      // messages of a direction after which nothing new is expected
)

// Protocol is the table entry of this protocol.
var Protocol = proto.Protocol{
	Name:  "bitcoin",
	Doc:   "peer-to-peer protocol of Bitcoin and its kin",
	On:    proto.TCP,
	Ports: []uint16{8333, 18333, 38333, 18444, 48333, 9333, 22556, 9999, 8233, 8767, 12024},
	Limit: headerLen + maxVersion,
	Probe: probe,
	New:   func() proto.Parser { return new(parser) },
	Buffers: []proto.Buffer{
		{Name: "bitcoin.agent", Doc: "software of the client, as it names itself", Dir: packet.ToServer, Get: agent(packet.ToServer)},
		{Name: "bitcoin.server_agent", Doc: "software of the server", Dir: packet.ToClient, Get: agent(packet.ToClient)},
		{Name: "bitcoin.network", Doc: "the network by its magic bytes: mainnet, testnet3, litecoin …", Dir: packet.ToServer, Get: func(tx proto.Tx, i int) ([]byte, bool) {
			t, ok := tx.(*Tx)
			if !ok || i > 0 || t.Network == nil {
				return nil, false
			}
			return t.Network, true
		}},
	},
}

func agent(d packet.Dir) func(proto.Tx, int) ([]byte, bool) {
	return func(tx proto.Tx, i int) ([]byte, bool) {
		t, ok := tx.(*Tx)
		if !ok || i > 0 || len(t.Peer[d].Agent()) == 0 {
			return nil, false
		}
		return t.Peer[d].Agent(), true
	}
}

// Tx is the flow's one transaction: how the two sides introduced themselves. It
// is emitted with each introduction and, as done, at the end; it is for rules
// and detectors and not logged.
type Tx struct {
	Magic   [4]byte
	Network []byte // name of the network, nil for one that is not known
	Peer    [2]Peer
}

// Peer is what one side says of itself in its version message.
type Peer struct {
	Seen     bool
	Version  int32
	Services uint64 // bits; 1 is a node that has blocks for others
	Height   int32  // of its chain
	n        int
	agent    [maxAgent]byte
}

// Agent returns the software's name ("/Satoshi:27.0.0/").
func (p *Peer) Agent() []byte { return p.agent[:p.n] }

// EventType returns "": the transaction is not logged.
func (t *Tx) EventType() event.Type { return "" }

// EncodeEVE writes nothing.
func (t *Tx) EncodeEVE(*event.Encoder) {}

// read takes a version message: version, services, time, two addresses of 26
// bytes, nonce, software, height.
func (p *Peer) read(b []byte) bool {
	const fixed = 4 + 8 + 8 + 26 + 26 + 8
	if len(b) < fixed+1 {
		return false
	}
	p.Version = int32(binary.LittleEndian.Uint32(b))
	p.Services = binary.LittleEndian.Uint64(b[4:])
	n := int(b[fixed]) // as a CompactSize; 253 and more are longer than MAX_SUBVERSION_LENGTH allows
	rest := b[fixed+1:]
	if n >= 0xfd || n > len(rest) {
		return false
	}
	p.Seen = true
	p.n = copy(p.agent[:], rest[:n])
	if rest = rest[n:]; len(rest) >= 4 {
		p.Height = int32(binary.LittleEndian.Uint32(rest))
	}
	return true
}
