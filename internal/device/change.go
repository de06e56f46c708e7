package device

import (
	"github.com/yamori-net/yamori/internal/event"
)

// ChangeType is what happened to a device.
type ChangeType string

// Changes.
const (
	New         ChangeType = "new"
	Returned    ChangeType = "returned"
	KindChanged ChangeType = "kind_changed"
	Gone        ChangeType = "gone"
)

// EventType is the EVE event_type of a Change.
const EventType event.Type = "device"

// Change is one thing that happened to a device. It is the body of an event.
type Change struct {
	Type   ChangeType
	Time   int64 // packet time, ns
	Device Device
	Old    string // kind before, of KindChanged
}

// Event returns c as an event.
func (c *Change) Event() *event.Event {
	return &event.Event{Time: c.Time, Type: EventType, Body: c}
}

// EncodeEVE appends "device":{…}.
func (c *Change) EncodeEVE(e *event.Encoder) {
	e.Obj("device")
	e.Str("change", string(c.Type))
	e.OptStr("old_kind", c.Old)
	c.Device.Encode(e)
	e.EndObj()
}

// Encode appends the members of d to an open object.
func (d *Device) Encode(e *event.Encoder) {
	e.Str("id", d.ID)
	mac := ""
	if d.HasMAC {
		mac = string(event.AppendMAC(nil, d.MAC))
	}
	e.Str("mac", mac)
	if len(d.MACs) > 1 {
		e.Arr("macs")
		for _, m := range d.MACs {
			e.Str("", string(event.AppendMAC(nil, m)))
		}
		e.EndArr()
	}
	if d.Random {
		e.Bool("random_mac", true)
	}
	e.Arr("addresses")
	for _, a := range d.Addresses {
		e.Addr("", a)
	}
	e.EndArr()
	e.Str("kind", d.Kind)
	e.Str("os", d.OS)
	e.Str("maker", d.Maker)
	e.Str("model", d.Model)
	e.Str("name", d.Name)
	e.OptStr("person", d.Person)
	e.Float("confidence", d.Confidence, 2)
	if d.Sure != (Sure{}) {
		e.Obj("sure")
		for _, s := range [...]struct {
			key string
			v   float64
		}{{"os", d.Sure.OS}, {"maker", d.Sure.Maker}, {"model", d.Sure.Model}, {"name", d.Sure.Name}} {
			if s.v > 0 {
				e.Float(s.key, s.v, 2)
			}
		}
		e.EndObj()
	}
	if d.Owned {
		e.Bool("owner_said", true)
	}
	event.EncodeEvidence(e, d.Evidence)
	e.Time("first", d.First)
	e.Time("last", d.Last)
	if d.KindAt != 0 {
		e.Time("kind_known", d.KindAt)
	}
}

// tell queues a change; unlock hands it over.
func (r *Registry) tell(t ChangeType, d *entry, now int64, old string) {
	if r.cfg.OnChange == nil || len(r.out) >= MaxDevices {
		return
	}
	r.out = append(r.out, Change{Type: t, Time: now, Device: d.device(), Old: old})
}

// unlock gives the lock back and tells what happened while it was held.
func (r *Registry) unlock() {
	out := r.out
	r.out = nil
	r.mu.Unlock()
	for i := range out {
		r.cfg.OnChange(out[i])
	}
}
