// Package event is the record of the system: what every layer reports and
// every reader (EVE file, account, store, hub) understands.
package event

import "github.com/yamori-net/yamori/internal/packet"

// Type is an EVE event_type.
type Type string

// Event types that are not named by a protocol. A protocol's events carry its
// own type ("tls", "dns"…).
const (
	Flow    Type = "flow"
	Alert   Type = "alert"
	Anomaly Type = "anomaly"
	// FileInfo describes a file that a protocol carried.
	FileInfo Type = "fileinfo"
	Stats    Type = "stats"
	Drop     Type = "drop" // a packet that rules dropped
)

// Body is the part of an event that belongs to its type: it appends its own
// member or members ("tls":{…}) to the open object.
type Body interface{ EncodeEVE(e *Encoder) }

// Event is one record. It and everything it points to are valid only during
// the call that delivers it: a sink that keeps it encodes or copies it.
type Event struct {
	Time             int64 // packet time, ns since the Unix epoch
	Type             Type
	FlowID           uint64 // zero: belongs to no flow
	Src, Dst         packet.Addr
	SrcPort, DstPort uint16
	Proto            uint8 // IANA protocol number
	HasAddr          bool  // Src … Proto are set
	ICMPType         uint8
	ICMPCode         uint8
	VLANs            uint8
	VLAN             [2]uint16
	SrcMAC, DstMAC   packet.MAC // of the packet that caused the event
	HasMAC           bool
	Iface            string // interface of live capture
	PcapCnt          uint64 // number of the packet in a replayed capture, from 1
	TxID             uint64 // number of the transaction in its flow, from 0
	HasTx            bool
	AppProto         string
	AppProtoOrig     string // before a switch (STARTTLS, CONNECT, SOCKS)
	Midstream        bool
	// Answered: the flow's two ends were heard to talk to each other, of TCP
	// each acknowledged the other's first number, and not inside a tunnel, where
	// one who sends can play both. Nobody whose address was forged is in it.
	Answered bool
	Body     Body     // nil: nothing beyond the header
	Finding  *Finding // set when Type is Alert
}

// Sink takes events. It must return quickly: slow readers stand behind a
// bounded queue of their own.
type Sink interface{ Event(*Event) }

// SinkFunc is a function as a Sink.
type SinkFunc func(*Event)

// Event calls f.
func (f SinkFunc) Event(e *Event) { f(e) }
