// Package bittorrent recognises BitTorrent's ways of talking: the peer wire
// handshake on TCP (BEP 3) and inside uTP (BEP 29), the distributed hash table
// (BEP 5), UDP trackers (BEP 15) and local service discovery (BEP 14).
package bittorrent

import (
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// hashLen is the length of info hashes, node identifiers and peer identifiers.
const hashLen = 20

// Protocol describes BitTorrent.
var Protocol = proto.Protocol{
	Name:  "bittorrent",
	Doc:   "BitTorrent: peer handshakes, DHT, UDP trackers, local discovery",
	On:    proto.TCP | proto.UDP,
	Ports: []uint16{6881, 6771, 6969, 51413},
	Limit: 256, // a handshake on TCP has 68 bytes, and nothing after it is looked at
	Event: "bittorrent",
	Probe: probe,
	New:   func() proto.Parser { return new(parser) },
	Buffers: []proto.Buffer{
		buffer("bittorrent.info_hash", "each info hash, 20 bytes", packet.ToServer, infoHash),
		buffer("bittorrent.info_hash", "each info hash, 20 bytes", packet.ToClient, infoHash),
		buffer("bittorrent.peer_id", "peer identifier, 20 bytes", packet.ToServer, peerID),
		buffer("bittorrent.peer_id", "peer identifier, 20 bytes", packet.ToClient, peerID),
		buffer("bittorrent.dht.query", "name of a DHT query", packet.ToServer, query),
		buffer("bittorrent.dht.query", "name of a DHT query", packet.ToClient, query),
	},
}

// Kind is the kind of a message.
type Kind uint8

// Kinds.
const (
	Handshake Kind = iota + 1
	DHT
	Tracker
	Discovery
	UTP // a uTP connection, whatever is in it
)

var kinds = [...]string{Handshake: "handshake", DHT: "dht", Tracker: "tracker", Discovery: "lsd", UTP: "utp"}

// Message is the transaction: one message. Slices lie in the datagram or
// stream.
type Message struct {
	Kind   Kind
	Dir    packet.Dir
	Hashes []byte // info hashes, 20 bytes each
	PeerID []byte // of a handshake or announcement
	Port   uint16 // announced by the sender, 0 when absent

	InUTP    bool    // a handshake inside uTP
	Reserved [8]byte // of a handshake: extensions

	D KRPC // of DHT
	T UDPTracker
}

// EventType returns "bittorrent", but nothing for a tracker's connect reply.
func (m *Message) EventType() event.Type {
	if m.Kind == Tracker && m.T.Reply && m.T.Action == ActionConnect {
		return ""
	}
	return "bittorrent"
}

// EncodeEVE appends "bittorrent":{…}.
func (m *Message) EncodeEVE(e *event.Encoder) {
	e.Obj("bittorrent")
	e.Str("type", kinds[m.Kind])
	switch m.Kind {
	case Handshake:
		if m.InUTP {
			e.Str("transport", "utp")
		}
		e.Bool("dht", m.Reserved[7]&0x01 != 0)        // BEP 5
		e.Bool("fast", m.Reserved[7]&0x04 != 0)       // BEP 6
		e.Bool("extensions", m.Reserved[5]&0x10 != 0) // BEP 10
	case DHT:
		m.D.encode(e)
	case Tracker:
		m.T.encode(e)
	}
	if len(m.Hashes) == hashLen {
		e.Hex("info_hash", m.Hashes)
	} else if len(m.Hashes) > 0 {
		e.Arr("info_hashes")
		for h := m.Hashes; len(h) >= hashLen; h = h[hashLen:] {
			e.Hex("", h[:hashLen])
		}
		e.EndArr()
	}
	if m.PeerID != nil {
		e.Hex("peer_id", m.PeerID)
		e.OptBytes("client", program(m.PeerID))
	}
	if m.Port != 0 {
		e.Uint("port", uint64(m.Port))
	}
	e.EndObj()
}

// program returns the readable beginning of a peer identifier (BEP 20), where
// programs put their name and version, such as "-TR4000-".
func program(id []byte) []byte {
	const most, least = 8, 3
	n := 0
	for n < min(len(id), most) && (id[n] == '-' || id[n] == '.' || alnum(id[n])) {
		n++
	}
	if n < least {
		return nil
	}
	return id[:n]
}

func alnum(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}

func infoHash(m *Message, i int) []byte {
	if at := i * hashLen; at+hashLen <= len(m.Hashes) {
		return m.Hashes[at : at+hashLen]
	}
	return nil
}

func peerID(m *Message, i int) []byte {
	if i != 0 {
		return nil
	}
	return m.PeerID
}

func query(m *Message, i int) []byte {
	if i != 0 || m.Kind != DHT {
		return nil
	}
	return m.D.Query
}

func buffer(name, doc string, d packet.Dir, get func(m *Message, i int) []byte) proto.Buffer {
	return proto.Buffer{Name: name, Doc: doc, Dir: d, Get: func(tx proto.Tx, i int) ([]byte, bool) {
		m, ok := tx.(*Message)
		if !ok || m.Dir != d {
			return nil, false
		}
		b := get(m, i)
		return b, b != nil
	}}
}
