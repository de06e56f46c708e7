package engine

import (
	"maps"
	"slices"

	"github.com/yamori-net/yamori/internal/flow"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/reassembly"
)

// AppCount counts the ended flows of one application protocol. Of what passed
// unseen in line, Bytes holds what TCP's numbers told of it, and Unseen that
// alone. LetGo counts how often a flow of it, or a side of one, was let go of;
// these count at once.
type AppCount struct {
	Flows, Packets, Bytes, Unseen uint64
	LetGo                         [LetGoReasons]uint64
}

func (a *AppCount) add(o AppCount) {
	a.Flows += o.Flows
	a.Packets += o.Packets
	a.Bytes += o.Bytes
	a.Unseen += o.Unseen
	for i, n := range o.LetGo {
		a.LetGo[i] += n
	}
}

// counters are a worker's own, written by it alone.
type counters struct {
	Packets, Bytes uint64
	First, Last    int64  // packet times, ns
	Malformed      uint64 // packets with a decode anomaly
	NonIP, ARP     uint64
	Fragments      uint64 // held for reassembly
	NoFlow         uint64 // packets that found no place in the flow table
	Flows          uint64
	Findings       uint64
	Alerts         uint64 // of rules
	AlertsUntold   uint64 // of packets that had too many
	PolicyDrops    uint64 // packets that policy stopped
	Released       uint64 // times a flow, or a side of one, was let go of in line
	Recalled       uint64 // times a side was taken back
	Anomalies      uint64
	Gaps           uint64 // holes in streams
	HeldLimit      uint64 // flows given up because HeldMemory was exhausted
	ParserLimit    uint64 // flows given up because ParserMemory, or their share of it, was exhausted
	Shed           uint64 // flows no longer looked into because MaxConns was reached
	Panics         uint64
	Files          uint64 // files followed
	FilesUnseen    uint64 // files for which there was no place
	apps           map[string]AppCount
	layers         layers
}

// Stats is a snapshot of what workers counted.
type Stats struct {
	counters
	Apps     map[string]AppCount // ended flows by app_proto; "" for flows without payload
	Live     int                 // flows in the table
	Flow     flow.Stats
	Streams  reassembly.Stats
	Defrag   packet.DefragStats
	HeldUsed int // bytes held for incomplete messages
	Parsers  int // bytes that parsers hold
	Conns    int // flows whose content is looked into
	// Oddities counts what the decoder found odd, by packet.Event; nil when no
	// rule asks for any.
	Oddities []uint64
}

func (w *Worker) countFlow(fl *flow.Flow) {
	a := w.n.apps[fl.AppProto]
	a.Flows++
	a.Packets += fl.Side[0].Packets + fl.Side[1].Packets
	a.Bytes += fl.Side[0].Bytes + fl.Side[1].Bytes
	a.Unseen += fl.Unseen
	w.n.apps[fl.AppProto] = a
}

// snapshot publishes the counters.
func (w *Worker) snapshot() {
	s := &Stats{counters: w.n, Apps: maps.Clone(w.n.apps), Flow: w.table.Stats(),
		Streams: w.pool.Stats(), Defrag: w.dec.Defrag.Stats(), HeldUsed: w.bufs.used,
		Parsers: w.parserBytes, Conns: w.live}
	s.counters.apps = nil
	if w.match != nil {
		s.AlertsUntold, s.Oddities = w.match.Untold(), slices.Clone(w.match.Oddities())
	}
	s.Live = s.Flow.Current
	w.snap.Store(s)
}

// Snapshot returns the counters as of the last tick. Safe from any goroutine.
func (w *Worker) Snapshot() Stats {
	if s := w.snap.Load(); s != nil {
		return *s
	}
	return Stats{}
}

// Add adds what another engine has counted.
func (s *Stats) Add(o Stats) { s.add(o) }

func (s *Stats) add(o Stats) {
	s.Packets += o.Packets
	s.Bytes += o.Bytes
	if o.Packets > 0 && (s.First == 0 || o.First < s.First) {
		s.First = o.First
	}
	s.Last = max(s.Last, o.Last)
	s.Malformed += o.Malformed
	s.NonIP += o.NonIP
	s.ARP += o.ARP
	s.Fragments += o.Fragments
	s.NoFlow += o.NoFlow
	s.Flows += o.Flows
	s.Findings += o.Findings
	s.Alerts += o.Alerts
	s.AlertsUntold += o.AlertsUntold
	s.PolicyDrops += o.PolicyDrops
	s.Released += o.Released
	s.Recalled += o.Recalled
	s.Anomalies += o.Anomalies
	s.Gaps += o.Gaps
	s.HeldLimit += o.HeldLimit
	s.ParserLimit += o.ParserLimit
	s.Shed += o.Shed
	s.Panics += o.Panics
	for i, n := range o.layers {
		s.layers[i] += n
	}
	s.Files += o.Files
	s.FilesUnseen += o.FilesUnseen
	s.Live += o.Live
	s.HeldUsed += o.HeldUsed
	s.Parsers += o.Parsers
	s.Conns += o.Conns
	if s.Oddities == nil {
		s.Oddities = slices.Clone(o.Oddities)
	} else {
		for i, n := range o.Oddities {
			s.Oddities[i] += n
		}
	}
	addFlow(&s.Flow, o.Flow)
	addStreams(&s.Streams, o.Streams)
	addDefrag(&s.Defrag, o.Defrag)
	if s.Apps == nil {
		s.Apps = map[string]AppCount{}
	}
	for k, v := range o.Apps {
		a := s.Apps[k]
		a.add(v)
		s.Apps[k] = a
	}
}

func addFlow(s *flow.Stats, o flow.Stats) {
	s.Created += o.Created
	for i, n := range o.Ended {
		s.Ended[i] += n
	}
	for i, n := range o.Evicted {
		s.Evicted[i] += n
	}
	s.Reused += o.Reused
	s.Midstream += o.Midstream
	s.BadResets += o.BadResets
	s.Refused += o.Refused
	s.Current += o.Current
	s.Peak += o.Peak
	s.Emergencies += o.Emergencies
	s.InEmergency = s.InEmergency || o.InEmergency
}

func addStreams(s *reassembly.Stats, o reassembly.Stats) {
	s.Segments += o.Segments
	s.Retransmitted += o.Retransmitted
	s.OutOfOrder += o.OutOfOrder
	s.Overlaps += o.Overlaps
	s.Contradicting += o.Contradicting
	s.OutOfWindow += o.OutOfWindow
	s.Dropped += o.Dropped
	s.Gaps += o.Gaps
	s.GapBytes += o.GapBytes
	s.Reclaimed += o.Reclaimed
	s.HeldBytes += o.HeldBytes
	s.PeakBytes += o.PeakBytes
	s.Holding += o.Holding
}

func addDefrag(s *packet.DefragStats, o packet.DefragStats) {
	s.Fragments += o.Fragments
	s.Truncated += o.Truncated
	s.Datagrams += o.Datagrams
	s.Reassembled += o.Reassembled
	s.TimedOut += o.TimedOut
	s.Evicted += o.Evicted
	s.Dropped += o.Dropped
	s.Held += o.Held
	s.Overlaps += o.Overlaps
	s.Duplicates += o.Duplicates
	s.Oversize += o.Oversize
	s.Invalid += o.Invalid
	s.TooMany += o.TooMany
	s.Late += o.Late
}
