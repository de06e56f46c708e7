package store

import (
	"context"
	"fmt"
	"time"

	"github.com/yamori-net/yamori/internal/event"
)

// Receipt says what became of a finding.
type Receipt struct {
	ID int64
	// Repeat: it is one more of record ID, which is on the disk; that it came
	// again follows within FlushEvery.
	Repeat bool
}

// adder gathers what a transaction of findings changes in memory once it is
// committed.
type adder struct {
	s      *Store
	single bool // each gets a record of its own, repeats too
	after  []func()
}

func (a *adder) finding(f *Finding) (Receipt, error) {
	s := a.s
	f.Count = max(f.Count, 1)
	if when, est := s.clk.stamp(f.Time); est {
		f.Time, f.Last, f.Estimated = when, when, true
	}
	if f.Last.Before(f.Time) {
		f.Last = f.Time
	}
	// What is imported carries the owner's state and stays as it is.
	fresh := !a.single && f.State == New && f.Count == 1 && f.Note == ""
	if fresh {
		if id, ok := s.repeats.find(f); ok {
			d, err := s.cellOf(s.w, f)
			if err != nil {
				return Receipt{}, err
			}
			s.repeats.note(f, id)
			t := f.Time
			a.after = append(a.after, func() {
				s.repeats.count(id, 1, t)
				s.count(t, d, 1)
			})
			return Receipt{ID: id, Repeat: true}, nil
		}
	}
	s.seq++
	id, t, n := s.seq, f.Time, f.Count
	d, err := s.insertFinding(id, f)
	if err != nil {
		return Receipt{}, err
	}
	if fresh {
		s.repeats.note(f, id)
	}
	a.after = append(a.after, func() {
		s.count(t, d, n)
		s.fig.span(t, id)
	})
	return Receipt{ID: id}, nil
}

func (a *adder) commit() {
	for _, f := range a.after {
		f()
	}
}

// AddFinding keeps one finding. When it returns without error, the finding is
// on the disk.
func (s *Store) AddFinding(ctx context.Context, f Finding) (Receipt, error) {
	r, err := s.AddFindings(ctx, []Finding{f})
	if err != nil {
		return Receipt{}, err
	}
	return r[0], nil
}

// AddFindings keeps several, in as few transactions as the bounds allow. The
// receipts are those of the findings that are on the disk, also with an error.
func (s *Store) AddFindings(ctx context.Context, list []Finding) ([]Receipt, error) {
	return s.addFindings(ctx, list, false)
}

func (s *Store) addFindings(ctx context.Context, list []Finding, single bool) ([]Receipt, error) {
	for i := range list {
		if len(list[i].EVE) > maxBody {
			return nil, fmt.Errorf("%w: a finding's line of %d bytes", ErrTooBig, len(list[i].EVE))
		}
	}
	out := make([]Receipt, 0, len(list))
	for len(list) > 0 {
		part := list[:min(len(list), s.lim.txRows)]
		list = list[len(part):]
		got := make([]Receipt, len(part))
		var add adder
		err := s.do(ctx, &request{durable: true, run: func() (err error) {
			add = adder{s: s, single: single}
			for i := range part {
				f := part[i] // stays as the caller gave it
				if got[i], err = add.finding(&f); err != nil {
					return err
				}
			}
			return nil
		}, after: func() { add.commit() }})
		if err != nil {
			return out, err
		}
		out = append(out, got...)
	}
	return out, nil
}

// AddEvent queues an event that is no finding (a device that joined, a
// setting that took effect), written within FlushEvery. Events of protocols
// hold names that a household visited: the caller decides which types are
// kept. It is false when the queue is full.
func (s *Store) AddEvent(eve *event.EVE, ev *event.Event, device string) bool {
	return s.addEventLine(time.Unix(0, ev.Time), string(ev.Type), device, lineOf(eve, ev))
}

func (s *Store) addEventLine(t time.Time, typ, device string, line []byte) bool {
	if typ == "" || len(line) > maxBody {
		return false
	}
	return s.offer(item{time: t, typ: typ, device: device, line: line})
}

// Count adds n to the figures without keeping a record: what is counted
// elsewhere, or comes too often to be kept one by one.
func (s *Store) Count(ctx context.Context, f Finding, n int64) error {
	var d cell
	return s.do(ctx, &request{run: func() (err error) {
		d, err = s.cellOf(s.w, &f)
		return err
	}, after: func() {
		t, _ := s.clk.stamp(f.Time)
		s.count(t, d, n)
	}})
}

// insert writes the item; called in a transaction.
func (it *item) insert(s *Store) error {
	t, est := s.clk.stamp(it.time)
	it.time, it.estimated = t, it.estimated || est
	var flags int64
	if it.estimated {
		flags = flagEstimated
	}
	s.seq++
	it.id = s.seq
	dev, err := s.words.id(s.w, it.device)
	if err != nil {
		return err
	}
	if f := it.flow; f != nil {
		app, err := s.words.id(s.w, f.App)
		if err != nil {
			return err
		}
		var remote any
		if f.Remote.IsValid() {
			remote = f.Remote.AsSlice()
		}
		return s.w.exec(`INSERT INTO flows(id, time, flags, millis, device, remote, port, proto, app, up, down) VALUES(?,?,?,?,?,?,?,?,?,?,?)`,
			it.id, t.UnixMilli(), flags, f.Length.Milliseconds(), dev, remote, int64(f.Port), int64(f.Proto), app, f.Up, f.Down)
	}
	typ, err := s.words.id(s.w, it.typ)
	if err != nil {
		return err
	}
	return s.w.exec(`INSERT INTO events(id, time, flags, type, device, body) VALUES(?,?,?,?,?,?)`, it.id, t.UnixMilli(), flags, typ, dev, s.pack.pack(it.line))
}
