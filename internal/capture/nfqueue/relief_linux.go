package nfqueue

import (
	"fmt"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// relief lets packets pass for which the worker comes too late.
type relief struct {
	mu      sync.Mutex // against the socket's end
	before  [2]uint32  // newest packet at the last call of late, and the one before
	calls   int
	out     []byte
	packets atomic.Uint64
	// last is the newest packet that went on unseen, with bit 32 set; 0 once the
	// worker is past it, so that numbers may begin again.
	last atomic.Uint64
}

const reliefSet = 1 << 32

// answered reports whether the packet went on unseen. It is for the worker.
func (r *relief) answered(id uint32) bool {
	last := r.last.Load()
	if last == 0 {
		return false
	}
	if int32(id-uint32(last)) <= 0 {
		return true
	}
	r.last.CompareAndSwap(last, 0)
	return false
}

// Relieve lets all packets pass unseen when one of them waited at the last two
// calls already, and returns how many they were. Called at even intervals, by
// one goroutine that is not the worker, it bounds how long a slow or hanging
// worker holds packets up: to two or three intervals. A full queue alone does
// not: what is in it would wait for as long as the worker takes.
func (s *Source) Relieve() int {
	r := &s.relief
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.state.Load() == 2 {
		return 0
	}
	text, err := s.table()
	if err != nil {
		return 0
	}
	n, now, late := r.late(string(text), s.cfg.Queue)
	if !late {
		return 0
	}
	r.last.Store(reliefSet | uint64(now))
	if s.acceptAll(now) != nil {
		r.last.Store(0)
		return 0
	}
	r.packets.Add(n)
	return int(n)
}

// late looks at the kernel's list of queues: how many packets wait, the newest
// of them, and whether one waited at the last two calls already.
func (r *relief) late(table string, queue uint16) (n uint64, newest uint32, late bool) {
	n, _, last := queueCounters(table, queue)
	newest = uint32(last)
	oldest := newest - uint32(n) + 1
	late = n > 0 && r.calls >= 2 && int32(oldest-r.before[1]) <= 0
	r.before[1], r.before[0] = r.before[0], newest
	r.calls = min(r.calls+1, 2)
	return n, newest, late
}

// acceptAll lets all packets up to newest pass. The caller holds relief.mu.
func (s *Source) acceptAll(newest uint32) error {
	r := &s.relief
	r.out = verdictMessage(r.out[:0], msgVerdictBatch, s.cfg.Queue, newest, nfAccept, 0, false)
	if h := s.cfg.Handover; h != nil {
		return unix.Send(h.Verdicts, r.out, unix.MSG_NOSIGNAL)
	}
	return Forward(s.fd, r.out)
}

// ahead is added to the newest packet that was seen, for those that come between
// the look and the answer.
const ahead = 1 << 20

// letGo lets pass what waits in the queue before it is let go of, which would
// drop it. The caller holds relief.mu.
func (s *Source) letGo() {
	text, err := s.table()
	if err != nil {
		return
	}
	if n, _, newest := queueCounters(string(text), s.cfg.Queue); n > 0 {
		s.relief.packets.Add(n)
		_ = s.acceptAll(uint32(newest) + ahead)
	}
}

// Standby answers the kernel in place of a process that was handed a queue
// (Handover) and is stopped, or gone. It belongs to one goroutine at a time.
type Standby struct {
	fd, table int
	queue     uint16
	relief    relief
	out       []byte
}

// NewStandby takes the socket that Bind returned, or a copy of it, which is the
// caller's to close.
func NewStandby(fd int, queue uint16) (*Standby, error) {
	table, err := OpenTable()
	if err != nil {
		return nil, fmt.Errorf("nfqueue: %w", err)
	}
	return &Standby{fd: fd, table: table, queue: queue}, nil
}

// Late reports whether a packet waits that waited at the last two calls already:
// see Source.Relieve.
func (s *Standby) Late() bool {
	_, _, late := s.relief.late(s.read(), s.queue)
	return late
}

// Release lets everything pass that waits, and returns how many packets that are.
// The other process may still judge them; its answers come too late. Before the
// queue is let go of it keeps the kernel from dropping them.
func (s *Standby) Release() int {
	n, _, newest := queueCounters(s.read(), s.queue)
	if n == 0 {
		return 0
	}
	s.out = verdictMessage(s.out[:0], msgVerdictBatch, s.queue, uint32(newest)+ahead, nfAccept, 0, false)
	if Forward(s.fd, s.out) != nil {
		return 0
	}
	return int(n)
}

// Close lets go of the list of queues.
func (s *Standby) Close() { _ = unix.Close(s.table) }

func (s *Standby) read() string {
	var text [tableSize]byte
	n, err := unix.Pread(s.table, text[:], 0)
	if err != nil {
		return ""
	}
	return string(text[:max(n, 0)])
}
