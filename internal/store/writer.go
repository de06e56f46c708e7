package store

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/ncruces/go-sqlite3"
)

// request is work for the writer. Requests that wait together are committed
// together.
type request struct {
	durable bool
	flush   bool         // write all that waits, too
	run     func() error // in the transaction; may run again after a roll-back
	after   func()       // once committed
	done    chan error
}

// refusal is an error of the caller's making: nothing was written for it, and
// the others of its transaction go on.
type refusal struct{ error }

func (r refusal) Unwrap() error { return r.error }

// do hands r to the writer and waits. When ctx ends first the work may still
// be done.
func (s *Store) do(ctx context.Context, r *request) error {
	r.done = make(chan error, 1)
	select {
	case s.reqs <- r:
	case <-ctx.Done():
		return ctx.Err()
	case <-s.quit:
		return ErrClosed
	}
	select {
	case err := <-r.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-s.done:
		select {
		case err := <-r.done:
			return err
		default:
			return ErrClosed
		}
	}
}

// write is the writer's goroutine.
func (s *Store) write() {
	defer close(s.done)
	tick := time.NewTicker(s.cfg.FlushEvery)
	defer tick.Stop()
	for {
		select {
		case r := <-s.reqs:
			s.clk.look()
			s.group(r)
		case <-s.kick:
			s.clk.look()
			s.takeFindings()
			if s.q.pressing() {
				s.flush()
			}
		case <-tick.C:
			s.clk.look()
			s.takeFindings()
			s.flush()
			s.maintain()
		case <-s.quit:
			s.clk.look()
			for {
				select {
				case r := <-s.reqs:
					s.group(r)
					continue
				default:
				}
				break
			}
			s.takeFindings()
			s.flush()
			return
		}
		s.keepBounds()
	}
}

// maxGroup bounds the requests committed together.
const maxGroup = 64

// group commits r and what waits behind it.
func (s *Store) group(r *request) {
	batch := append(make([]*request, 0, 8), r)
	for len(batch) < maxGroup {
		select {
		case r := <-s.reqs:
			batch = append(batch, r)
			continue
		default:
		}
		break
	}
	if !s.commit(batch) && len(batch) > 1 {
		for i := range batch { // whose fault it was is found one by one
			s.commit(batch[i : i+1])
		}
	}
	for _, r := range batch {
		if r.flush {
			s.takeFindings()
			err := s.flush()
			r.done <- err
		}
	}
}

// commit runs the requests in one transaction and answers them. False: it
// failed and the requests of a group are not answered.
func (s *Store) commit(batch []*request) bool {
	durable := false
	for _, r := range batch {
		durable = durable || r.durable
	}
	errs := make([]error, len(batch))
	work := func() error {
		for i, r := range batch {
			err := r.run()
			var no refusal
			if errors.As(err, &no) {
				errs[i] = no.error
			} else if err != nil {
				return err
			}
		}
		return nil
	}
	err := s.tx(durable, work)
	if err != nil && len(batch) > 1 {
		return false
	}
	for i, r := range batch {
		if err == nil && errs[i] == nil && r.after != nil {
			r.after()
		}
		e := err
		if e == nil {
			e = errs[i]
		}
		if e != nil || !r.flush {
			r.flush = false
			r.done <- e
		}
	}
	return true
}

// tx is conn.tx with what belongs to it: room is made when there is none, the
// words and figures follow a roll-back, the owner is told.
func (s *Store) tx(durable bool, f func() error) error {
	err := s.w.tx(durable, f)
	if err = s.room(err); isFull(err) {
		s.undo()
		_ = s.checkpoint() // gives back the log's bytes
		again := true
		if !errors.Is(err, errNoSpace) {
			again = s.trim(true)
		} else if durable { // others filled the disk: no record is given up for them
			s.dropSpare()
		}
		if again {
			err = s.room(s.w.tx(durable, f))
		}
	}
	if err != nil {
		s.undo()
	} else {
		s.words.done(true)
	}
	s.health.wrote(err, s.clk.estimate())
	return err
}

func (s *Store) undo() {
	s.words.done(false)
	s.fig.forget()
	s.repeats.forget()
	s.w.sync = "" // whatever it is now
}

// takeFindings commits the findings that were offered.
func (s *Store) takeFindings() {
	for {
		batch := s.q.findings(s.lim.txRows)
		if len(batch) == 0 {
			return
		}
		var add adder
		err := s.tx(true, func() error {
			add = adder{s: s}
			for i := range batch {
				if _, err := add.finding(&batch[i]); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			s.q.back(batch)
			return
		}
		add.commit()
	}
}

// flush writes all that waits. What cannot be written stays.
func (s *Store) flush() error {
	defer s.publish()
	s.out = s.q.items(s.out)
	for len(s.out) > 0 {
		n := min(len(s.out), s.lim.txRows)
		first := s.seq
		err := s.tx(false, func() error {
			s.seq = first // ids of a roll-back were never seen
			for i := range s.out[:n] {
				if err := s.out[i].insert(s); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		var bytes int64
		for i := range s.out[:n] {
			it := &s.out[i]
			bytes += it.size()
			s.fig.span(it.time, it.id)
			*it = item{}
		}
		s.q.wrote(bytes)
		s.out = s.out[n:]
		s.bound()
	}
	s.out = nil
	traffic, devices := s.q.maps()
	if len(s.fig.cells)+len(s.fig.spans)+len(s.repeats.add)+len(traffic)+len(devices) == 0 {
		return nil
	}
	err := s.flushManyDevices(devices)
	if err != nil {
		s.q.mapsBack(traffic, devices)
		return err
	}
	err = s.tx(true, func() error {
		if err := s.flushTraffic(traffic); err != nil {
			return err
		}
		if err := s.flushDevices(devices); err != nil {
			return err
		}
		return s.flushMeta(s.seq)
	})
	if err != nil {
		s.q.mapsBack(traffic, devices)
		return err
	}
	s.fig.flushed(bucketOf(s.clk.estimate(), s.zone()))
	s.repeats.flushed()
	s.compactSome()
	return nil
}

// keepBounds puts the log into the database and makes room, when it is time.
func (s *Store) keepBounds() {
	if len(s.fig.cells) >= maxPending {
		_ = s.flush()
	}
	s.bound()
}

func (s *Store) bound() {
	if st, err := os.Stat(s.path + "-wal"); err == nil && st.Size() >= s.lim.walSoft {
		s.health.note(s.checkpoint())
	}
	s.trim(false)
}

// checkpoint puts the log into the database and empties it, while no reader
// reads.
func (s *Store) checkpoint() error {
	s.gate.Lock()
	defer s.gate.Unlock()
	return s.checkpointLocked()
}

func (s *Store) checkpointLocked() error {
	_, _, err := s.w.db.WALCheckpoint("main", sqlite3.CHECKPOINT_TRUNCATE)
	return err
}

// room turns an error of writing into errNoSpace as well, when the disk is
// full: a write cut short by it is reported as a plain error of the disk.
func (s *Store) room(err error) error {
	if err == nil || !isFull(err) && !isDiskTrouble(err) {
		return err
	}
	if free, ok := freeBytes(s.cfg.Dir); ok && free < 64<<10 {
		return errors.Join(errNoSpace, err)
	}
	return err
}

// isDiskTrouble reports whether err may pass by itself.
func isDiskTrouble(err error) bool {
	return errors.Is(err, sqlite3.IOERR) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EROFS) || errors.Is(err, fs.ErrPermission)
}
