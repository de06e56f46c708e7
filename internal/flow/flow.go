// Package flow keeps each worker's table of flows: who talks to whom, since
// when, how much, and in what state. Time is the packets' own.
package flow

import (
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/verdict"
)

// State is how far a flow has come.
type State uint8

// States, in EVE's words.
const (
	New         State = iota // packets in one direction only, or a handshake under way
	Established              // both sides have spoken (TCP: handshake complete)
	Closed                   // TCP: both FINs acknowledged, or a reset
)

// String returns EVE's word.
func (s State) String() string {
	switch s {
	case Established:
		return "established"
	case Closed:
		return "closed"
	}
	return "new"
}

// Reason says why a flow left the table.
type Reason uint8

// Reasons.
const (
	Timeout  Reason = iota // idle for its state's time-out
	Finished               // TCP closed and lingered
	Evicted                // the table was at its limit
	Shutdown               // the worker stopped
)

// String returns EVE's word ("timeout", "forced", "shutdown").
func (r Reason) String() string {
	switch r {
	case Evicted:
		return "forced"
	case Shutdown:
		return "shutdown"
	}
	return "timeout"
}

// Side counts one direction.
type Side struct {
	Packets  uint64
	Bytes    uint64 // on the wire, with the link's header; out of a tunnel from the IP header on
	TCPFlags uint8  // all flags seen, or-ed
}

// Flow is one entry of the table. The table owns it and reuses it: nobody
// keeps a pointer beyond OnEnd.
type Flow struct {
	Key  packet.Key
	Hash uint64
	ID   uint64 // 51 bits, never zero, the same in every run on the same capture

	// FromHi says that the client is the key's Hi endpoint.
	FromHi bool

	State     State
	Midstream bool    // TCP: picked up without its SYN
	Refused   bool    // TCP: the latest packet is none of the connection that is being opened; what it carries is no data of it
	Start     int64   // time of the first packet, ns
	Last      int64   // time of the latest packet, ns
	Side      [2]Side // by packet.Dir

	ClientMAC, ServerMAC packet.MAC // of the first packet each way, zero until seen
	VLANs                uint8
	VLAN                 [2]uint16
	ICMPType, ICMPCode   uint8         // of the first packet
	Tunnels              packet.Tunnel // that any of its packets came in
	TTL                  [2]uint8      // latest, by direction

	AppProto     string // "" until known, "failed" when nothing recognised it
	AppProtoOrig string
	Alerted      bool

	// ISN holds the initial sequence numbers of TCP by direction, where a SYN
	// was seen (HasISN): the stream of that direction starts one after it.
	ISN    [2]uint32
	HasISN [2]bool

	// App belongs to the engine: streams and parser of this flow, nil until
	// its first payload.
	App any

	// Rules belongs to the rule engine. AppIndex is the number of the flow's
	// protocol in the engine's list, plus one; zero while unknown.
	Rules    any
	Action   string // "pass" or "drop" when a rule decided about the flow
	AppIndex uint8

	// Stopped says that the flow's packets may not pass, as policy of the
	// generation PolicyGen found; Condemned that a finding is the reason, which
	// no later policy takes back.
	Stopped   verdict.Action
	Condemned bool
	PolicyGen uint32

	// Loose are the directions, by bit, whose packets may pass unseen, and Unseen
	// the bytes of TCP that did: Side counts them as far as the numbers of what
	// is seen tell, without their headers and packets.
	Loose  uint8
	Unseen uint64

	// EstablishedAt is how many packets the flow had when a TCP handshake was
	// complete; zero before.
	EstablishedAt uint64

	tcp        [2]tcpSide // by sender, as Side
	touched    int64      // table's clock when last moved in its queue
	hnext      *Flow      // hash chain, or the list of free entries
	prev, next *Flow      // queue
	queue      uint8
}

// Client returns the client's endpoint.
func (f *Flow) Client() (packet.Addr, uint16) {
	if f.FromHi {
		return f.Key.Hi, f.Key.HiPort
	}
	return f.Key.Lo, f.Key.LoPort
}

// Server returns the server's endpoint.
func (f *Flow) Server() (packet.Addr, uint16) {
	if f.FromHi {
		return f.Key.Lo, f.Key.LoPort
	}
	return f.Key.Hi, f.Key.HiPort
}

// Reverse swaps client and server: for a flow picked up midstream whose
// content shows that the guess was wrong.
func (f *Flow) Reverse() {
	f.FromHi = !f.FromHi
	f.Side[0], f.Side[1] = f.Side[1], f.Side[0]
	f.TTL[0], f.TTL[1] = f.TTL[1], f.TTL[0]
	f.tcp[0], f.tcp[1] = f.tcp[1], f.tcp[0]
	f.ISN[0], f.ISN[1] = f.ISN[1], f.ISN[0]
	f.HasISN[0], f.HasISN[1] = f.HasISN[1], f.HasISN[0]
	f.ClientMAC, f.ServerMAC = f.ServerMAC, f.ClientMAC
}
