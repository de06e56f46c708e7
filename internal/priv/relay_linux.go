package priv

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yamori-net/yamori/internal/capture/nfqueue"
)

// maxVerdicts bounds what a worker sends at once: nfqueue writes before it has
// 4 KiB and one batch more.
const maxVerdicts = 16 << 10

// Tries of a queue that is taken.
const (
	busyTries = 10
	busyGap   = 20 * time.Millisecond
)

// queue binds a queue and returns the kernel's socket, the way for verdicts and
// the kernel's list of queues.
func (s *server) queue(r *queueRequest) ([]int, error) {
	s.mu.Lock()
	n := len(s.queues)
	s.mu.Unlock()
	if n >= maxQueues {
		return nil, fmt.Errorf("%w: more than %d queues", ErrRefused, maxQueues)
	}
	nl, err := nfqueue.Bind(nfqueue.Config{Queue: r.Queue, Length: r.Length, Range: r.Range, Buffer: r.Buffer})
	for range busyTries { // a relay that was left may not have let go yet
		if !errors.Is(err, nfqueue.ErrBusy) {
			break
		}
		time.Sleep(busyGap)
		nl, err = nfqueue.Bind(nfqueue.Config{Queue: r.Queue, Length: r.Length, Range: r.Range, Buffer: r.Buffer})
	}
	if err != nil {
		return nil, err
	}
	ours, err := unix.FcntlInt(uintptr(nl), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		_ = unix.Close(nl)
		return nil, err
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		_, _ = unix.Close(nl), unix.Close(ours)
		return nil, err
	}
	fds := []int{nl, pair[1]}
	if table, err := nfqueue.OpenTable(); err == nil {
		fds = append(fds, table)
	}
	s.mu.Lock()
	s.queues = append(s.queues, pair[0])
	s.mu.Unlock()
	s.relays.Go(func() { s.relay(pair[0], ours, r.Queue) })
	return fds, nil
}

// Times of a daemon that does not answer the kernel.
const (
	// relieveEvery is far above the daemon's own, so that it is the daemon as a
	// whole that is stopped: a packet waits for two or three of these.
	relieveEvery = 100 * time.Millisecond
	// relievedFor is how long it is not told again.
	relievedFor = 10 * time.Second
)

// standBy lets packets pass while the daemon is stopped or gets no processor,
// until done is closed: those that wait, and with them all others at once,
// without waiting for the heartbeat to be missed. The heart begins again when
// it beats.
func (s *server) standBy(b *nfqueue.Standby, done <-chan struct{}) {
	t := time.NewTicker(relieveEvery)
	defer t.Stop()
	for {
		select {
		case <-done:
			return
		case <-t.C:
		}
		if !b.Late() {
			continue
		}
		if table := s.rules(); table != nil {
			_ = table.Rest() // first, or the answers to them would wait, too
		}
		n := b.Release()
		s.relieved.Add(uint64(n))
		now := time.Now().UnixNano()
		if was := s.told.Swap(now); now-was > int64(relievedFor) {
			s.log.Warn("packets pass by uninspected: the daemon does not answer for them", "packets", n)
		}
	}
}

// relay sends verdicts on until the worker is gone, and lets pass then what it
// left. The goroutine has a thread of its own while it waits, so that a verdict
// is not held up by others.
func (s *server) relay(from, to int, queue uint16) {
	if b, err := nfqueue.NewStandby(to, queue); err == nil {
		done, ended := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(ended)
			s.standBy(b, done)
		}()
		defer func() { // before the socket is closed, below
			close(done)
			<-ended
			if table := s.rules(); table != nil {
				_ = table.Rest() // or packets came between the last two steps
			}
			s.relieved.Add(uint64(b.Release()))
			b.Close()
			_ = unix.Close(to)
		}()
	} else {
		defer func() { _ = unix.Close(to) }()
	}
	buf := make([]byte, maxVerdicts+1)
	refused := 0
	for {
		n, _, err := unix.Recvfrom(from, buf, 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil || n == 0 {
			break
		}
		if n > maxVerdicts || !nfqueue.OnlyVerdicts(buf[:n], queue) {
			if refused++; refused&(refused-1) == 0 {
				s.log.Error("the privileged process refused a verdict", "queue", queue, "refused", refused)
			}
			continue
		}
		for range 3 {
			err := nfqueue.Forward(to, buf[:n])
			if err != unix.EINTR && err != unix.EAGAIN && err != unix.ENOBUFS {
				break
			}
		}
	}
	s.mu.Lock()
	for i, fd := range s.queues {
		if fd == from {
			s.queues = append(s.queues[:i], s.queues[i+1:]...)
			break
		}
	}
	s.mu.Unlock()
	_ = unix.Close(from)
}
