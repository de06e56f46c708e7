package nfqueue

import (
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// relief lets packets pass for which the worker comes too late.
type relief struct {
	mu      sync.Mutex // against the socket's end
	before  [2]uint32  // newest packet at the last call of Relieve, and the one before
	calls   int
	out     []byte
	kernel  unix.SockaddrNetlink
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
	n, _, newest := queueCounters(string(text), s.cfg.Queue)
	oldest, now := uint32(newest)-uint32(n)+1, uint32(newest)
	late := n > 0 && r.calls >= 2 && int32(oldest-r.before[1]) <= 0
	r.before[1], r.before[0] = r.before[0], now
	r.calls = min(r.calls+1, 2)
	if !late {
		return 0
	}
	r.last.Store(reliefSet | uint64(now))
	r.out = verdictMessage(r.out[:0], msgVerdictBatch, s.cfg.Queue, now, nfAccept, 0, false)
	if h := s.cfg.Handover; h != nil {
		err = unix.Send(h.Verdicts, r.out, unix.MSG_NOSIGNAL)
	} else {
		r.kernel.Family = unix.AF_NETLINK
		err = unix.Sendto(s.fd, r.out, 0, &r.kernel)
	}
	if err != nil {
		r.last.Store(0)
		return 0
	}
	r.packets.Add(n)
	return int(n)
}
