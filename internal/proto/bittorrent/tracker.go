package bittorrent

import (
	"encoding/binary"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
)

// connectMagic begins a connect request, BEP 15.
const connectMagic = 0x41727101980

// Actions of BEP 15.
const (
	ActionConnect  = 0
	ActionAnnounce = 1
	ActionScrape   = 2
	ActionError    = 3
)

// UDPTracker is what a UDP tracker is asked and answers, BEP 15.
type UDPTracker struct {
	Action   uint32
	Reply    bool
	Event    uint32 // of an announcement: none, completed, started, stopped
	Left     uint64 // bytes the peer still wants
	Interval uint32 // seconds, of an announcement's reply
	Seeders  uint32
	Leechers uint32
	Peers    int // named in the reply
	Error    []byte
}

var (
	actions = [...]string{"connect", "announce", "scrape", "error"}
	events  = [...]string{"", "completed", "started", "stopped"}
)

// trackerRequest reads b as a request to a tracker.
func (m *Message) trackerRequest(b []byte) bool {
	if len(b) < 16 {
		return false
	}
	m.Kind = Tracker
	m.T.Action = binary.BigEndian.Uint32(b[8:])
	switch m.T.Action {
	case ActionConnect:
		return len(b) == 16 && binary.BigEndian.Uint64(b) == connectMagic
	case ActionAnnounce:
		// Options may follow the 98 bytes (BEP 41).
		if len(b) < 98 || binary.BigEndian.Uint32(b[80:]) >= uint32(len(events)) {
			return false
		}
		m.Hashes, m.PeerID = b[16:36], b[36:56]
		m.T.Left = binary.BigEndian.Uint64(b[64:])
		m.T.Event = binary.BigEndian.Uint32(b[80:])
		m.Port = binary.BigEndian.Uint16(b[96:])
		return true
	case ActionScrape:
		n := len(b) - 16
		m.Hashes = b[16:]
		return n > 0 && n%hashLen == 0
	}
	return false
}

// trackerReply reads b as a tracker's reply.
func (m *Message) trackerReply(b []byte) bool {
	if len(b) < 8 {
		return false
	}
	m.Kind = Tracker
	m.T.Reply = true
	m.T.Action = binary.BigEndian.Uint32(b)
	switch m.T.Action {
	case ActionConnect:
		return len(b) == 16
	case ActionAnnounce:
		n := len(b) - 20
		if n < 0 || n%6 != 0 {
			return false
		}
		m.T.Interval = binary.BigEndian.Uint32(b[8:])
		m.T.Leechers = binary.BigEndian.Uint32(b[12:])
		m.T.Seeders = binary.BigEndian.Uint32(b[16:])
		m.T.Peers = n / 6
		return true
	case ActionScrape:
		return len(b) > 8 && (len(b)-8)%12 == 0
	case ActionError:
		m.T.Error = b[8:]
		return true
	}
	return false
}

// probeTracker judges requests and replies met midway, whose connect request
// was not seen: an announcement of a peer that names its program, and its
// reply with an interval from a minute to a day.
func probeTracker(d packet.Dir, b []byte) bool {
	var m Message
	if d == packet.ToServer {
		return m.trackerRequest(b) && m.T.Action == ActionAnnounce && program(m.PeerID) != nil
	}
	return m.trackerReply(b) && m.T.Action == ActionAnnounce && 60 <= m.T.Interval && m.T.Interval <= 86400
}

func (t *UDPTracker) encode(e *event.Encoder) {
	e.Str("action", actions[t.Action])
	switch {
	case t.Action == ActionAnnounce && !t.Reply:
		e.OptStr("event", events[t.Event])
		e.Uint("left", t.Left)
	case t.Action == ActionAnnounce:
		e.Bool("response", true)
		e.Uint("interval", uint64(t.Interval))
		e.Uint("seeders", uint64(t.Seeders))
		e.Uint("leechers", uint64(t.Leechers))
		e.Uint("peers", uint64(t.Peers))
	case t.Action == ActionError:
		e.Bytes("message", t.Error)
	case t.Reply:
		e.Bool("response", true)
	}
}
