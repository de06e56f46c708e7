package device

import (
	"cmp"
	"slices"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
)

// kind is what d is: the owner's word, else the guess.
func (d *entry) kind() string { return cmp.Or(d.owner.Kind, d.profile.Kind.Value, Unknown) }

// device is d as others see it.
func (d *entry) device() Device {
	p := &d.profile
	out := Device{ID: d.id, Kind: d.kind(), OS: p.OS.Value, Maker: p.Maker.Value, Model: p.Model.Value, Name: p.Name.Value,
		Confidence: p.Kind.Confidence, First: d.first, Last: d.last, Evidence: slices.Clone(p.Evidence),
		Sure:   Sure{p.OS.Confidence, p.Maker.Confidence, p.Model.Confidence, p.Name.Confidence},
		Person: d.owner.Person, Owned: d.owner != (Correction{}), Present: d.present, KindAt: d.kindAt}
	if d.owner.Kind != "" {
		out.Confidence = 1
	}
	for _, f := range [...]struct {
		word string
		to   *string
		sure *float64
	}{{d.owner.Name, &out.Name, &out.Sure.Name}, {d.owner.OS, &out.OS, &out.Sure.OS}, {d.owner.Maker, &out.Maker, &out.Sure.Maker}, {d.owner.Model, &out.Model, &out.Sure.Model}} {
		if f.word != "" {
			*f.to, *f.sure = f.word, 1
		}
	}
	out.MACs = d.order()
	if n := len(out.MACs); n > 0 {
		out.MAC, out.HasMAC = out.MACs[n-1], true
		out.Random = Random(out.MAC)
	}
	for _, a := range d.addrs {
		out.Addresses = append(out.Addresses, a.IP)
	}
	slices.SortFunc(out.Addresses, func(a, b packet.Addr) int { return slices.Compare(a[:], b[:]) })
	return out
}

// order lists the MACs of d, the one in use last.
func (d *entry) order() []packet.MAC {
	var out []packet.MAC
	for _, m := range d.macs {
		if m.MAC != d.current {
			out = append(out, m.MAC)
		}
	}
	if d.mac(d.current) != nil {
		out = append(out, d.current)
	}
	return out
}

// judge says anew what d is.
func (r *Registry) judge(d *entry, now int64) {
	d.dirty = false
	if r.cfg.Judge == nil {
		return
	}
	old := d.kind()
	p := r.cfg.Judge(Facts{MACs: d.order(), Clues: d.clues})
	if p.Kind.Value == "" {
		p.Kind.Value = Unknown
	}
	if p.Kind.Value == Unknown && d.profile.Kind.Value != Unknown && p.Best == d.profile.Kind.Value {
		p.Kind.Value = p.Best // less sure than before is no other kind
	}
	if p.Kind.Value != d.profile.Kind.Value || p.Name.Value != d.profile.Name.Value {
		r.stale, d.unsaved = true, true
	}
	d.profile = p
	if p.Kind.Value != Unknown && d.kindAt == 0 {
		d.kindAt = now
	}
	if k := d.kind(); k != old && d.told {
		r.tell(KindChanged, d, now, old)
	}
}

// Advance lets time pass to now (packet time in a replay): devices with new
// clues are judged, changes are told, and Ref sees what happened since.
func (r *Registry) Advance(now int64) {
	r.mu.Lock()
	defer r.unlock()
	r.advance(now, maxJudged)
}

func (r *Registry) advance(now int64, most int) {
	r.now = max(r.now, now)
	if r.start == 0 {
		r.start = now
	}
	var due []*entry
	for _, d := range r.byID {
		if d.dirty || !d.told || d.present && r.silent(d, now) {
			due = append(due, d)
		}
	}
	slices.SortFunc(due, byAge)
	for _, d := range due {
		if d.dirty && most > 0 {
			most--
			r.judge(d, now)
		}
		if !d.told && now-d.first >= r.cfg.NewAfter {
			d.told, d.unsaved = true, true
			r.tell(New, d, now, "")
		}
		if d.present && r.silent(d, now) {
			d.present, d.unsaved = false, true
			if d.told {
				r.tell(Gone, d, now, "")
			}
		}
	}
	if r.stale && !r.cfg.Exact { // an exact registry is asked itself
		r.publish()
	}
}

// silent reports that nothing was heard of d for long enough.
func (r *Registry) silent(d *entry, now int64) bool {
	return now-max(d.last, r.start) >= r.cfg.GoneAfter
}

func byAge(a, b *entry) int { return cmp.Or(cmp.Compare(a.first, b.first), cmp.Compare(a.id, b.id)) }

// Finish ends a replay: everything is judged, and what is waiting to be told is
// told.
func (r *Registry) Finish() {
	r.mu.Lock()
	defer r.unlock()
	after := r.cfg.NewAfter
	r.cfg.NewAfter = 0
	r.advance(r.now, MaxDevices)
	r.cfg.NewAfter = after
}

// publish makes the snapshot that Ref reads.
func (r *Registry) publish() {
	r.stale = false
	s := &snapshot{mac: make(map[packet.MAC]event.DeviceRef, len(r.byMAC)), ip: make(map[packet.Addr]event.DeviceRef, len(r.byIP))}
	for _, d := range r.byID {
		ref := d.ref()
		for _, m := range d.macs {
			s.mac[m.MAC] = ref
		}
		for _, a := range d.addrs {
			s.ip[a.IP] = ref
		}
	}
	r.snap.Store(s)
}

// Ref names the device that has m and ip, for a finding. Addresses outside the
// home get an empty reference. It takes no lock unless the Registry is Exact.
func (r *Registry) Ref(m packet.MAC, ip packet.Addr) event.DeviceRef {
	if !r.home(ip) {
		return event.DeviceRef{}
	}
	if r.cfg.Exact {
		if ref, ok := r.exactRef(m, ip); ok {
			return ref
		}
		return strangerRef(m, ip)
	}
	s := r.snap.Load()
	if ref, ok := s.mac[m]; ok {
		return ref
	}
	if ref, ok := s.ip[ip]; ok {
		return ref
	}
	return strangerRef(m, ip)
}

// exactRef is Ref with everything that was told so far.
func (r *Registry) exactRef(m packet.MAC, ip packet.Addr) (event.DeviceRef, bool) {
	r.mu.Lock()
	defer r.unlock()
	for _, d := range [...]*entry{r.byMAC[m], r.byIP[ip]} {
		if d == nil {
			continue
		}
		if d.dirty {
			r.judge(d, r.now)
		}
		return d.ref(), true
	}
	return event.DeviceRef{}, false
}

func (d *entry) ref() event.DeviceRef {
	return event.DeviceRef{ID: d.id, Kind: d.kind(), Name: cmp.Or(d.owner.Name, d.profile.Name.Value)}
}

// strangerRef names what the registry does not know yet.
func strangerRef(m packet.MAC, ip packet.Addr) event.DeviceRef {
	if isHost(m) {
		return event.DeviceRef{ID: "mac:" + string(event.AppendMAC(nil, m)), Kind: Unknown}
	}
	return event.DeviceRef{ID: "ip:" + ip.String(), Kind: Unknown}
}

// Devices lists all devices, sorted by the time first seen, then by ID.
func (r *Registry) Devices() []Device {
	r.mu.Lock()
	defer r.unlock()
	list := make([]*entry, 0, len(r.byID))
	for _, d := range r.byID {
		if d.dirty {
			r.judge(d, r.now)
		}
		list = append(list, d)
	}
	slices.SortFunc(list, byAge)
	out := make([]Device, 0, len(list))
	for _, d := range list {
		out = append(out, d.device())
	}
	return out
}

// Get returns one device.
func (r *Registry) Get(id string) (Device, bool) {
	r.mu.Lock()
	defer r.unlock()
	d := r.byID[id]
	if d == nil {
		return Device{}, false
	}
	if d.dirty {
		r.judge(d, r.now)
	}
	return d.device(), true
}

// Clues returns everything kept about a device, for its owner.
func (r *Registry) Clues(id string) []Clue {
	r.mu.Lock()
	defer r.mu.Unlock()
	if d := r.byID[id]; d != nil {
		return slices.Clone(d.clues)
	}
	return nil
}

// Stats returns counters.
func (r *Registry) Stats() RegistryStats {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.stats
	s.Devices, s.Clues = len(r.byID), r.clues
	return s
}

// remove forgets d.
func (r *Registry) remove(d *entry) {
	for _, m := range d.macs {
		delete(r.byMAC, m.MAC)
	}
	for _, a := range d.addrs {
		if r.byIP[a.IP] == d {
			delete(r.byIP, a.IP)
		}
	}
	for _, id := range d.ids {
		r.unfile(d, id)
	}
	r.clues -= len(d.clues)
	d.clues = nil
	delete(r.byID, d.id)
	if r.cfg.Store != nil {
		r.gone[d.id] = true
	}
	r.stale = true
}

// evict makes room: an eighth of the devices goes, those of which the least is
// known first, then those not heard of for longest. What the owner has spoken
// about stays.
func (r *Registry) evict() {
	all := make([]*entry, 0, len(r.byID))
	for _, d := range r.byID {
		all = append(all, d)
	}
	rank := func(d *entry) int {
		switch {
		case d.owned():
			return 2
		case len(d.clues) >= 3:
			return 1
		}
		return 0
	}
	slices.SortFunc(all, func(a, b *entry) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.last, b.last), cmp.Compare(a.id, b.id))
	})
	for _, d := range all[:max(1, len(all)/8)] {
		if d.owned() && len(r.byID) < 2*MaxDevices {
			break
		}
		r.remove(d)
		r.stats.Evicted++
	}
}
