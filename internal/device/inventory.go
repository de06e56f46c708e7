// Package device keeps the list of the home's devices, from what their packets
// say. What a device is (its kind, maker, system) is not guessed here: it is
// reported as unknown until there is evidence.
package device

import (
	"cmp"
	"net/netip"
	"slices"
	"sync"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
)

// Limits of the inventory: an attacker on the LAN can invent addresses.
const (
	MaxDevices   = 4096 // beyond it those seen longest ago are forgotten
	MaxAddresses = 32   // per device; beyond it the oldest is forgotten
)

// Device is one thing in the home.
type Device struct {
	ID         string // "mac:02:00:…", or "ip:192.168.1.2" where no MAC is seen
	MAC        packet.MAC
	HasMAC     bool
	Addresses  []packet.Addr // first seen first
	Kind       string        // one of the kinds in docs/formats
	OS         string
	Maker      string
	Model      string
	Name       string
	Confidence float64 // in Kind, 0…1
	First      int64   // packet times, ns
	Last       int64

	// What a Registry knows besides.
	MACs     []packet.MAC     // all of them, the one in use last
	Random   bool             // MAC was made up by the device
	Evidence []event.Evidence // for Kind, OS, Maker and Model, the strongest first
	Sure     Sure             // of the other guesses
	Person   string           // whose it is, as the owner says
	Owned    bool             // the owner has named it or said what it is
	Present  bool             // heard of lately
	KindAt   int64            // packet time when Kind was first known, 0: never
}

// Sure holds the confidence, 0…1, in what a device is thought to be besides its
// kind.
type Sure struct{ OS, Maker, Model, Name float64 }

// DefaultHome is what counts as the home when nothing else is said: the
// private and link-local ranges of RFC 1918, 3927, 4193 and 4291.
func DefaultHome() []netip.Prefix {
	var out []netip.Prefix
	for _, s := range []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10"} {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

// Inventory is one worker's list. Seen is called by the worker, the rest by
// anyone.
type Inventory struct {
	home []netip.Prefix
	mu   sync.Mutex
	byID map[key]*Device
}

type key struct {
	mac packet.MAC
	ip  packet.Addr // only where there is no MAC
}

// NewInventory makes an empty list for a home with these prefixes; none:
// DefaultHome.
func NewInventory(home []netip.Prefix) *Inventory {
	if len(home) == 0 {
		home = DefaultHome()
	}
	return &Inventory{home: home, byID: map[key]*Device{}}
}

// Home reports whether a is one of the home's addresses.
func (v *Inventory) Home(a packet.Addr) bool {
	ip := a.Netip()
	for _, p := range v.home {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}

func keyOf(m packet.MAC, ip packet.Addr) key {
	if m == (packet.MAC{}) || m[0]&1 != 0 { // none, or a group address
		return key{ip: ip}
	}
	return key{mac: m}
}

// Seen notes that ip spoke, from m (zero when there is no link layer), at time
// now. Addresses that are not of the home are ignored.
func (v *Inventory) Seen(m packet.MAC, ip packet.Addr, now int64) {
	if !v.Home(ip) {
		return
	}
	k := keyOf(m, ip)
	v.mu.Lock()
	defer v.mu.Unlock()
	d := v.byID[k]
	if d == nil {
		if len(v.byID) >= MaxDevices {
			v.forget()
		}
		d = &Device{MAC: k.mac, HasMAC: k.mac != packet.MAC{}, Kind: Unknown, First: now}
		if d.HasMAC {
			d.ID = "mac:" + string(event.AppendMAC(nil, k.mac))
		} else {
			d.ID = "ip:" + ip.String()
		}
		v.byID[k] = d
	}
	d.Last = max(d.Last, now)
	if !slices.Contains(d.Addresses, ip) {
		if len(d.Addresses) >= MaxAddresses {
			d.Addresses = slices.Delete(d.Addresses, 0, 1)
		}
		d.Addresses = append(d.Addresses, ip)
	}
}

// forget drops the eighth of the list that was seen longest ago, so that a
// flood of invented addresses pays for one sort in many insertions.
func (v *Inventory) forget() {
	type entry struct {
		k  key
		at int64
	}
	all := make([]entry, 0, len(v.byID))
	for k, d := range v.byID {
		all = append(all, entry{k, d.Last})
	}
	slices.SortFunc(all, func(a, b entry) int { return cmp.Compare(a.at, b.at) })
	for _, e := range all[:MaxDevices/8] {
		delete(v.byID, e.k)
	}
}

// Ref names the device that has m and ip, for a finding. A source outside the
// home gets an empty reference.
func (v *Inventory) Ref(m packet.MAC, ip packet.Addr) event.DeviceRef {
	if !v.Home(ip) {
		return event.DeviceRef{}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, k := range [2]key{keyOf(m, ip), {ip: ip}} {
		if d := v.byID[k]; d != nil {
			return event.DeviceRef{ID: d.ID, Kind: d.Kind, Name: d.Name}
		}
	}
	return event.DeviceRef{ID: "ip:" + ip.String(), Kind: Unknown}
}

// Merge adds up the lists of several workers: same identity, one device. The
// result is sorted by the time first seen, then by identity.
func Merge(lists ...*Inventory) []Device {
	all := map[string]*Device{}
	for _, v := range lists {
		v.mu.Lock()
		for _, d := range v.byID {
			m := all[d.ID]
			if m == nil {
				c := *d
				c.Addresses = slices.Clone(d.Addresses)
				all[d.ID] = &c
				continue
			}
			m.First, m.Last = min(m.First, d.First), max(m.Last, d.Last)
			for _, a := range d.Addresses {
				if !slices.Contains(m.Addresses, a) {
					m.Addresses = append(m.Addresses, a)
				}
			}
		}
		v.mu.Unlock()
	}
	out := make([]Device, 0, len(all))
	for _, d := range all {
		slices.SortFunc(d.Addresses, func(a, b packet.Addr) int { return slices.Compare(a[:], b[:]) })
		out = append(out, *d)
	}
	slices.SortFunc(out, func(a, b Device) int {
		return cmp.Or(cmp.Compare(a.First, b.First), cmp.Compare(a.ID, b.ID))
	})
	return out
}
