package policy

import (
	"fmt"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
)

// Kind says what an entry does.
type Kind string

// Kinds of entries.
const (
	Exception  Kind = "exception"  // findings in its scope are recorded, not told, not blocked
	Consent    Kind = "consent"    // mining in its scope is the owner's own
	BlockEntry Kind = "block"      // traffic in its scope is stopped
	Quarantine Kind = "quarantine" // a device reaches nothing but the never-block list
	Pause      Kind = "pause"      // a device reaches the home but not the internet
	Never      Kind = "never"      // is never blocked, whatever else says so
	ActionRule Kind = "action"     // from which level on findings in its scope block
)

var kinds = [...]Kind{Exception, Consent, BlockEntry, Quarantine, Pause, Never, ActionRule}

// Limits of the number of entries of each kind. A destination costs about
// 600 bytes in the manager and the snapshot together.
const (
	MaxExceptions = 1024
	MaxConsents   = 256
	MaxBlocks     = 4096 // blocks, quarantines and pauses together
	MaxNever      = 512
	MaxActions    = 256
	MaxOwn        = 256 // of all: entries that findings made
)

// Limits of texts.
const (
	MaxReason = 400 // bytes of a reason
	MaxText   = 255 // bytes of any other text
)

// Scope says what an entry is about. Empty fields mean any; all that are set
// must hold.
type Scope struct {
	Device   string         `json:"device,omitempty"`   // identity, "mac:02:…" or another
	Kind     string         `json:"kind,omitempty"`     // of device: camera, nas…
	Dest     string         `json:"dest,omitempty"`     // address or network of the other end
	Host     string         `json:"host,omitempty"`     // its name, or any name under it
	Port     uint16         `json:"port,omitempty"`     // its port, where it is the server
	GID      uint32         `json:"gid,omitempty"`      // of the rule; 0 with a SID means 1
	SID      uint32         `json:"sid,omitempty"`      //
	Category event.Category `json:"category,omitempty"` //
	Family   string         `json:"family,omitempty"`   //
	Pool     string         `json:"pool,omitempty"`     // host, host:port or address:port
	Wallet   string         `json:"wallet,omitempty"`   //
}

// Entry is one thing the owner said, or that holds by itself.
type Entry struct {
	ID     string `json:"id"`
	Kind   Kind   `json:"kind"`
	Scope  Scope  `json:"scope"`
	Reason string `json:"reason,omitempty"`
	Author string `json:"author,omitempty"` // who made it
	// At is the level from which on an action entry blocks; 0: never.
	At event.Level `json:"at,omitempty"`
	// Severity limits an action entry to findings at least this severe (1 is
	// the most severe); 0: all.
	Severity uint8 `json:"severity,omitempty"`
	// Reject tells the sender that it was blocked, so that programs fail at
	// once instead of waiting.
	Reject   bool      `json:"reject,omitempty"`
	Schedule *Schedule `json:"schedule,omitempty"` // of a pause: when it holds; nil: always
	// For is how long the entry holds from when it was added; 0: until removed.
	For time.Duration `json:"for_ns,omitempty"`

	// Set by the manager.
	Created time.Time     `json:"created"`
	Until   time.Time     `json:"until,omitzero"` // by the present clock; zero: until removed
	Left    time.Duration `json:"-"`              // until then
	Active  bool          `json:"-"`              // its schedule holds now
	Hits    uint64        `json:"hits"`           // how often it decided ("hidden N times since")
	LastHit time.Time     `json:"last_hit,omitzero"`
	Fixed   bool          `json:"fixed,omitempty"` // came with SetHome and cannot be removed
}

// FieldError says which field of a change cannot be, and what to write.
type FieldError struct{ Field, Text string }

// Error names the field and the cure.
func (e *FieldError) Error() string { return "policy: " + e.Field + ": " + e.Text }

func fieldError(field, format string, args ...any) error {
	return &FieldError{field, fmt.Sprintf(format, args...)}
}

// deviceKinds is the closed set of docs/formats.
const deviceKinds = " computer phone tablet router camera recorder nas tv console printer speaker hub plug light appliance wearable voip server unknown "

// check validates e and brings its texts into their one form.
func (e *Entry) check() error {
	known := false
	for _, k := range kinds {
		known = known || k == e.Kind
	}
	if !known {
		return fieldError("kind", "%q is not a kind of entry; use exception, consent, block, quarantine, pause, never or action", e.Kind)
	}
	if err := e.Scope.check(); err != nil {
		return err
	}
	if len(e.Reason) > MaxReason || !utf8.ValidString(e.Reason) {
		return fieldError("reason", "longer than %d bytes or no UTF-8; shorten it", MaxReason)
	}
	if len(e.Author) > MaxText || !utf8.ValidString(e.Author) {
		return fieldError("author", "longer than %d bytes or no UTF-8; shorten it", MaxText)
	}
	if e.For < 0 {
		return fieldError("for", "%v lies in the past; give a time that is still to come, or 0 for no end", e.For)
	}
	if e.For > MaxFor {
		return fieldError("for", "%v is longer than ten years; use 0 for no end", e.For)
	}
	if e.Kind != ActionRule && (e.At != 0 || e.Severity != 0) {
		return fieldError("at", "only an action entry has a level and a severity; leave both out")
	}
	if e.Schedule != nil {
		if e.Kind != Pause {
			return fieldError("schedule", "only a pause has a schedule; leave it out")
		}
		if err := e.Schedule.check(); err != nil {
			return err
		}
	}
	s := &e.Scope
	switch e.Kind {
	case Exception:
		if *s == (Scope{}) {
			return fieldError("scope", "an exception for everything would switch detection off; name a device, destination, rule or category")
		}
		if *s == (Scope{Port: s.Port}) {
			return fieldError("port", "a port alone hides too much; name also a device, destination, rule or category")
		}
	case Consent:
		if s.Device == "" && s.Pool == "" && s.Wallet == "" {
			return fieldError("scope", "say what is yours: a device, a pool or a wallet")
		}
		if *s != (Scope{Device: s.Device, Pool: s.Pool, Wallet: s.Wallet}) {
			return fieldError("scope", "consent is given by device, pool and wallet alone; leave the other fields out")
		}
	case BlockEntry:
		if s.Device == "" && s.Dest == "" && s.Host == "" {
			return fieldError("scope", "say what to block: a device, an address, a network or a host name")
		}
		if *s != (Scope{Device: s.Device, Dest: s.Dest, Host: s.Host, Port: s.Port}) {
			return fieldError("scope", "traffic is blocked by device, destination, host and port alone; leave the other fields out")
		}
		if p, err := parseDest(s.Dest); s.Dest != "" && err == nil && p.Bits() == 0 && s.Device == "" {
			return fieldError("dest", "%s is the whole internet for the whole home; pause or quarantine a device instead", s.Dest)
		}
	case Quarantine, Pause:
		if s.Device == "" {
			return fieldError("device", "name the device")
		}
		if *s != (Scope{Device: s.Device}) {
			return fieldError("scope", "a %s is for a device; leave the other fields out", e.Kind)
		}
	case Never:
		if s.Device == "" && s.Dest == "" && s.Host == "" {
			return fieldError("scope", "say what is never to be blocked: a device, an address, a network or a host name")
		}
		if *s != (Scope{Device: s.Device, Dest: s.Dest, Host: s.Host, Port: s.Port}) {
			return fieldError("scope", "the never-block list knows device, destination, host and port alone; leave the other fields out")
		}
	case ActionRule:
		if e.At == event.Suspect || e.At > event.Confirmed {
			return fieldError("at", "only likely and confirmed may block; use 0 (never), likely or confirmed")
		}
		if e.Severity > 3 {
			return fieldError("severity", "%d: use 1 (high), 2, 3 (low), or 0 for all", e.Severity)
		}
	}
	return nil
}

// MaxFor bounds how long an entry with an end may hold.
const MaxFor = 10 * 366 * 24 * time.Hour

func (s *Scope) check() error {
	for _, f := range [...]struct {
		name string
		v    *string
	}{{"device", &s.Device}, {"kind", &s.Kind}, {"dest", &s.Dest}, {"host", &s.Host}, {"family", &s.Family}, {"pool", &s.Pool}, {"wallet", &s.Wallet}} {
		*f.v = strings.TrimSpace(*f.v)
		if len(*f.v) > MaxText {
			return fieldError(f.name, "longer than %d bytes; shorten it", MaxText)
		}
		if !utf8.ValidString(*f.v) || strings.ContainsFunc(*f.v, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return fieldError(f.name, "holds characters that no name has; write it in plain text")
		}
	}
	if strings.HasPrefix(s.Device, "mac:") {
		m, ok := parseMAC(s.Device[4:])
		if !ok || m == (packet.MAC{}) || m[0]&1 != 0 { // none, or a group of devices
			return fieldError("device", "%q is no hardware address; write it like mac:02:00:5e:10:00:01", s.Device)
		}
		s.Device = "mac:" + string(event.AppendMAC(nil, m))
	}
	if s.Kind != "" && !strings.Contains(deviceKinds, " "+s.Kind+" ") {
		return fieldError("kind", "%q is not a kind of device; use one of%s", s.Kind, strings.TrimRight(deviceKinds, " "))
	}
	if s.Category != "" && !event.KnownCategory(s.Category) {
		return fieldError("category", "%q is not a category; use one of %s", s.Category, strings.Join(event.CategoryNames(), ", "))
	}
	if s.Dest != "" {
		p, err := parseDest(s.Dest)
		if err != nil {
			return err
		}
		if s.Dest = p.String(); p.IsSingleIP() {
			s.Dest = p.Addr().String()
		}
	}
	if s.Host != "" {
		h := strings.ToLower(strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(s.Host, "*"), "."), "."))
		if h == "" || len(h) > maxHost || strings.ContainsAny(h, "/:@ *") || strings.Contains(h, "..") {
			return fieldError("host", "%q is no host name; write it like example.com, without a path, a port or a star", s.Host)
		}
		if _, err := netip.ParseAddr(h); err == nil {
			return fieldError("host", "%q is an address; put it into dest", s.Host)
		}
		s.Host = h
	}
	if s.GID != 0 && s.SID == 0 {
		return fieldError("sid", "a gid without a sid names no rule; add the sid")
	}
	if s.SID != 0 && s.GID == 0 {
		s.GID = 1
	}
	s.Pool = strings.ToLower(s.Pool)
	return nil
}

// maxHost is the longest host name, RFC 1035 section 2.3.4.
const maxHost = 253

func parseDest(s string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		a, aerr := netip.ParseAddr(s)
		if aerr != nil || a.Zone() != "" {
			return p, fieldError("dest", "%q is not an address or a network; write it like 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32", s)
		}
		p = netip.PrefixFrom(a, a.BitLen())
	}
	if a := p.Addr(); a.Is4In6() {
		if p.Bits() < 96 {
			return p, fieldError("dest", "%q mixes IPv4 and IPv6; write the IPv4 network in its own form", s)
		}
		p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
	}
	return p.Masked(), nil
}

func parseMAC(s string) (m packet.MAC, ok bool) {
	if len(s) != 17 {
		return m, false
	}
	for i := range m {
		hi, lo := nibble(s[3*i]), nibble(s[3*i+1])
		if hi > 15 || lo > 15 || i < 5 && s[3*i+2] != ':' && s[3*i+2] != '-' {
			return m, false
		}
		m[i] = hi<<4 | lo
	}
	return m, true
}

func nibble(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 0xff
}
