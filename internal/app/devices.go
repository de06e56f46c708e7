package app

import (
	"cmp"
	"slices"

	"github.com/yamori-net/yamori/internal/device"
	"github.com/yamori-net/yamori/internal/device/clues"
	"github.com/yamori-net/yamori/internal/device/fingerprint"
	"github.com/yamori-net/yamori/internal/engine"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/report"
)

// replayDevices is the list of devices of a replay.
type replayDevices struct {
	registry *device.Registry
	batches  []*clues.Batch // one a worker; nil: the only one tells the registry directly
}

// devices makes the list of devices and lets the engine's workers tell it
// what they see. With several workers clues are put into the order of time
// after each batch, so that the account does not depend on who was faster.
func (r *Replay) devices(cfg *engine.Config, ordered []*event.Ordered) (*replayDevices, error) {
	d := &replayDevices{}
	dc := device.Config{Home: r.HomeNet, Judge: fingerprint.Judge, Exact: cfg.Workers == 1}
	sink := r.deviceEvents
	if len(ordered) > 0 {
		sink = ordered[0]
	}
	if sink != nil && slices.Contains(cfg.Events, device.EventType) {
		dc.OnChange = func(c device.Change) { sink.Event(c.Event()) }
	}
	var err error
	if d.registry, err = device.NewRegistry(dc); err != nil {
		return nil, err
	}
	if cfg.Workers > 1 {
		for range cfg.Workers {
			d.batches = append(d.batches, &clues.Batch{})
		}
	}
	cfg.Observer = func(i int) engine.Observer {
		if d.batches == nil {
			return clues.New(d.registry, r.HomeNet, d.registry.Epoch)
		}
		return clues.New(d.batches[i], r.HomeNet, d.registry.Epoch)
	}
	cfg.Refs = d.registry.Ref
	return d, nil
}

// merge hands over what the workers have gathered; they stand still.
func (d *replayDevices) merge() { clues.Merge(d.registry, d.batches...) }

// name gives findings what is known of their devices at the end.
func (d *replayDevices) name(list []report.Finding) {
	for i := range list {
		ref := &list[i].Device
		if x, ok := d.registry.Get(ref.ID); ok {
			ref.Kind, ref.Name = x.Kind, cmp.Or(x.Name, ref.Name)
		}
	}
}
