package afpacket

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"

	"golang.org/x/sys/unix"
)

// errBusy: another worker still holds a socket on what the interface was.
var errBusy = fmt.Errorf("%w: waiting for the other workers to let go of it", ErrDown)

// errIdle: one worker listens for all of them, see Source.Overhear.
var errIdle = errors.New("another worker listens")

// group is what the workers of one interface share: the fan-out group of the
// kernel and whether the interface is there. A fan-out group belongs to one
// incarnation of an interface, so after a loss all sockets are closed before
// the first is opened again.
type group struct {
	cfg Config

	mu      sync.Mutex
	members int       // workers that have not ended
	open    []*socket // at most one for each member
	id      int       // fan-out group while open is not empty
	factor  uint32    // of the hash that spreads the frames
	up      bool
	// overhear: see Source.Overhear
	overhear bool
	last     string // the last reason given to OnState
}

// fanout is the mode of the group: the kernel puts IPv4 fragments together and
// asks the program in fanout_linux.go for the worker.
const fanout = unix.PACKET_FANOUT_CBPF | unix.PACKET_FANOUT_FLAG_DEFRAG

// join opens a socket for one worker. When it is the last one missing, frames
// are let in for all at once, so that no flow moves from worker to worker
// while they join.
func (g *group) join() (*socket, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	d, err := find(g.cfg.Interface)
	if err == nil && !d.up {
		err = fmt.Errorf("%w: %s is down", ErrDown, g.cfg.Interface)
	}
	if err != nil {
		return nil, err
	}
	for _, s := range g.open {
		if s.stale.Load() || s.dev != d {
			return nil, errBusy
		}
	}
	ear := g.overhear && framingOf(d.hardware) == ethernet
	if ear && len(g.open) > 0 {
		return nil, errIdle
	}
	s, err := openSocket(&g.cfg, d)
	if err != nil {
		return nil, err
	}
	s.ear = ear
	if !ear && (g.cfg.Workers > 1 || g.cfg.FanoutID != 0) {
		if err := g.fanOut(s); err != nil {
			s.close()
			return nil, explain("join the fan-out group", g.cfg.Interface, err)
		}
	}
	g.open = append(g.open, s)
	if err := g.complete(); err != nil {
		g.remove(s)
		return nil, err
	}
	return s, nil
}

// fanOut adds s to the group, which the first socket creates.
func (g *group) fanOut(s *socket) error {
	if err := g.enter(s); err != nil {
		return err
	}
	program := spread(s.block.framing, g.factor)
	return unix.SetsockoptSockFprog(s.fd, unix.SOL_PACKET, unix.PACKET_FANOUT_DATA,
		&unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]})
}

func (g *group) enter(s *socket) error {
	set := func(id, flags int) error {
		return unix.SetsockoptInt(s.fd, unix.SOL_PACKET, unix.PACKET_FANOUT, id|(fanout|flags)<<16)
	}
	if g.cfg.FanoutID != 0 {
		return set(g.cfg.FanoutID, 0)
	}
	if len(g.open) > 0 {
		return set(g.id, 0)
	}
	err := set(0, unix.PACKET_FANOUT_FLAG_UNIQUEID)
	if err == nil {
		v, err := unix.GetsockoptInt(s.fd, unix.SOL_PACKET, unix.PACKET_FANOUT)
		g.id = v & 0xffff
		return err
	}
	// Kernels before 4.12 do not choose. A number of another program on
	// another interface is refused; take the next.
	for try := 0; err != nil && errors.Is(err, unix.EINVAL) && try < 64; try++ {
		g.id = (os.Getpid() + try) & 0xffff
		err = set(g.id, 0)
	}
	return err
}

// newFactor chooses the multiplier of the hash. Processes that share a group
// need the same one.
func newFactor(c *Config) uint32 {
	if c.FanoutID != 0 {
		return 0x9e3779b1
	}
	return rand.Uint32()
}

// complete lets frames in once every member has its socket.
func (g *group) complete() error {
	if g.up || len(g.open) == 0 || len(g.open) < g.members && !g.open[0].ear {
		return nil
	}
	for _, s := range g.open {
		if s.stale.Load() {
			return nil
		}
	}
	for _, s := range g.open {
		if err := s.listen(); err != nil {
			return explain("detach a filter", g.cfg.Interface, err)
		}
	}
	g.up = true
	if g.last != "" { // it was reported to be away
		g.last = ""
		if g.cfg.OnState != nil {
			g.cfg.OnState(true, nil)
		}
	}
	return nil
}

// lose closes the socket of a worker because of err. It reports whether this
// worker was the first to notice: the interface went away once, not once for
// each worker.
func (g *group) lose(s *socket, err error) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	first := g.up
	g.up = false
	for _, o := range g.open {
		o.stale.Store(true)
	}
	g.remove(s)
	if s.renew {
		return false
	}
	g.away(err)
	return first
}

// failed reports why an attempt to join did not succeed.
func (g *group) failed(err error) {
	if errors.Is(err, errBusy) || errors.Is(err, errIdle) {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.away(err)
}

// away tells OnState, once for each reason.
func (g *group) away(err error) {
	if g.up || g.last == err.Error() {
		return
	}
	g.last = err.Error()
	if g.cfg.OnState != nil {
		g.cfg.OnState(false, err)
	}
}

// leave ends the membership of a worker; s may be nil.
func (g *group) leave(s *socket) {
	if s != nil {
		// The kernel waits for every processor to let go of a packet socket:
		// not under the lock, so that workers that end together wait together.
		defer s.close()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.forget(s)
	g.members--
	// The others may have been waiting for this one.
	if err := g.complete(); err != nil {
		g.away(err)
	}
}

// remove closes s under the lock: the kernel's group has to be empty before
// the interface that returned is opened.
func (g *group) remove(s *socket) {
	g.forget(s)
	s.close()
}

func (g *group) forget(s *socket) {
	if i := slices.Index(g.open, s); i >= 0 {
		g.open = slices.Delete(g.open, i, i+1)
	}
	if len(g.open) == 0 {
		g.up = false // also when the one that listened for all has ended
	}
}
