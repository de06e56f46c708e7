package device

import (
	"slices"
	"strings"

	"github.com/yamori-net/yamori/internal/packet"
)

// identity is something by which a device is known again under another
// address.
type identity struct {
	key   string // source and key of the clue
	value string
	weak  bool // a name: several devices may have it, one after the other
}

// strong lists the clues whose values are made for one device and kept by it,
// whatever its address.
var strong = map[Source][]string{
	DHCP:   {"client_id"}, // RFC 2132 section 9.14, RFC 4361; those made of the MAC are left out where clues are made
	DHCPv6: {"duid"},      // RFC 8415 section 11
	MDNS:   {"id"},        // identifiers in TXT records: AirPlay deviceid, Cast id, HAP id, IPP UUID
	SSDP:   {"uuid"},      // UPnP Device Architecture 2.0 section 1.1.4
	UPnP:   {"udn"},
	WSD:    {"epr"}, // WS-Addressing endpoint reference
}

// names lists the clues that say what a device calls itself.
var names = map[Source][]string{
	DHCP:    {"hostname", "fqdn"},
	DHCPv6:  {"fqdn"},
	MDNS:    {"host"},
	NetBIOS: {"name"},
	LLMNR:   {"name"},
}

func identityOf(c *Clue) (identity, bool) {
	if len(c.Value) == 0 {
		return identity{}, false
	}
	if slices.Contains(strong[c.Source], c.Key) && len(c.Value) >= 6 {
		return identity{key: c.Source.String() + "." + c.Key, value: strings.ToLower(c.Value)}, true
	}
	if slices.Contains(names[c.Source], c.Key) {
		name := strings.ToLower(strings.TrimSuffix(c.Value, ".local"))
		if Telling(name) {
			return identity{key: "name", value: name, weak: true}, true
		}
	}
	return identity{}, false
}

// identify files what tells d from others, and finds out whether d is a device
// that was here before under another address. It returns the device that the
// clue belongs to.
func (r *Registry) identify(d *entry, c *Clue) *entry {
	id, ok := identityOf(c)
	if !ok || r.shared[id] {
		return d
	}
	if slices.Contains(d.ids, id) {
		return d
	}
	for _, o := range r.ids[id] {
		if o == d {
			continue
		}
		if r.same(o, d, id) {
			r.stats.Followed++
			r.join(o, d)
			d = o
			break
		}
		if overlap(o, d) {
			r.share(id)
			return d
		}
	}
	if !slices.Contains(d.ids, id) && len(d.ids) < MaxIDs {
		d.ids = append(d.ids, id)
		r.ids[id] = append(r.ids[id], d)
	}
	return d
}

// same says whether the newcomer d is o under another address. Only an address
// that was made up can belong to a device that has another one: two real ones
// are two network cards at least. And whoever was heard of since the newcomer
// came is not it.
func (r *Registry) same(o, d *entry, id identity) bool {
	if r.keptApart(o, d) || d.owned() {
		return false
	}
	if len(o.macs) == 0 && len(d.macs) == 0 { // no link layer: IPv4 and IPv6 of one device
		return !id.weak && families(o) != families(d)
	}
	if len(d.macs) != 1 || len(o.macs) == 0 || !Random(d.macs[0].MAC) || d.macs[0].Pinned {
		return false
	}
	if o.last >= d.first {
		return false
	}
	if id.weak {
		// A name is lent to one device after the other: it must be that of one
		// only, of a device whose address was made up too, and nothing else may
		// tell them apart.
		return len(r.ids[id]) == 1 && Random(o.current) && alike(o, d)
	}
	return true
}

func families(d *entry) (f int) {
	for i := range d.addrs {
		if d.addrs[i].IP.Is4() {
			f |= 1
		} else {
			f |= 2
		}
	}
	return f
}

// alike reports that no clue which a device keeps contradicts the other's.
func alike(a, b *entry) bool {
	for _, k := range [...]string{"params", "vendor_class"} {
		va, vb := valueOf(a, DHCP, k), valueOf(b, DHCP, k)
		if va != "" && vb != "" && va != vb {
			return false
		}
	}
	return true
}

func valueOf(d *entry, s Source, key string) string {
	for i := len(d.clues) - 1; i >= 0; i-- {
		if c := &d.clues[i]; c.Source == s && c.Key == key {
			return c.Value
		}
	}
	return ""
}

// overlap reports that both were heard of while the other was here.
func overlap(a, b *entry) bool { return a.last >= b.first && b.last >= a.first }

// share notes that an identifier belongs to several devices at once: factories
// and disk images copy them.
func (r *Registry) share(id identity) {
	if len(r.shared) >= MaxDevices {
		return
	}
	r.shared[id] = true
	r.stats.Ambiguous++
	for _, d := range r.ids[id] {
		d.ids = slices.DeleteFunc(d.ids, func(x identity) bool { return x == id })
	}
	delete(r.ids, id)
}

// join makes d a part of o.
func (r *Registry) join(o, d *entry) {
	for _, m := range d.macs {
		if len(o.macs) >= MaxMACs {
			delete(r.byMAC, m.MAC)
			continue
		}
		o.macs = append(o.macs, m)
		r.byMAC[m.MAC] = o
	}
	if d.last >= o.last && d.current != (packet.MAC{}) {
		o.current = d.current
	}
	o.switches = 0
	for _, a := range d.addrs {
		if len(o.addrs) < MaxAddresses {
			o.addrs = append(o.addrs, a)
			r.byIP[a.IP] = o
		} else {
			delete(r.byIP, a.IP)
		}
	}
	wasGone := !o.present
	o.first, o.last = min(o.first, d.first), max(o.last, d.last)
	o.present = o.present || d.present
	for _, c := range d.clues {
		r.keep(o, c)
	}
	for _, id := range d.ids {
		r.unfile(d, id)
		if len(o.ids) < MaxIDs && !slices.Contains(o.ids, id) {
			o.ids = append(o.ids, id)
			r.ids[id] = append(r.ids[id], o)
		}
	}
	d.ids, d.addrs, d.macs = nil, nil, nil
	r.remove(d)
	o.dirty, o.unsaved, r.stale = true, true, true
	if wasGone && o.present && o.told {
		r.tell(Returned, o, o.last, "")
	}
}

func (r *Registry) unfile(d *entry, id identity) {
	list := slices.DeleteFunc(r.ids[id], func(x *entry) bool { return x == d })
	if len(list) == 0 {
		delete(r.ids, id)
	} else {
		r.ids[id] = list
	}
}

// Two devices taken for one show it when the old address is heard again soon
// after the new one came, or both in turn later: a device that has taken a new
// address leaves the old one alone.
const (
	settled    = int64(10 * 60e9)
	flapWindow = int64(2 * 60e9)
	flaps      = 3
)

// changed notes that d speaks from another of its MACs, and takes it apart
// again when two of them are in use at once. It returns the device of m.
func (r *Registry) changed(d *entry, m packet.MAC, now int64) *entry {
	if now-d.switched > flapWindow {
		d.switches = 0
	}
	d.switches, d.switched = d.switches+1, now
	old := d.current
	d.current, r.stale = m, true
	out := m // the one that came last was taken for the other
	a, b := d.mac(m), d.mac(old)
	if a == nil || b == nil || a.Pinned || b.Pinned || !Random(m) && !Random(old) {
		return d
	}
	back := b.First > a.First && now-b.First < settled
	if d.switches < flaps && !back {
		return d
	}
	if b.First > a.First {
		out = old
	}
	n := r.part(d, out, now)
	for _, id := range slices.Clone(d.ids) {
		r.share(id)
	}
	if out == m {
		return n
	}
	return d
}

func (d *entry) mac(m packet.MAC) *macState {
	for i := range d.macs {
		if d.macs[i].MAC == m {
			return &d.macs[i]
		}
	}
	return nil
}

// part makes a MAC of d a device of its own, with the clues and addresses that
// came from it.
func (r *Registry) part(d *entry, m packet.MAC, now int64) *entry {
	s := *d.mac(m)
	d.macs = slices.DeleteFunc(d.macs, func(x macState) bool { return x.MAC == m })
	delete(r.byMAC, m)
	if d.current == m && len(d.macs) > 0 {
		d.current = d.macs[len(d.macs)-1].MAC
	}
	d.switches = 0
	n := r.create("mac:"+macText(m), s.First)
	r.addMAC(n, m, s.First)
	n.macs[0] = s
	n.last, n.told, n.present = s.Last, true, d.present
	n.last = max(n.last, n.first)
	d.clues = slices.DeleteFunc(d.clues, func(c Clue) bool {
		if c.MAC != m {
			return false
		}
		r.clues--
		r.keep(n, c)
		return true
	})
	d.addrs = slices.DeleteFunc(d.addrs, func(a addrState) bool {
		if a.MAC != m {
			return false
		}
		n.addrs = append(n.addrs, a)
		r.byIP[a.IP] = n
		return true
	})
	d.apart, n.apart = append(d.apart, n.id), append(n.apart, d.id)
	d.dirty, d.unsaved, r.stale = true, true, true
	r.epoch.Add(1)
	r.tell(New, n, now, "")
	return n
}

func (r *Registry) keptApart(a, b *entry) bool {
	return slices.Contains(a.apart, b.id) || slices.Contains(b.apart, a.id)
}
