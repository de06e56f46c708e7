package store

import (
	"net/netip"
	"time"

	"github.com/yamori-net/yamori/internal/event"
)

const (
	// repeatWindow is how long after the last one a finding like it counts
	// as its repeat.
	repeatWindow = time.Hour
	// maxRepeats bounds the findings whose repeats are known.
	maxRepeats = 1024
)

// repeatKey is what makes two findings the same.
type repeatKey struct {
	device, family, action string
	category               event.Category
	level                  event.Level
	signature              uint32
	direction              Direction
	remote                 netip.Addr
}

func keyOf(f *Finding) repeatKey {
	return repeatKey{f.Device, f.Family, f.Action, f.Category, f.Level, f.Signature, f.Direction, f.Remote}
}

type repeat struct {
	id   int64
	last time.Time
}

// repeats counts what is found again and again on one record, so that a
// device that mines all night does not fill the store or wear out the flash.
// Owned by the writer.
type repeats struct {
	known map[repeatKey]repeat
	add   map[int64]repeatAdd // not yet written
}

type repeatAdd struct {
	n    int64
	last time.Time
}

func (r *repeats) init() {
	r.known, r.add = map[repeatKey]repeat{}, map[int64]repeatAdd{}
}

// find returns the record that f repeats.
func (r *repeats) find(f *Finding) (id int64, ok bool) {
	k, ok := r.known[keyOf(f)]
	if !ok {
		return 0, false
	}
	d := f.Time.Sub(k.last)
	return k.id, d > -repeatWindow && d < repeatWindow
}

// note remembers that f is (or repeats) record id.
func (r *repeats) note(f *Finding, id int64) {
	k := keyOf(f)
	if _, ok := r.known[k]; !ok && len(r.known) >= maxRepeats {
		for old := range r.known { // whichever: it only costs a record more
			delete(r.known, old)
			break
		}
	}
	r.known[k] = repeat{id, f.Time}
}

func (r *repeats) count(id, n int64, last time.Time) {
	a := r.add[id]
	a.n += n
	if last.After(a.last) {
		a.last = last
	}
	r.add[id] = a
}

// forget is called when records went or a transaction failed.
func (r *repeats) forget() { clear(r.known) }

func (r *repeats) flush(c *conn) error {
	for id, a := range r.add {
		if err := c.exec("UPDATE findings SET count=count+?, last=max(last, ?) WHERE id=?", a.n, a.last.UnixMilli(), id); err != nil {
			return err
		}
	}
	return nil
}

func (r *repeats) flushed() { clear(r.add) }

// forgetID ends the repeats of a record the owner has dealt with: what comes
// again is new to them.
func (r *repeats) forgetID(id int64) {
	for k, v := range r.known {
		if v.id == id {
			delete(r.known, k)
		}
	}
}
