package device

import (
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
)

// Limits of a Registry besides MaxDevices and MaxAddresses: everything in it
// comes from the LAN, where somebody may invent things.
const (
	MaxMACs      = 32    // per device; beyond it the one not used for longest is forgotten
	MaxClues     = 96    // per device; beyond it the oldest of the source that has most goes
	MaxPerKey    = 16    // clues of one source and key, the same
	MaxAllClues  = 65536 // of all devices together; beyond it the devices least worth keeping go
	MaxIDs       = 16    // strong identifiers per device
	fewClues     = 8     // what a device may have even when there is no room
	maxJudged    = 64    // devices judged in one Advance
	maxOwnedText = 256   // bytes of each text that the owner gives: 64 characters of any script
)

// Defaults of Config.
const (
	DefaultNewAfter  = int64(10 * time.Second)
	DefaultGoneAfter = int64(time.Hour)
)

// Facts are what a judge decides from.
type Facts struct {
	MACs  []packet.MAC // the one in use last
	Clues []Clue       // in the order in which they were first seen
}

// Guess is a value with the confidence in it, 0…1.
type Guess struct {
	Value      string
	Confidence float64
}

// Profile is what a judge makes of a device.
type Profile struct {
	Kind                   Guess  // Unknown when there is not enough; Confidence is then that of Best
	Best                   string // the most probable kind, "" when nothing speaks for any
	OS, Maker, Model, Name Guess
	Evidence               []event.Evidence
}

// Config says how a Registry works.
type Config struct {
	Home []netip.Prefix // networks of the home; nil: DefaultHome
	// Judge says what a device is; nil: nobody knows. It is called with the
	// registry locked and must not call it.
	Judge func(Facts) Profile
	// OnChange is told what happens to devices, without a lock held, by the
	// goroutine that caused it.
	OnChange func(Change)
	// Store keeps the devices over a restart; nil: nothing is kept.
	Store Persistence
	// NewAfter is how long (ns) a device is watched before it is told as new:
	// long enough to hear whether it is an old one with another address.
	NewAfter int64
	// GoneAfter is the silence (ns) after which a device counts as gone.
	GoneAfter int64
	// Exact makes Ref see every clue added so far instead of those before the
	// last Advance: for a replay, where one goroutine does both.
	Exact bool
}

// Registry knows the devices of the home: which addresses belong to one
// device, what it is, and what the owner says about it. Safe for concurrent
// use; Ref takes no lock unless the Registry is Exact.
type Registry struct {
	cfg    Config
	snap   atomic.Pointer[snapshot]
	epoch  atomic.Uint64
	saving sync.Mutex // one Save at a time

	mu     sync.Mutex
	byID   map[string]*entry
	byMAC  map[packet.MAC]*entry
	byIP   map[packet.Addr]*entry
	ids    map[identity][]*entry
	shared map[identity]bool // seen at two devices at once: tells nobody apart
	clues  int
	faults int // records that could not be read
	now    int64
	stale  bool     // the snapshot is not what it should be
	start  int64    // first Advance: nobody is gone for the time that the daemon was down
	out    []Change // to be told after unlocking
	gone   map[string]bool
	stats  RegistryStats
}

// RegistryStats counts what limits and ambiguity did.
type RegistryStats struct {
	Devices   int
	Clues     int
	Evicted   uint64 // devices forgotten for want of room
	Followed  uint64 // devices recognised under another address
	Ambiguous uint64 // identifiers that two devices used at once
}

// entry is one device.
type entry struct {
	id       string
	macs     []macState
	addrs    []addrState
	clues    []Clue
	ids      []identity
	owner    Correction
	apart    []string // devices that the owner says are others
	profile  Profile
	kindAt   int64
	first    int64
	last     int64
	told     bool // as new
	present  bool
	dirty    bool // to be judged
	unsaved  bool
	current  packet.MAC
	switches int   // between addresses, lately
	switched int64 // when last
}

type macState struct {
	MAC    packet.MAC
	First  int64
	Last   int64
	Pinned bool // the owner said so
}

type addrState struct {
	IP   packet.Addr
	MAC  packet.MAC
	Last int64
}

type snapshot struct {
	mac map[packet.MAC]event.DeviceRef
	ip  map[packet.Addr]event.DeviceRef
}

// NewRegistry makes a registry and loads what its store has. The error is the
// store's.
func NewRegistry(cfg Config) (*Registry, error) {
	if len(cfg.Home) == 0 {
		cfg.Home = DefaultHome()
	}
	if cfg.NewAfter == 0 {
		cfg.NewAfter = DefaultNewAfter
	}
	if cfg.GoneAfter == 0 {
		cfg.GoneAfter = DefaultGoneAfter
	}
	r := &Registry{cfg: cfg, byID: map[string]*entry{}, byMAC: map[packet.MAC]*entry{}, byIP: map[packet.Addr]*entry{},
		ids: map[identity][]*entry{}, shared: map[identity]bool{}, gone: map[string]bool{}}
	r.snap.Store(&snapshot{})
	if err := r.load(); err != nil {
		return nil, err
	}
	return r, nil
}

// home reports whether ip is an address of the home.
func (r *Registry) home(ip packet.Addr) bool {
	a := ip.Netip()
	for _, p := range r.cfg.Home {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

func noAddr(ip packet.Addr) bool { return ip == packet.Addr{} || ip == zero4 }

var zero4 = packet.AddrFrom4([]byte{0, 0, 0, 0})

// Epoch changes when the owner has something forgotten or split: whoever holds
// back clues that it has told before tells them again.
func (r *Registry) Epoch() uint64 { return r.epoch.Load() }

// Add takes a clue. One about an address outside the home is ignored.
func (r *Registry) Add(c Clue) {
	if !isHost(c.MAC) {
		c.MAC = packet.MAC{}
	}
	if noAddr(c.IP) {
		if c.IP = (packet.Addr{}); c.MAC == (packet.MAC{}) {
			return
		}
	} else if !r.home(c.IP) {
		return
	}
	if len(c.Value) > MaxValue {
		c.Value = c.Value[:MaxValue]
	}
	r.mu.Lock()
	defer r.unlock()
	r.now = max(r.now, c.Time)
	d := r.find(c.MAC, c.IP, c.Time)
	d = r.touch(d, c.MAC, c.IP, c.Time)
	if c.Source == Seen || c.Source >= numSources {
		return
	}
	d = r.identify(d, &c)
	r.keep(d, c)
}

// find returns the device of a MAC, else of an address, and makes it where
// there is none.
func (r *Registry) find(m packet.MAC, ip packet.Addr, now int64) *entry {
	if m != (packet.MAC{}) {
		if d := r.byMAC[m]; d != nil {
			return d
		}
		// An address that was seen without link layer gets its MAC now.
		if d := r.byIP[ip]; d != nil && len(d.macs) == 0 && ip != (packet.Addr{}) {
			r.addMAC(d, m, now)
			return d
		}
	} else if d := r.byIP[ip]; d != nil {
		return d
	}
	if len(r.byID) >= MaxDevices || r.clues >= MaxAllClues {
		r.evict()
	}
	id := "ip:" + ip.String()
	if m != (packet.MAC{}) {
		id = "mac:" + string(event.AppendMAC(nil, m))
	}
	d := r.create(id, now)
	if m != (packet.MAC{}) {
		r.addMAC(d, m, now)
	}
	return d
}

func (r *Registry) create(id string, now int64) *entry {
	d := &entry{id: r.freeID(id), first: now, last: now, present: true, dirty: true, unsaved: true}
	d.profile.Kind.Value = Unknown
	r.byID[d.id] = d
	r.stale = true
	return d
}

// freeID returns id, or one derived from it when another device has it.
func (r *Registry) freeID(id string) string {
	for n := byte('2'); r.byID[id] != nil && n <= 'z'; n++ {
		if i := len(id) - 2; i > 0 && id[i] == '~' {
			id = id[:i]
		}
		id += "~" + string(n)
	}
	return id
}

func (r *Registry) addMAC(d *entry, m packet.MAC, now int64) {
	if len(d.macs) >= MaxMACs {
		old := 0
		for i := range d.macs {
			if d.macs[i].Last < d.macs[old].Last && !d.macs[i].Pinned {
				old = i
			}
		}
		delete(r.byMAC, d.macs[old].MAC)
		d.macs = slices.Delete(d.macs, old, old+1)
	}
	d.macs = append(d.macs, macState{MAC: m, First: now, Last: now})
	d.current = m
	r.byMAC[m] = d
	r.stale, d.dirty, d.unsaved = true, true, true
}

// touch notes a sign of life. It returns the device that gave it, which is
// another one than d when d turns out to be two.
func (r *Registry) touch(d *entry, m packet.MAC, ip packet.Addr, now int64) *entry {
	if now > d.last {
		d.last, d.unsaved = now, true
	}
	d.first = min(d.first, now)
	if !d.present {
		d.present = true
		if d.told {
			r.tell(Returned, d, now, "")
		}
	}
	for i := range d.macs {
		if s := &d.macs[i]; s.MAC == m {
			s.Last = max(s.Last, now)
		}
	}
	if m != (packet.MAC{}) && d.current != m {
		d = r.changed(d, m, now)
	}
	if ip == (packet.Addr{}) {
		return d
	}
	if o := r.byIP[ip]; o != nil && o != d {
		r.dropAddr(o, ip) // given to another device
	}
	for i := range d.addrs {
		if a := &d.addrs[i]; a.IP == ip {
			a.Last, a.MAC = max(a.Last, now), m
			return d
		}
	}
	if len(d.addrs) >= MaxAddresses {
		old := 0
		for i := range d.addrs {
			if d.addrs[i].Last < d.addrs[old].Last {
				old = i
			}
		}
		delete(r.byIP, d.addrs[old].IP)
		d.addrs = slices.Delete(d.addrs, old, old+1)
	}
	d.addrs = append(d.addrs, addrState{ip, m, now})
	r.byIP[ip] = d
	r.stale, d.unsaved = true, true
	return d
}

func (r *Registry) dropAddr(d *entry, ip packet.Addr) {
	d.addrs = slices.DeleteFunc(d.addrs, func(a addrState) bool { return a.IP == ip })
	delete(r.byIP, ip)
	r.stale = true
	if len(d.macs) == 0 && len(d.addrs) == 0 && !d.owned() {
		r.remove(d)
	}
}

// keep adds a clue to a device, or notes that it was seen again.
func (r *Registry) keep(d *entry, c Clue) {
	same, oldest := 0, -1
	for i := range d.clues {
		k := &d.clues[i]
		if k.Source != c.Source || k.Key != c.Key {
			continue
		}
		if k.Value == c.Value {
			k.Time, k.MAC = max(k.Time, c.Time), c.MAC
			return
		}
		if same++; oldest < 0 || k.Time < d.clues[oldest].Time {
			oldest = i
		}
	}
	if same < MaxPerKey {
		oldest = -1
		if len(d.clues) >= MaxClues || len(d.clues) >= fewClues && r.clues >= MaxAllClues {
			oldest = spare(d.clues)
		}
	}
	if oldest >= 0 {
		d.clues = slices.Delete(d.clues, oldest, oldest+1)
		r.clues--
	}
	d.clues = append(d.clues, c)
	r.clues++
	d.dirty, d.unsaved = true, true
}

// spare returns the oldest clue of the source that has most of them.
func spare(list []Clue) int {
	var n [numSources]int
	for i := range list {
		n[list[i].Source]++
	}
	most := Source(0)
	for s := range n {
		if n[s] > n[most] {
			most = Source(s)
		}
	}
	at := -1
	for i := range list {
		if list[i].Source == most && (at < 0 || list[i].Time < list[at].Time) {
			at = i
		}
	}
	return at
}
