package priv

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yamori-net/yamori/internal/capture/afpacket"
	"github.com/yamori-net/yamori/internal/enforce"
	"github.com/yamori-net/yamori/internal/inject"
	"github.com/yamori-net/yamori/internal/plugin"
)

// Serve is the privileged process: the hidden command calls it and ends with
// it. It returns when the other side is gone and everything is put back. events
// opens the event file; nil: there is none.
func Serve(log *slog.Logger, events Append) error {
	// A terminal and a service manager send these to all processes; the rules
	// are to outlive the other side's orderly end.
	signal.Ignore(unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT, unix.SIGUSR1, unix.SIGUSR2, unix.SIGPIPE, unix.SIGTSTP)
	text, ok := os.LookupEnv(envHelper)
	_ = os.Unsetenv(envHelper)
	var cfg HelperConfig
	if !ok || json.Unmarshal([]byte(text), &cfg) != nil {
		return errors.New("this command is started by yamori itself")
	}
	_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
	conn, err := connect(3)
	if err != nil {
		return err
	}
	s := newServer(conn, cfg, log)
	s.append, s.socket = events, socketAt(cfg.Socket)
	return s.run()
}

// connect makes a connection of an inherited socket.
func connect(fd int) (*net.UnixConn, error) {
	unix.CloseOnExec(fd)
	f := os.NewFile(uintptr(fd), "privileged")
	if f == nil {
		return nil, errors.New("this command is started by yamori itself")
	}
	defer func() { _ = f.Close() }()
	if t, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE); err != nil || t != unix.SOCK_SEQPACKET {
		return nil, errors.New("this command is started by yamori itself")
	}
	c, err := net.FileConn(f)
	if err != nil {
		return nil, err
	}
	u, ok := c.(*net.UnixConn)
	if !ok {
		return nil, errors.New("not a Unix socket")
	}
	return u, nil
}

// server is the privileged process.
type server struct {
	conn  *net.UnixConn
	cfg   HelperConfig
	log   *slog.Logger
	jobs  chan job
	plugs chan job // of plug-in mode, which take seconds
	send  sync.Mutex
	plug  *plugin.Plugin // of the goroutine that does plugs
	lock  int            // on the rules, of the goroutine that does jobs; -1: none

	append Append
	socket mark // the daemon's Unix socket

	mu     sync.Mutex // of what follows
	table  *enforce.Table
	relays sync.WaitGroup
	queues []int // ends of the verdict sockets
	bad    int   // messages refused

	relieved atomic.Uint64 // packets that passed because the daemon did not answer
	told     atomic.Int64  // when that was told, in ns
}

// job is an operation that may take a while. Heartbeats do not wait for those.
type job struct {
	h header
	r request
}

// maxJobs bounds the operations that wait.
const maxJobs = 64

func newServer(conn *net.UnixConn, cfg HelperConfig, log *slog.Logger) *server {
	return &server{conn: conn, cfg: cfg, log: log, jobs: make(chan job, maxJobs), plugs: make(chan job, maxJobs), lock: -1}
}

// run answers until the other side is gone.
func (s *server) run() error {
	var done sync.WaitGroup
	for _, jobs := range [...]chan job{s.jobs, s.plugs} {
		done.Go(func() {
			for j := range jobs {
				r, fds := s.do(&j)
				s.answer(j.h, r, fds)
			}
		})
	}
	err := s.read()
	close(s.jobs)
	close(s.plugs)
	done.Wait()
	return errors.Join(err, s.cleanUp())
}

func (s *server) read() error {
	// One byte more than is allowed, to see what is longer.
	buf, oob := make([]byte, maxMessage+1), make([]byte, unix.CmsgSpace(4))
	for {
		n, on, flags, _, err := s.conn.ReadMsgUnix(buf, oob)
		if errors.Is(err, io.EOF) || err == nil && n == 0 {
			return nil
		}
		if err != nil {
			return nil // reset: the other side was killed
		}
		closeRights(oob[:on]) // nobody is to send files here
		var r request
		h, err := decode(buf[:n], &r)
		if err == nil && flags&(unix.MSG_TRUNC|unix.MSG_CTRUNC) != 0 || err == nil && on > 0 {
			err = fmt.Errorf("%w: too long, or files beside it", errMessage)
		}
		if err == nil {
			err = r.check(h.op)
		}
		if err == nil && h.flags != 0 {
			err = fmt.Errorf("%w: flags", errMessage)
		}
		if err != nil {
			s.refuse(h, err)
			continue
		}
		s.quick(job{h, r})
	}
}

// refuse answers what cannot be understood. It is told once in a while: who
// sends such things may send many.
func (s *server) refuse(h header, err error) {
	if s.bad++; s.bad&(s.bad-1) == 0 {
		s.log.Error("the privileged process refused a message", "error", err, "refused", s.bad)
	}
	h.op = max(OpHello, min(h.op, lastOp))
	s.answer(h, fail(fmt.Errorf("%w: %w", ErrRefused, err)), nil)
}

func closeRights(oob []byte) {
	ms, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return
	}
	for i := range ms {
		fds, err := unix.ParseUnixRights(&ms[i])
		if err != nil {
			continue
		}
		for _, fd := range fds {
			_ = unix.Close(fd)
		}
	}
}

// answer sends a reply, and files beside it, which are closed here.
func (s *server) answer(h header, r reply, fds []int) {
	h.flags |= flagReply
	m, err := encode(h, r)
	if err != nil {
		m, _ = encode(h, fail(err))
	}
	var oob []byte
	if len(fds) > 0 {
		oob = unix.UnixRights(fds...)
	}
	s.send.Lock()
	// Who asks and does not read is not waited for: heartbeats come this way.
	_ = s.conn.SetWriteDeadline(time.Now().Add(answerTime))
	_, _, err = s.conn.WriteMsgUnix(m, oob, nil)
	s.send.Unlock()
	if err != nil {
		s.log.Error("the privileged process cannot answer", "error", err)
	}
	for _, fd := range fds {
		_ = unix.Close(fd)
	}
}

// answerTime is how long an answer may wait for room.
const answerTime = time.Second

// quick does what takes no time, and queues the rest.
func (s *server) quick(j job) {
	switch j.h.op {
	case OpHello:
		s.answer(j.h, reply{}, nil)
	case OpBeat, OpRest:
		t := s.rules()
		if t == nil {
			s.answer(j.h, fail(errNoRules), nil)
			return
		}
		err := error(nil)
		if j.h.op == OpBeat {
			err = t.Beat()
		} else {
			err = t.Rest()
		}
		s.answer(j.h, fail(err), nil)
	default:
		jobs := s.jobs
		if j.h.op >= OpPlugin && j.h.op <= OpPlugged {
			jobs = s.plugs
		}
		select {
		case jobs <- j:
		default:
			s.answer(j.h, fail(fmt.Errorf("%w: too much at once", ErrRefused)), nil)
		}
	}
}

var errNoRules = fmt.Errorf("%w: no rules are installed", ErrRefused)

func (s *server) rules() *enforce.Table {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.table
}

// do does the rest, one after the other.
func (s *server) do(j *job) (reply, []int) {
	switch j.h.op {
	case OpPacket:
		fd, err := afpacket.Socket(j.r.Raw)
		return withFiles(err, fd)
	case OpQueue:
		fds, err := s.queue(j.r.Queue)
		return withFiles(err, fds...)
	case OpInject:
		x, err := inject.OpenSockets(j.r.Mark)
		if x.V6 < 0 {
			return withFiles(err, x.V4)
		}
		return withFiles(err, x.V4, x.V6)
	case OpListen:
		fd, err := s.listen(j.r.Listen)
		return withFiles(err, fd)
	case OpEvents:
		fd, err := s.events(j.r.Rotate)
		return withFiles(err, fd)
	case OpProbe:
		a := enforce.Probe()
		return reply{Abilities: &a}, nil
	case OpInstall:
		return s.install(j.r.Install), nil
	case OpPlugin, OpUnplug, OpPlugged:
		return s.plugin(j), nil
	}
	t := s.rules()
	if t == nil {
		return fail(errNoRules), nil
	}
	switch j.h.op {
	case OpPut:
		return fail(t.Put(j.r.Entries...)), nil
	case OpDelete:
		return fail(t.Delete(j.r.Entries...)), nil
	case OpNever:
		return fail(t.SetNever(j.r.Prefixes)), nil
	case OpAllowed:
		return fail(t.SetAllowed(j.r.Prefixes)), nil
	case OpList:
		return s.list(j.h, t), nil
	case OpCounters:
		c, err := t.Counters()
		c.Passed += s.relieved.Load()
		r := fail(err)
		r.Counters = &c
		return r, nil
	case OpRemove:
		s.mu.Lock()
		s.table = nil
		s.mu.Unlock()
		err := t.Remove()
		s.unlock()
		return fail(err), nil
	}
	return fail(fmt.Errorf("%w: operation %d", ErrRefused, j.h.op)), nil
}

// withFiles answers with open files.
func withFiles(err error, fds ...int) (reply, []int) {
	if err == nil {
		return reply{}, fds
	}
	for _, fd := range fds {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
	return fail(err), nil
}

func (s *server) install(r *installRequest) reply {
	if old := s.rules(); old != nil {
		old.Close()
	}
	if s.lock < 0 {
		if s.lock = lock(); s.lock < 0 {
			s.log.Warn("somebody else has the rules of the packet filter, or the name of their lock; going on")
		}
	}
	t, err := enforce.Install(enforce.Config{Queue: r.Queue, Workers: r.Workers, Marks: r.Marks, LAN: r.LAN, Local: r.Local, Bridge: r.Bridge, Passive: r.Passive,
		Timeout: time.Duration(r.Timeout), State: s.cfg.State})
	s.mu.Lock()
	s.table = t
	s.mu.Unlock()
	if err != nil {
		s.unlock()
		return fail(err)
	}
	return reply{Mode: t.Mode()}
}

func (s *server) unlock() {
	if s.lock >= 0 {
		_ = unix.Close(s.lock)
		s.lock = -1
	}
}

// list answers in pages; the last one is returned.
func (s *server) list(h header, t *enforce.Table) reply {
	all, err := t.List()
	if err != nil {
		return fail(err)
	}
	for len(all) > maxEntries {
		m := h
		m.flags |= flagMore
		s.answer(m, reply{Active: all[:maxEntries]}, nil)
		all = all[maxEntries:]
	}
	return reply{Active: all}
}

func (s *server) plugin(j *job) reply {
	switch j.h.op {
	case OpPlugin:
		if s.plug != nil {
			return fail(fmt.Errorf("%w: stop it first", ErrRefused))
		}
		p, err := plugin.Start(*j.r.Plugin)
		if err != nil {
			return fail(err)
		}
		s.plug = p
	case OpUnplug:
		if s.plug != nil {
			err := s.plug.Stop()
			s.plug = nil
			return fail(err)
		}
	case OpPlugged:
		if s.plug != nil {
			st := s.plug.State()
			return reply{Plugin: &st}
		}
	}
	return reply{}
}

// holds reports whether the owner's blocks stand in the rules, those that
// findings led to among them. They are to hold when the daemon dies: the next
// start takes them over, and yamori unhook takes them away.
func (s *server) holds(t *enforce.Table) bool {
	all, err := t.List()
	if err != nil {
		return false
	}
	n := 0
	for i := range all {
		if all[i].Kind != enforce.Cut {
			n++
		}
	}
	if n > 0 {
		s.log.Warn("the daemon is gone; what it blocked stays blocked until its time is over, or yamori is started again, or: yamori unhook", "blocks", n)
	}
	return n > 0
}

// cleanUp is the end: the other side said good-bye, or died.
func (s *server) cleanUp() error {
	s.mu.Lock()
	t := s.table
	s.table = nil
	for _, fd := range s.queues {
		_ = unix.Shutdown(fd, unix.SHUT_RDWR)
	}
	s.mu.Unlock()
	var errs []error
	if t != nil {
		errs = append(errs, t.Rest()) // first of all packets pass
	}
	if s.plug != nil {
		errs = append(errs, s.plug.Stop())
	}
	s.relays.Wait()
	switch {
	case t == nil:
	case s.holds(t):
		t.Close()
	default:
		errs = append(errs, t.Remove())
	}
	s.unlock()
	if s.socket != (mark{}) && socketAt(s.cfg.Socket) == s.socket { // and not that of another daemon
		errs = append(errs, os.Remove(s.cfg.Socket))
	}
	return errors.Join(errs...)
}
