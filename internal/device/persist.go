package device

import (
	"encoding/json"
	"errors"
	"net/netip"
	"slices"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
)

// Persistence keeps devices over a restart: one JSON record for each ID. The
// store that is behind it decides how; records are opaque to it.
type Persistence interface {
	// Load calls f with every record; an error of f ends it.
	Load(f func(id string, record []byte) error) error
	// Save replaces the record of id, or deletes it when record is nil. It
	// returns when the record is durable.
	Save(id string, record []byte) error
}

// record is what is kept of a device.
type record struct {
	Version int          `json:"version"`
	ID      string       `json:"id"`
	First   int64        `json:"first"`
	Last    int64        `json:"last"`
	KindAt  int64        `json:"kind_at,omitempty"`
	Kind    string       `json:"kind,omitempty"` // as judged
	Present bool         `json:"present,omitempty"`
	MACs    []recordMAC  `json:"macs,omitempty"`
	Addrs   []recordAddr `json:"addresses,omitempty"`
	Clues   []recordClue `json:"clues,omitempty"`
	Owner   Correction   `json:"owner"`
	Apart   []string     `json:"apart,omitempty"`
}

type recordMAC struct {
	MAC    string `json:"mac"`
	First  int64  `json:"first"`
	Last   int64  `json:"last"`
	Pinned bool   `json:"pinned,omitempty"`
}

type recordAddr struct {
	IP   netip.Addr `json:"ip"`
	MAC  string     `json:"mac,omitempty"`
	Last int64      `json:"last"`
}

type recordClue struct {
	Source Source `json:"source"`
	Key    string `json:"key"`
	Value  string `json:"value"`
	Time   int64  `json:"time"`
	MAC    string `json:"mac,omitempty"`
}

const recordVersion = 1

func macText(m packet.MAC) string {
	if m == (packet.MAC{}) {
		return ""
	}
	return string(event.AppendMAC(nil, m))
}

func parseMAC(s string) (m packet.MAC) {
	if len(s) != 17 {
		return m
	}
	for i := range m {
		h, l := unhex(s[3*i]), unhex(s[3*i+1])
		if h > 15 || l > 15 {
			return packet.MAC{}
		}
		m[i] = h<<4 | l
	}
	return m
}

func unhex(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	}
	return 255
}

func (d *entry) record() ([]byte, error) {
	r := record{Version: recordVersion, ID: d.id, First: d.first, Last: d.last, KindAt: d.kindAt, Kind: d.profile.Kind.Value,
		Present: d.present, Owner: d.owner, Apart: d.apart}
	for _, m := range d.macs {
		r.MACs = append(r.MACs, recordMAC{macText(m.MAC), m.First, m.Last, m.Pinned})
	}
	for _, a := range d.addrs {
		r.Addrs = append(r.Addrs, recordAddr{a.IP.Netip(), macText(a.MAC), a.Last})
	}
	for _, c := range d.clues {
		r.Clues = append(r.Clues, recordClue{c.Source, c.Key, c.Value, c.Time, macText(c.MAC)})
	}
	return json.Marshal(&r)
}

// Save hands everything that changed to the store. The owner's changes call it
// themselves; for the rest the daemon does, once a minute and at the end.
func (r *Registry) Save() error {
	if r.cfg.Store == nil {
		return nil
	}
	r.saving.Lock() // one at a time, so that an older record never follows a newer one
	defer r.saving.Unlock()
	type change struct {
		d    *entry
		id   string
		data []byte
	}
	var list []change
	r.mu.Lock()
	for id := range r.gone {
		if r.byID[id] == nil {
			list = append(list, change{id: id})
		}
	}
	clear(r.gone)
	var errs []error
	for _, d := range r.byID {
		if !d.unsaved {
			continue
		}
		b, err := d.record()
		if err != nil {
			errs = append(errs, err)
			continue
		}
		d.unsaved = false
		list = append(list, change{d, d.id, b})
	}
	r.mu.Unlock()
	slices.SortFunc(list, func(a, b change) int {
		if a.id < b.id {
			return -1
		}
		return 1
	})
	for _, c := range list {
		if err := r.cfg.Store.Save(c.id, c.data); err != nil {
			errs = append(errs, err)
			r.mu.Lock() // to be tried again
			if c.d != nil {
				c.d.unsaved = true
			} else {
				r.gone[c.id] = true
			}
			r.mu.Unlock()
		}
	}
	return errors.Join(errs...)
}

func (r *Registry) load() error {
	if r.cfg.Store == nil {
		return nil
	}
	r.mu.Lock()
	defer r.unlock()
	err := r.cfg.Store.Load(func(id string, data []byte) error {
		var rec record
		if err := json.Unmarshal(data, &rec); err != nil || rec.Version > recordVersion {
			r.faults++ // one record must not keep the home from being watched
			return nil
		}
		r.restore(id, &rec)
		return nil
	})
	if err != nil {
		return err
	}
	r.publish()
	return nil
}

// Adopt reads the store again, after a backup was restored: what the owner says
// in it holds, and devices that are only in it are known again. Everything else
// goes on as it is.
func (r *Registry) Adopt() error {
	if r.cfg.Store == nil {
		return nil
	}
	r.mu.Lock()
	err := r.cfg.Store.Load(func(id string, data []byte) error {
		var rec record
		if err := json.Unmarshal(data, &rec); err != nil || rec.Version > recordVersion {
			r.faults++
			return nil
		}
		d := r.byID[id]
		if d == nil {
			r.restore(id, &rec)
			return nil
		}
		if !KnownKind(rec.Owner.Kind) {
			rec.Owner.Kind = ""
		}
		d.owner, d.apart, d.unsaved, r.stale = rec.Owner, rec.Apart, true, true
		for _, m := range rec.MACs {
			if s := d.mac(parseMAC(m.MAC)); s != nil && m.Pinned {
				s.Pinned = true
			}
		}
		return nil
	})
	r.epoch.Add(1)
	r.publish()
	r.unlock()
	return errors.Join(err, r.Save())
}

// Faults counts records that could not be read, being damaged or of a later
// version. They stay in the store until the device speaks again.
func (r *Registry) Faults() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.faults
}

func (r *Registry) restore(id string, rec *record) {
	if r.byID[id] != nil || len(r.byID) >= MaxDevices || len(id) > 128 {
		return
	}
	d := &entry{id: id, first: rec.First, last: rec.Last, told: true, present: rec.Present, owner: rec.Owner, apart: rec.Apart}
	d.profile.Kind.Value = Unknown
	if KnownKind(rec.Kind) {
		d.profile.Kind.Value = rec.Kind
	}
	d.kindAt = rec.KindAt
	if !KnownKind(d.owner.Kind) {
		d.owner.Kind = ""
	}
	r.byID[id] = d
	for _, m := range rec.MACs {
		mac := parseMAC(m.MAC)
		if !isHost(mac) || r.byMAC[mac] != nil || len(d.macs) >= MaxMACs {
			continue
		}
		d.macs = append(d.macs, macState{mac, m.First, m.Last, m.Pinned})
		r.byMAC[mac] = d
		if s := d.mac(d.current); s == nil || m.Last >= s.Last {
			d.current = mac
		}
	}
	for _, a := range rec.Addrs {
		ip := packet.AddrOf(a.IP)
		if !a.IP.IsValid() || r.byIP[ip] != nil || len(d.addrs) >= MaxAddresses {
			continue
		}
		d.addrs = append(d.addrs, addrState{ip, parseMAC(a.MAC), a.Last})
		r.byIP[ip] = d
	}
	for _, c := range rec.Clues {
		if c.Source == Seen || len(c.Value) > MaxValue || r.clues >= MaxAllClues {
			continue
		}
		k := Clue{Source: c.Source, Key: c.Key, Value: c.Value, Time: c.Time, MAC: parseMAC(c.MAC)}
		r.keep(d, k)
		if x, ok := identityOf(&k); ok && !slices.Contains(d.ids, x) && len(d.ids) < MaxIDs {
			d.ids = append(d.ids, x)
			r.ids[x] = append(r.ids[x], d)
		}
	}
	if r.cfg.Judge != nil {
		r.judge(d, d.last)
	}
	d.unsaved = false
	r.now = max(r.now, d.last)
}
