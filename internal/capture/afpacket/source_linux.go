package afpacket

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yamori-net/yamori/internal/capture"
	"github.com/yamori-net/yamori/internal/packet"
)

// Source is the share of one worker in the traffic of an interface.
type Source struct {
	group *group
	sock  *socket // nil while the interface is away
	frame packet.Frame
	poll  [1]unix.PollFd
	// Monotonic times; the clock of the frames is the kernel's.
	spoke time.Time // the handler was last called
	asked time.Time // the drop counter was last read

	state atomic.Int32
	stop  atomic.Bool

	packets, bytes, dropped, lost atomic.Uint64
}

// States of a Source.
const (
	fresh int32 = iota
	running
	ended
)

// New opens the interface for all workers. An interface that does not exist is
// an error; one that is down is waited for by Run. Every Source must be run or
// closed.
func New(c Config) ([]*Source, error) {
	c.Workers = max(c.Workers, 1)
	switch {
	case c.Workers > MaxWorkers:
		return nil, fmt.Errorf("afpacket: %d workers; at most %d can share an interface", c.Workers, MaxWorkers)
	case c.RingBytes > MaxRing:
		return nil, fmt.Errorf("afpacket: a ring of %d bytes; at most %d are possible", c.RingBytes, MaxRing)
	case c.FanoutID < 0 || c.FanoutID > 0xffff:
		return nil, fmt.Errorf("afpacket: fan-out group %d is not within 0 and 65535", c.FanoutID)
	}
	if _, err := find(c.Interface); err != nil {
		return nil, fmt.Errorf("capture: %w%s", err, others())
	}
	g := &group{cfg: c, members: c.Workers, factor: newFactor(&c)}
	all := make([]*Source, c.Workers)
	for i := range all {
		all[i] = &Source{group: g}
	}
	for _, s := range all {
		var err error
		s.sock, err = g.join()
		if errors.Is(err, ErrDown) {
			g.failed(err)
			break
		}
		if err != nil {
			for _, s := range all {
				s.Close()
			}
			return nil, fmt.Errorf("capture on %s: %w", c.Interface, err)
		}
	}
	return all, nil
}

// others names the interfaces there are, for who mistyped one.
func others() string {
	list, err := net.Interfaces()
	if err != nil || len(list) == 0 {
		return ""
	}
	var names []string
	for _, i := range list[:min(len(list), 20)] {
		names = append(names, i.Name)
	}
	return " (there are: " + strings.Join(names, ", ") + ")"
}

// Run delivers frames until the context ends, which is not an error, or until
// the interface went away and cannot be opened again for want of permission.
// While nothing arrives it ticks every quarter of a second. It may be called
// once; the socket is closed when it returns.
func (s *Source) Run(ctx context.Context, h capture.Handler) error {
	if !s.state.CompareAndSwap(fresh, running) {
		return errors.New("afpacket: source was run or closed before")
	}
	defer s.end()
	s.spoke = time.Now()
	backoff := minBackoff
	for ctx.Err() == nil && !s.stop.Load() {
		if s.sock == nil {
			sock, err := s.group.join()
			if errors.Is(err, ErrPermission) {
				return fmt.Errorf("capture on %s: %w", s.group.cfg.Interface, err)
			}
			if err != nil {
				s.group.failed(err)
				switch {
				case errors.Is(err, errBusy):
					backoff = minBackoff
				case errors.Is(err, errIdle):
					backoff = pollTime
				}
				s.pause(ctx, backoff, h)
				backoff = min(2*backoff, maxBackoff)
				continue
			}
			s.sock, backoff = sock, minBackoff
		}
		s.drain(ctx, h)
		err := s.wait()
		if time.Since(s.spoke) >= pollTime {
			s.tick(h)
		}
		if err != nil {
			s.leave(ctx, err, h)
		}
	}
	return nil
}

// drain delivers the blocks that are ready.
func (s *Source) drain(ctx context.Context, h capture.Handler) {
	for ctx.Err() == nil && !s.stop.Load() {
		b := s.sock.take()
		if b == nil {
			return
		}
		var n, size uint64
		for b.next(&s.frame) {
			n++
			size += uint64(len(s.frame.Data))
			h(&s.frame)
		}
		s.sock.give()
		s.packets.Add(n)
		s.bytes.Add(size)
		now := time.Now()
		if n > 0 {
			s.spoke = now
		}
		if now.Sub(s.asked) >= pollTime {
			s.count(now)
		}
	}
}

// wait sleeps until a block is ready or pollTime is over. It returns an error
// when the interface went away.
func (s *Source) wait() error {
	s.poll[0] = unix.PollFd{Fd: int32(s.sock.fd), Events: unix.POLLIN | unix.POLLERR}
	n, err := unix.Poll(s.poll[:], int(pollTime.Milliseconds()))
	if err != nil && err != unix.EINTR {
		return fmt.Errorf("%w: poll: %w", ErrDown, err)
	}
	if s.sock.stale.Load() {
		return ErrDown
	}
	if n > 0 && s.poll[0].Revents&(unix.POLLERR|unix.POLLHUP|unix.POLLNVAL) != 0 {
		code, err := unix.GetsockoptInt(s.sock.fd, unix.SOL_SOCKET, unix.SO_ERROR)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrDown, err)
		}
		if code != 0 {
			return fmt.Errorf("%w: %s: %w", ErrDown, s.group.cfg.Interface, unix.Errno(code))
		}
	}
	return nil
}

// tick calls the handler without a frame and reads the counters.
func (s *Source) tick(h capture.Handler) {
	s.spoke = time.Now()
	if s.sock != nil {
		s.count(s.spoke)
	}
	h(nil)
}

// count asks the kernel what it dropped.
func (s *Source) count(now time.Time) {
	s.dropped.Add(s.sock.drops())
	s.asked = now
}

// leave takes what is still in the ring and gives up the socket.
func (s *Source) leave(ctx context.Context, err error, h capture.Handler) {
	s.drain(ctx, h)
	s.pause(ctx, 2*retireTime, h) // the block that was being filled
	s.drain(ctx, h)
	s.dropped.Add(s.sock.drops())
	sock := s.sock
	s.sock = nil
	if s.group.lose(sock, err) {
		s.lost.Add(1)
	}
}

// pause sleeps for d, ticking.
func (s *Source) pause(ctx context.Context, d time.Duration, h capture.Handler) {
	for d > 0 && !s.stop.Load() {
		step := min(d, pollTime)
		t := time.NewTimer(step)
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		}
		d -= step
		if time.Since(s.spoke) >= pollTime {
			s.tick(h)
		}
	}
}

// end closes the socket in the goroutine that read it.
func (s *Source) end() {
	if s.sock != nil {
		s.dropped.Add(s.sock.drops())
	}
	s.group.leave(s.sock)
	s.sock = nil
	s.state.Store(ended)
}

// Close frees a source that was never run. One that is running ends within
// half a second and frees itself: the ring is never unmapped under a reader.
func (s *Source) Close() error {
	if s.state.CompareAndSwap(fresh, ended) {
		s.group.leave(s.sock)
		s.sock = nil
	}
	s.stop.Store(true)
	return nil
}

// Stats returns the counters; any goroutine may ask. Packets and Bytes are
// exact to a ring block, Dropped to a quarter of a second. The sum of Lost over
// the sources of an interface is how often it went away.
func (s *Source) Stats() capture.Stats {
	return capture.Stats{
		Packets: s.packets.Load(), Bytes: s.bytes.Load(),
		Dropped: s.dropped.Load(), Lost: s.lost.Load(),
	}
}
