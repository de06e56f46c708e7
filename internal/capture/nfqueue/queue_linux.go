package nfqueue

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/yamori-net/yamori/internal/capture"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/verdict"
)

// mmsghdr is struct mmsghdr of recvmmsg(2); alignment pads it as in C.
type mmsghdr struct {
	hdr unix.Msghdr
	n   uint32
}

// Source is one queue. Run is called once, by the worker.
type Source struct {
	cfg Config
	fd  int

	bufs []byte
	iov  [batch]unix.Iovec
	msgs [batch]mmsghdr
	out  []byte // verdicts not sent yet
	// The kernel's address, one for each source: sending writes to it.
	kernel unix.SockaddrNetlink
	frame  packet.Frame
	msg    message
	last   uint32 // newest packet that is accepted but not answered
	open   uint32 // how many of those there are
	alone  bool   // see ErrAlone

	relief relief

	packets, bytes, accepted, released, dropped, cut, rejected, recalled, overruns, truncated, malformed, unsent atomic.Uint64
	state                                                                                                        atomic.Int32
}

// Open binds to the queue: from then on the kernel holds packets for it, so Run
// should follow at once.
func Open(c Config) (*Source, error) {
	if err := c.setDefaults(); err != nil {
		return nil, err
	}
	s := newSource(c)
	var err error
	if h := c.Handover; h != nil {
		s.fd = h.Socket
	} else {
		err = s.bind()
	}
	if err == nil {
		// A read waits so long for the first packet.
		wait := unix.NsecToTimeval(pollTime.Nanoseconds())
		err = unix.SetsockoptTimeval(s.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait)
	}
	if err != nil {
		s.close()
		return nil, err
	}
	s.bufs = make([]byte, batch*slot)
	for i := range s.msgs {
		s.iov[i].Base = &s.bufs[i*slot]
		s.iov[i].SetLen(slot)
		s.msgs[i].hdr.Iov = &s.iov[i]
		s.msgs[i].hdr.SetIovlen(1)
	}
	return s, nil
}

func newSource(c Config) *Source {
	return &Source{cfg: c, fd: c.FD, kernel: unix.SockaddrNetlink{Family: unix.AF_NETLINK}}
}

func (s *Source) bind() error {
	if s.fd == 0 {
		fd, err := Socket()
		if err != nil {
			return err
		}
		s.fd = fd
	}
	return s.setup()
}

// Bind opens a socket and binds it to the queue, for a process that hands it
// over: see Handover.
func Bind(c Config) (int, error) {
	if err := c.setDefaults(); err != nil {
		return -1, err
	}
	s := newSource(c)
	if err := s.bind(); err != nil {
		s.close()
		return -1, err
	}
	return s.fd, nil
}

// OpenTable opens the kernel's list of queues: see Handover.
func OpenTable() (int, error) { return unix.Open(kernelTable, unix.O_RDONLY|unix.O_CLOEXEC, 0) }

// Forward sends verdicts that OnlyVerdicts found good to the kernel.
func Forward(fd int, verdicts []byte) error {
	return unix.Sendto(fd, verdicts, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
}

// Socket opens the netlink socket that Open needs, for a process that gives its
// privileges up afterwards.
func Socket() (int, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
	if err != nil {
		return -1, fmt.Errorf("nfqueue: netlink socket: %w", wrap(err))
	}
	return fd, nil
}

func wrap(err error) error {
	switch {
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		return fmt.Errorf("%w (%w); run as root, or grant cap_net_admin", ErrPermission, err)
	case errors.Is(err, unix.EBUSY):
		return fmt.Errorf("%w (%w); stop it, or choose other queue numbers", ErrBusy, err)
	case errors.Is(err, unix.EPROTONOSUPPORT), errors.Is(err, unix.EAFNOSUPPORT), errors.Is(err, unix.EINVAL):
		return fmt.Errorf("%w (%w); load the module nfnetlink_queue", ErrUnsupported, err)
	}
	return err
}

func (s *Source) setup() error {
	// The kernel takes the larger of the two; without privilege only the
	// second, up to net.core.rmem_max.
	if unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, s.cfg.Buffer) != nil {
		_ = unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, s.cfg.Buffer)
	}
	// With NETLINK_NO_ENOBUFS a full socket does not make the next read fail;
	// what was lost is counted by the kernel (see Stats).
	_ = unix.SetsockoptInt(s.fd, unix.SOL_NETLINK, unix.NETLINK_NO_ENOBUFS, 1)
	if err := unix.Bind(s.fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil && !errors.Is(err, unix.EINVAL) { // EINVAL: bound before
		return fmt.Errorf("nfqueue: bind: %w", wrap(err))
	}
	for i, m := range configMessages(&s.cfg) {
		err := s.request(m)
		if errors.Is(err, unix.EPERM) { // which the kernel says of a queue that is held, too
			if taken(s.cfg.Queue) {
				err = unix.EBUSY
			} else {
				err = s.request(m) // it may have been let go of just now
			}
		}
		if err != nil {
			return fmt.Errorf("nfqueue: queue %d, step %d: %w", s.cfg.Queue, i+1, wrap(err))
		}
	}
	return nil
}

// request sends m and waits for its acknowledgement. Packets that come
// meanwhile are accepted: nobody is there to judge them yet.
func (s *Source) request(m []byte) error {
	if err := unix.Sendto(s.fd, m, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	buf := make([]byte, slot)
	for deadline := time.Now().Add(5 * time.Second); ; {
		left := time.Until(deadline)
		if left <= 0 {
			return errors.New("the kernel does not answer")
		}
		if n, err := unix.Poll([]unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLIN}}, int(left.Milliseconds())+1); err != nil || n == 0 {
			if err != nil && err != unix.EINTR {
				return err
			}
			continue
		}
		n, _, err := unix.Recvfrom(s.fd, buf, unix.MSG_DONTWAIT)
		if err == unix.EINTR || err == unix.EAGAIN || err == unix.ENOBUFS {
			continue
		}
		if err != nil {
			return err
		}
		if b := buf[:n]; len(b) >= nlHeader {
			switch host.Uint16(b[4:]) {
			case msgError:
				if len(b) < nlHeader+4 {
					return errors.New("the kernel's answer is too short")
				}
				if code := int32(host.Uint32(b[nlHeader:])); code != 0 {
					return unix.Errno(-code)
				}
				return nil
			case msgPacket:
				if s.msg.parse(b) {
					s.out = verdictMessage(s.out[:0], msgVerdict, s.cfg.Queue, s.msg.id, nfAccept, 0, false)
					s.send()
				}
			}
		}
	}
}

// Run delivers packets until the context ends. While nothing arrives it ticks
// ten times a second. The queue is let go of when it returns: packets that wait
// in it are dropped by the kernel (their senders repeat them), later ones pass
// if the rule says bypass.
func (s *Source) Run(ctx context.Context, h capture.Handler) error {
	if !s.state.CompareAndSwap(0, 1) {
		return errors.New("nfqueue: source was run or closed before")
	}
	defer s.close()
	// A thread of its own: it sleeps in the kernel until a packet comes, and no
	// other goroutine has to be put away first.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	spoke := time.Now()
	for ctx.Err() == nil {
		n, err := s.receive()
		if s.alone {
			err = ErrAlone
		}
		if err != nil {
			return fmt.Errorf("nfqueue: queue %d: %w", s.cfg.Queue, err)
		}
		now := time.Now()
		if n > 0 {
			s.deliver(n, now.UnixNano(), h)
			spoke = now
		}
		if now.Sub(spoke) >= pollTime {
			h(nil)
			spoke = now
		}
	}
	return nil
}

// receive waits for a packet, at most for pollTime, and takes what is there with
// it, at most batch messages: one system call for a lone packet as for many.
func (s *Source) receive() (int, error) {
	n, _, e := unix.Syscall6(unix.SYS_RECVMMSG, uintptr(s.fd), uintptr(unsafe.Pointer(&s.msgs[0])), batch, unix.MSG_WAITFORONE, 0, 0)
	switch e {
	case 0:
		return int(n), nil
	case unix.EAGAIN, unix.EINTR:
		return 0, nil
	case unix.ENOBUFS: // packets were lost on the way to us: normal under load
		s.overruns.Add(1)
		return 0, nil
	}
	return 0, e
}

// deliver hands over n received datagrams and answers them.
func (s *Source) deliver(n int, now int64, h capture.Handler) {
	for i := range n {
		b := s.bufs[i*slot : i*slot+int(min(s.msgs[i].n, slot))]
		for len(b) >= nlHeader {
			l := int(host.Uint32(b))
			if l < nlHeader || l > len(b) {
				s.malformed.Add(1)
				break
			}
			switch host.Uint16(b[4:]) {
			case msgPacket:
				s.packet(b[:l], now, h)
			case msgOverrun:
				s.overruns.Add(1)
			case msgError: // a verdict for a packet that is gone already
			}
			b = b[min((l+3)&^3, len(b)):]
		}
	}
	s.flush()
	s.send()
}

// packet judges one packet.
func (s *Source) packet(b []byte, now int64, h capture.Handler) {
	m := &s.msg
	if !m.parse(b) {
		s.malformed.Add(1)
		return
	}
	if s.relief.answered(m.id) {
		return // it went on unseen
	}
	s.packets.Add(1)
	s.bytes.Add(uint64(m.full))
	if m.full > len(m.payload) {
		s.truncated.Add(1)
	}
	v := h(s.fill(b, now))
	if v.Action == verdict.Reject && s.cfg.Reject != nil {
		s.rejected.Add(1)
		s.cfg.Reject(&s.frame)
	}
	loose := s.cfg.Marks.loose(v)
	switch {
	case v.Action < verdict.Drop && loose == 0:
		s.accepted.Add(1)
		s.last, s.open = m.id, s.open+1
	case v.Action < verdict.Drop:
		if v.Scope == verdict.Back {
			s.recalled.Add(1)
		} else {
			s.released.Add(1)
		}
		s.answer(nfRepeat, m.mark|loose, true)
	case v.Scope == verdict.Flow && s.cfg.Marks.Cut != 0:
		s.cut.Add(1)
		s.answer(nfRepeat, m.mark&^s.cfg.Marks.Release|s.cfg.Marks.Cut, true)
	default:
		s.dropped.Add(1)
		s.answer(nfDrop, 0, false)
	}
}

// fill makes a frame of the message. An Ethernet header is written over the
// attribute headers before the payload, which have been read: so the sender's
// address reaches the device list without a copy.
func (s *Source) fill(b []byte, now int64) *packet.Frame {
	m := &s.msg
	f := &s.frame
	*f = packet.Frame{Time: m.time, Data: m.payload, Len: m.full, Link: packet.LinkRaw, Iface: m.in}
	if f.Time == 0 {
		f.Time = now
	}
	const eth = 14
	if m.hw != nil && m.at >= eth+attHeader && len(m.payload) > 0 {
		head := b[m.at-eth : m.at]
		var hw [6]byte
		copy(hw[:], m.hw) // may lie where the header is written
		clear(head[:6])
		copy(head[6:12], hw[:])
		net.PutUint16(head[12:], m.proto)
		f.Data, f.Len, f.Link = b[m.at-eth:m.at+len(m.payload)], m.full+eth, packet.LinkEthernet
		if m.tpid != 0 {
			f.VLAN, f.VLANTPID = m.vlan, m.tpid
		}
	}
	return f
}

// answer gives one packet a verdict of its own, after those that wait.
func (s *Source) answer(v, mark uint32, setMark bool) {
	s.flush()
	s.out = verdictMessage(s.out, msgVerdict, s.cfg.Queue, s.msg.id, v, mark, setMark)
	if len(s.out) > 4<<10 {
		s.send()
	}
}

// flush answers all packets that are accepted and wait for it.
func (s *Source) flush() {
	if s.open == 0 {
		return
	}
	typ := uint16(msgVerdictBatch)
	if s.open == 1 {
		typ = msgVerdict
	}
	s.out = verdictMessage(s.out, typ, s.cfg.Queue, s.last, nfAccept, 0, false)
	s.open = 0
}

func (s *Source) send() {
	if len(s.out) == 0 {
		return
	}
	for range 3 {
		err := s.transmit()
		if err == nil {
			s.out = s.out[:0]
			return
		}
		if err != unix.EINTR && err != unix.EAGAIN && err != unix.ENOBUFS {
			break
		}
	}
	s.unsent.Add(1)
	s.out = s.out[:0]
}

// transmit sends what is in out.
func (s *Source) transmit() error {
	h := s.cfg.Handover
	if h == nil {
		return unix.Sendto(s.fd, s.out, 0, &s.kernel)
	}
	err := unix.Send(h.Verdicts, s.out, unix.MSG_NOSIGNAL)
	s.alone = s.alone || errors.Is(err, unix.EPIPE) || errors.Is(err, unix.ECONNRESET) || errors.Is(err, unix.ENOTCONN)
	return err
}

func (s *Source) close() {
	was := s.state.Load()
	if was == 2 || !s.state.CompareAndSwap(was, 2) {
		return
	}
	s.relief.mu.Lock()
	defer s.relief.mu.Unlock()
	if s.cfg.Handover == nil {
		s.letGo() // else by the process that answers for this one
	}
	_ = unix.Close(s.fd)
	if h := s.cfg.Handover; h != nil {
		_ = unix.Close(h.Verdicts)
		if h.Table >= 0 {
			_ = unix.Close(h.Table)
		}
	}
}

// Close lets go of a queue that was never run.
func (s *Source) Close() error {
	if s.state.CompareAndSwap(0, 1) {
		s.close()
	}
	return nil
}

// Stats may be called by anyone.
func (s *Source) Stats() Stats {
	st := Stats{Packets: s.packets.Load(), Bytes: s.bytes.Load(), Accepted: s.accepted.Load(), Released: s.released.Load(), Dropped: s.dropped.Load(),
		Cut: s.cut.Load(), Recalled: s.recalled.Load(), Rejected: s.rejected.Load(), Overruns: s.overruns.Load(), Truncated: s.truncated.Load(), Malformed: s.malformed.Load(), Unsent: s.unsent.Load()}
	if text, err := s.table(); err == nil {
		st.Waiting, st.Unseen, _ = queueCounters(string(text), s.cfg.Queue)
	}
	st.Relieved = s.relief.packets.Load()
	st.Unseen += st.Relieved
	return st
}

// table reads the kernel's list of queues.
func (s *Source) table() ([]byte, error) {
	h := s.cfg.Handover
	if h == nil {
		return os.ReadFile(kernelTable)
	}
	if h.Table < 0 || s.state.Load() == 2 {
		return nil, os.ErrClosed
	}
	var text [tableSize]byte
	n, err := unix.Pread(h.Table, text[:], 0)
	return text[:max(n, 0)], err
}

// tableSize holds the kernel's list of 128 queues.
const tableSize = 16 << 10

// taken reports whether somebody holds the queue.
func taken(queue uint16) bool {
	text, _ := os.ReadFile(kernelTable)
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 0 && f[0] == strconv.Itoa(int(queue)) {
			return true
		}
	}
	return false
}

// kernelTable lists the queues of the calling thread's namespace.
const kernelTable = "/proc/thread-self/net/netfilter/nfnetlink_queue"

// queueCounters reads the kernel's table: number, port, packets waiting, copy
// mode, copy range, dropped because the queue was full, dropped because the
// socket was, number of the newest packet, … With fail-open the second kind
// passed instead.
func queueCounters(text string, queue uint16) (waiting, unseen, newest uint64) {
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 8 || f[0] != strconv.Itoa(int(queue)) {
			continue
		}
		num := func(s string) uint64 { n, _ := strconv.ParseUint(s, 10, 64); return n }
		return num(f[2]), num(f[5]) + num(f[6]), num(f[7])
	}
	return 0, 0, 0
}
