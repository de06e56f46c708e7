package device

import (
	"errors"
	"slices"

	"github.com/yamori-net/yamori/internal/packet"
)

// Errors of the owner's changes.
var (
	ErrNotFound = errors.New("device: no such device")
	ErrKind     = errors.New("device: not a kind of device")
	ErrText     = errors.New("device: the text is longer than 256 bytes")
	ErrSplit    = errors.New("device: a device has to keep an address of its own")
	ErrMerge    = errors.New("device: a device cannot be merged with itself")
)

// Correction is what the owner says about a device; empty: nothing.
type Correction struct {
	Name   string `json:"name,omitempty"`
	Kind   string `json:"kind,omitempty"`
	Person string `json:"person,omitempty"`
	OS     string `json:"os,omitempty"`
	Maker  string `json:"maker,omitempty"`
	Model  string `json:"model,omitempty"`
}

func (d *entry) owned() bool {
	if d.owner != (Correction{}) {
		return true
	}
	for i := range d.macs {
		if d.macs[i].Pinned {
			return true
		}
	}
	return false
}

// Correct sets what the owner says about a device: it wins for good over
// whatever is guessed. Empty fields take earlier words back.
func (r *Registry) Correct(id string, c Correction) error {
	if c.Kind != "" && !KnownKind(c.Kind) {
		return ErrKind
	}
	for _, s := range [...]string{c.Name, c.Person, c.OS, c.Maker, c.Model} {
		if len(s) > maxOwnedText {
			return ErrText
		}
	}
	r.mu.Lock()
	d := r.byID[id]
	if d == nil {
		r.unlock()
		return ErrNotFound
	}
	old := d.kind()
	d.owner, d.unsaved, r.stale = c, true, true
	if d.kind() != old {
		r.tell(KindChanged, d, r.now, old)
	}
	r.publish()
	r.unlock()
	return r.Save()
}

// Correction returns what the owner said about a device.
func (r *Registry) Correction(id string) (Correction, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if d := r.byID[id]; d != nil {
		return d.owner, nil
	}
	return Correction{}, ErrNotFound
}

// Merge makes other a part of the device into, for good: they are one thing.
func (r *Registry) Merge(into, other string) error {
	r.mu.Lock()
	a, b := r.byID[into], r.byID[other]
	switch {
	case a == nil || b == nil:
		r.unlock()
		return ErrNotFound
	case a == b:
		r.unlock()
		return ErrMerge
	}
	was := b.owner
	r.join(a, b)
	if a.owner == (Correction{}) {
		a.owner = was
	}
	for i := range a.macs {
		a.macs[i].Pinned = true
	}
	a.apart = slices.DeleteFunc(a.apart, func(x string) bool { return x == other })
	r.judge(a, r.now)
	r.publish()
	r.unlock()
	return r.Save()
}

// Split makes the MAC m of a device a device of its own, for good, and returns
// its ID.
func (r *Registry) Split(id string, m packet.MAC) (string, error) {
	r.mu.Lock()
	d := r.byID[id]
	switch {
	case d == nil || d.mac(m) == nil:
		r.unlock()
		return "", ErrNotFound
	case len(d.macs) < 2:
		r.unlock()
		return "", ErrSplit
	}
	n := r.part(d, m, r.now)
	n.macs[0].Pinned = true
	for i := range d.macs {
		d.macs[i].Pinned = true
	}
	r.judge(d, r.now)
	r.judge(n, r.now)
	r.publish()
	r.unlock()
	return n.id, r.Save()
}

// Forget erases everything known about a device. Should it speak again, it is
// a new one.
func (r *Registry) Forget(id string) error {
	r.mu.Lock()
	d := r.byID[id]
	if d == nil {
		r.unlock()
		return ErrNotFound
	}
	r.remove(d)
	for _, o := range r.byID {
		if slices.Contains(o.apart, id) {
			o.apart = slices.DeleteFunc(o.apart, func(x string) bool { return x == id })
			o.unsaved = true
		}
	}
	r.epoch.Add(1)
	r.publish()
	r.unlock()
	return r.Save()
}
