// Package levin recognises Levin, the peer-to-peer protocol of Monero and other
// CryptoNote nodes (monero, docs/LEVIN_PROTOCOL.md), and tells the network. See
// README.md.
package levin

import (
	"encoding/binary"
	"errors"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// Limits.
const (
	maxBody  = 100 << 20 // of any message: LEVIN_DEFAULT_MAX_PACKET_SIZE
	maxHello = 512       // bytes of a handshake that are read: the network stands near its beginning
	maxRead  = 32        // messages of a direction after which nothing new is expected
)

// Protocol is the table entry of this protocol.
var Protocol = proto.Protocol{
	Name:  "levin",
	Doc:   "peer-to-peer protocol of Monero and other CryptoNote nodes",
	On:    proto.TCP,
	Ports: []uint16{18080, 28080, 38080, 11180, 19750},
	Limit: headerLen + maxHello,
	Probe: probe,
	New:   func() proto.Parser { return new(parser) },
	Buffers: []proto.Buffer{
		{Name: "levin.network_id", Doc: "the network's 16 bytes, from the handshake", Dir: packet.ToServer, Get: func(tx proto.Tx, i int) ([]byte, bool) {
			t, ok := tx.(*Tx)
			if !ok || i > 0 || !t.HasNetwork {
				return nil, false
			}
			return t.NetworkID[:], true
		}},
	},
}

// Tx is the flow's one transaction: emitted when the network is known and, as
// done, at the end; for rules and detectors and not logged.
type Tx struct {
	NetworkID  [16]byte
	HasNetwork bool
}

// EventType returns "": the transaction is not logged.
func (t *Tx) EventType() event.Type { return "" }

// EncodeEVE writes nothing.
func (t *Tx) EncodeEVE(*event.Encoder) {}

// A message begins with 33 bytes: signature, length of the body, whether an
// answer is expected, command, return code, flags, version; all little-endian.
const headerLen = 8 + 8 + 1 + 4 + 4 + 4 + 4

const signature = "\x01\x21\x01\x01\x01\x01\x01\x01"

const handshake = 1001

type header struct {
	size     int
	command  uint32
	fragment bool
}

func readHeader(b []byte) (h header, ok bool) {
	size := binary.LittleEndian.Uint64(b[8:])
	h = header{int(min(size, maxBody+1)), binary.LittleEndian.Uint32(b[17:]), false}
	flags := binary.LittleEndian.Uint32(b[25:])
	h.fragment = flags&(4|8) != 0
	return h, string(b[:8]) == signature && h.size <= maxBody && b[16] <= 1 && flags < 16 && binary.LittleEndian.Uint32(b[29:]) == 1
}

func probe(_ packet.Dir, b []byte) proto.Match {
	if n := min(len(b), len(signature)); string(b[:n]) != signature[:n] {
		return proto.No
	}
	if len(b) < headerLen {
		return proto.More
	}
	if _, ok := readHeader(b); ok {
		return proto.Yes
	}
	return proto.No
}

var errHeader = errors.New("levin: no message header")

type side struct {
	remain int // bytes of a body that pass unread
	n      int // messages so far
}

type parser struct {
	tx   Tx
	side [2]side
	any  bool
}

// Parse reads the handshake and counts the other messages off.
func (p *parser) Parse(c *proto.Conn, d packet.Dir, data []byte) (n int, err error) {
	s := &p.side[d]
	for n < len(data) {
		if s.n >= maxRead {
			return len(data), nil
		}
		b := data[n:]
		if s.remain > 0 {
			k := min(s.remain, len(b))
			s.remain -= k
			n += k
			continue
		}
		if len(b) < headerLen {
			return n, nil
		}
		h, ok := readHeader(b)
		if !ok {
			return n, errHeader
		}
		p.any = true
		if h.command == handshake && !h.fragment && !p.tx.HasNetwork {
			want := min(h.size, maxHello)
			if len(b) < headerLen+want {
				return n, nil
			}
			if p.tx.network(b[headerLen : headerLen+want]) {
				c.Emit(&p.tx, false)
			}
		}
		s.n++
		n += headerLen
		s.remain = h.size
	}
	return n, nil
}

// The member "network_id" as portable storage writes it: the name and its
// length, the type (a string), the length 16 as a number of which the lower two
// bits are 0 (monero, docs/PORTABLE_STORAGE.md).
const member = "\x0anetwork_id\x0a\x40"

// network finds the network in a handshake.
func (t *Tx) network(b []byte) bool {
	for i := 0; i+len(member)+16 <= len(b); i++ {
		if string(b[i:i+len(member)]) == member {
			copy(t.NetworkID[:], b[i+len(member):])
			t.HasNetwork = true
			return true
		}
	}
	return false
}

// Gap is no matter inside a body; elsewhere the place of the next header is
// lost.
func (p *parser) Gap(_ *proto.Conn, d packet.Dir, n int) error {
	s := &p.side[d]
	switch {
	case s.n >= maxRead:
	case n <= s.remain:
		s.remain -= n
	default:
		return errHeader
	}
	return nil
}

// End closes the flow's transaction.
func (p *parser) End(c *proto.Conn) {
	if p.any {
		p.any = false
		c.Emit(&p.tx, true)
	}
}

// Reset forgets the flow.
func (p *parser) Reset() { *p = parser{} }
