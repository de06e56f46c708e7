// Package policy has the last word on every block. Workers ask an immutable
// Snapshot, without a lock and without allocating; the Manager, which is
// mutable, checks the owner's changes, makes them durable and publishes the
// next snapshot.
package policy

import (
	"sync/atomic"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/verdict"
)

// Mode says whether findings may block by themselves.
type Mode uint8

// Modes.
const (
	Watch   Mode = iota // findings tell, and say what would have been blocked
	Protect             // findings block where the table of actions says so
)

// String returns the word of the configuration.
func (m Mode) String() string {
	if m == Protect {
		return "protect"
	}
	return "watch"
}

// ParseMode reads the word of the configuration.
func ParseMode(s string) (Mode, error) {
	switch s {
	case "watch":
		return Watch, nil
	case "protect":
		return Protect, nil
	}
	return Watch, fieldError("mode", "%q is not a mode; write watch or protect", s)
}

// Action is what follows from a finding.
type Action uint8

// Actions, weakest first.
const (
	None   Action = iota // nothing to do: traffic that nobody forbids
	Record               // kept and listed, nobody is told
	Tell                 // kept, and the owner is told
	Block                // told, and stopped where the engine stands in line
)

// String returns the word of the action.
func (a Action) String() string { return [...]string{"none", "record", "tell", "block"}[a&3] }

// Words of event.Finding.Action, part of the stable outside.
const (
	Allowed    = "allowed"
	Blocked    = "blocked"
	WouldBlock = "would_block"
)

// Why codes of a Decision. Sentences live with the reader.
const (
	WhyNothing    = ""             // traffic that nobody forbids
	WhyTable      = "table"        // the defaults for category and kind of device
	WhyAction     = "action"       // an action entry of the owner
	WhyRule       = "rule"         // the rule itself drops or rejects
	WhySuspect    = "suspect"      // not sure enough for anything but a record
	WhyWatch      = "watch"        // would have been blocked in mode protect
	WhyNever      = "never_block"  // the never-block list holds
	WhyException  = "exception"    // the owner hid it
	WhyConsent    = "consent"      // mining that the owner said is theirs
	WhyBlock      = "block"        // the owner blocked device or destination
	WhyQuarantine = "quarantine"   // the device is in quarantine
	WhyPause      = "pause"        // the device's internet is paused
	WhyLow        = "low_severity" // of too little weight for a block
)

// Query is what a worker asks about: a finding, a rule that matched, or, with
// an empty Category, the traffic itself. Empty fields mean not known.
type Query struct {
	Category   event.Category
	Family     string
	Level      event.Level
	Severity   uint8 // 1 high … 3 low; 0 counts as 2
	Confidence float64

	// Device is the home's device: the one that misbehaves, or the one that is
	// attacked from outside. MAC and Local are its addresses.
	Device event.DeviceRef
	MAC    packet.MAC
	Local  packet.Addr

	Remote     packet.Addr // the other end
	RemotePort uint16      // its port when it is the flow's server, else 0
	RemoteHome bool        // it is in the home too
	// Host is the other end's name. HostClaimed says that only the device says
	// so (server name of TLS, Host of HTTP), and malware may lie: see
	// docs/policy.md on what such a name can do.
	Host        string
	HostClaimed bool

	Wallet, Pool string // of mining, where visible

	// Proto is the IANA number of the flow's protocol; 0: not known, and then
	// nobody is told that a finding stopped it.
	Proto uint8

	// Rule is set for a match of a rule, with what the rule wants done.
	Rule     bool
	GID, SID uint32
	Wants    verdict.Verdict

	Now int64 // ns since the Unix epoch, for counting alone
}

// Answer says what the ends of a flow hear when a finding stops it.
type Answer struct {
	// Silent drops packets without a word. Otherwise connections of TCP are
	// reset at both ends and questions for names refused, so that programs fail
	// at once instead of waiting.
	Silent bool
	// ICMP also tells the sender of other datagrams, by an error.
	ICMP bool
}

// Itself is the author of the entries that the program makes; no user can have
// that name.
const Itself = "(yamori)"

// Decision is the answer. It holds no memory of its own.
type Decision struct {
	Action  Action
	Verdict verdict.Verdict // zero unless something is to be stopped
	Why     string          // a Why code
	By      string          // identity of the entry that decided; empty: none did
	Word    string          // of event.Finding.Action
	// Quiet says that the owner asked not to be told.
	Quiet bool
	// Found says that the entry that blocked is one that a finding made, for the
	// whole home.
	Found bool
}

// Handle is where workers find the snapshot in force. The zero value holds
// none yet.
type Handle struct{ p atomic.Pointer[Snapshot] }

// Load returns the snapshot in force; nil: none was published.
func (h *Handle) Load() *Snapshot { return h.p.Load() }

// Store publishes s.
func (h *Handle) Store(s *Snapshot) { h.p.Store(s) }

// Hits counts how often an entry decided. It is shared by all snapshots that
// hold the entry.
type Hits struct {
	n    atomic.Uint64
	last atomic.Int64
}

func (h *Hits) hit(now int64) {
	h.n.Add(1)
	h.last.Store(now)
}
