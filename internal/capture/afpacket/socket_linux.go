package afpacket

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// device is what an interface was at the moment it was looked up.
type device struct {
	index    int
	up       bool
	hardware uint16
}

// socket is one packet socket with its ring. The goroutine that reads it is
// the only one that closes it, so the ring is never unmapped under a reader.
type socket struct {
	fd    int
	dev   device
	ring  []byte
	size  int // of a block
	cur   int // block to read next
	block block
	stale atomic.Bool // the interface went away since this was opened, or renew
	renew bool        // stale because others are to be opened instead; under the group's lock
	ear   bool        // for Source.Overhear
}

// lookup finds the interface with the socket fd.
func lookup(fd int, name string) (device, error) {
	ifr, err := unix.NewIfreq(name)
	if err != nil || name == "" {
		return device{}, fmt.Errorf("interface name %q is empty or longer than %d bytes", name, unix.IFNAMSIZ-1)
	}
	var d device
	if err = unix.IoctlIfreq(fd, unix.SIOCGIFINDEX, ifr); err == nil {
		d.index = int(ifr.Uint32())
		if err = unix.IoctlIfreq(fd, unix.SIOCGIFFLAGS, ifr); err == nil {
			d.up = ifr.Uint16()&unix.IFF_UP != 0
			if err = unix.IoctlIfreq(fd, unix.SIOCGIFHWADDR, ifr); err == nil {
				d.hardware = ifr.Uint16()
			}
		}
	}
	switch {
	case errors.Is(err, unix.ENODEV):
		return d, fmt.Errorf("%w: there is no interface %s", ErrDown, name)
	case err != nil:
		return d, fmt.Errorf("interface %s: %w", name, err)
	}
	return d, nil
}

// find looks an interface up without capturing.
func find(name string) (device, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		fd, err = unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	}
	if err != nil {
		return device{}, fmt.Errorf("socket: %w", err)
	}
	defer unix.Close(fd)
	return lookup(fd, name)
}

// Socket opens a packet socket as Config.Open has to.
func Socket(raw bool) (int, error) {
	typ := unix.SOCK_DGRAM
	if raw {
		typ = unix.SOCK_RAW
	}
	// Protocol 0: nothing arrives before bind.
	return unix.Socket(unix.AF_PACKET, typ|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
}

// openSocket opens a socket on an interface that is up. It receives nothing
// before listen is called.
func openSocket(c *Config, d device) (*socket, error) {
	kind := framingOf(d.hardware)
	typ := unix.SOCK_RAW
	if kind != ethernet {
		typ = unix.SOCK_DGRAM
	}
	open := c.Open
	if open == nil {
		open = Socket
	}
	fd, err := open(typ == unix.SOCK_RAW)
	if err != nil {
		return nil, explain("open a packet socket", c.Interface, err)
	}
	s := &socket{fd: fd, dev: d}
	s.block = block{framing: kind, inOnly: d.hardware == unix.ARPHRD_LOOPBACK, index: uint32(d.index)}
	if err := s.setup(c); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *socket) setup(c *Config) error {
	// Between bind and joining the group the socket would receive what others
	// in the group receive as well: until all have joined, a filter that
	// accepts nothing stands in front.
	nothing := unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K}
	err := unix.SetsockoptSockFprog(s.fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: 1, Filter: &nothing})
	if err != nil {
		return explain("attach a filter", c.Interface, err)
	}
	if err := unix.SetsockoptInt(s.fd, unix.SOL_PACKET, unix.PACKET_VERSION, unix.TPACKET_V3); err != nil {
		return explain("choose TPACKET_V3 (Linux 3.2 or later)", c.Interface, err)
	}
	size, blocks := ringSize(c.RingBytes)
	req := unix.TpacketReq3{
		Block_size: uint32(size), Block_nr: uint32(blocks),
		Frame_size: frameSize, Frame_nr: uint32(size / frameSize * blocks),
		Retire_blk_tov: uint32(retireTime.Milliseconds()),
	}
	if err := unix.SetsockoptTpacketReq3(s.fd, unix.SOL_PACKET, unix.PACKET_RX_RING, &req); err != nil {
		return explain(fmt.Sprintf("set up a ring of %d KiB", size*blocks>>10), c.Interface, err)
	}
	s.size = size
	if s.ring, err = unix.Mmap(s.fd, 0, size*blocks, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err != nil {
		return explain(fmt.Sprintf("map a ring of %d KiB", size*blocks>>10), c.Interface, err)
	}
	if c.Promiscuous {
		m := unix.PacketMreq{Ifindex: int32(s.dev.index), Type: unix.PACKET_MR_PROMISC}
		if err := unix.SetsockoptPacketMreq(s.fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &m); err != nil {
			return explain("set promiscuous mode", c.Interface, err)
		}
	}
	// The protocol of the address is in network order.
	all := binary.NativeEndian.Uint16([]byte{unix.ETH_P_ALL >> 8, unix.ETH_P_ALL})
	if err := unix.Bind(s.fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: s.dev.index}); err != nil {
		return explain("bind a packet socket", c.Interface, err)
	}
	return nil
}

// listen lets frames in: all, or those of overhearing.
func (s *socket) listen() error {
	if s.ear {
		// Without it the kernel copies the head of each frame that is sent, for
		// the filter to leave it out. Kernels before 4.20 do not know it.
		_ = unix.SetsockoptInt(s.fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1)
		program := overhearing()
		return unix.SetsockoptSockFprog(s.fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]})
	}
	err := unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_DETACH_FILTER, 0)
	if errors.Is(err, unix.ENOENT) { // there is none
		err = nil
	}
	return err
}

// status is the word by which kernel and program hand the block to each other.
func (s *socket) status() *uint32 {
	// Blocks are page-aligned, the word is at byte 8: aligned everywhere.
	return (*uint32)(unsafe.Pointer(&s.ring[s.cur*s.size+blkStatus]))
}

// take returns the next block when the kernel has handed it over.
func (s *socket) take() *block {
	if atomic.LoadUint32(s.status())&unix.TP_STATUS_USER == 0 {
		return nil
	}
	s.block.reset(s.ring[s.cur*s.size : (s.cur+1)*s.size])
	return &s.block
}

// give returns the block that was taken.
func (s *socket) give() {
	atomic.StoreUint32(s.status(), unix.TP_STATUS_KERNEL)
	if s.cur++; s.cur*s.size == len(s.ring) {
		s.cur = 0
	}
}

// drops returns the frames dropped since the last call.
func (s *socket) drops() uint64 {
	st, err := unix.GetsockoptTpacketStatsV3(s.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err != nil {
		return 0
	}
	return uint64(st.Drops)
}

func (s *socket) close() {
	if s.ring != nil {
		_ = unix.Munmap(s.ring) // fails for what is no mapping only
		s.ring = nil
	}
	unix.Close(s.fd)
}

// explain turns a refused system call into a sentence with the cure.
func explain(what, iface string, err error) error {
	err = fmt.Errorf("%s on %s: %w", what, iface, err)
	switch {
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		program, xerr := os.Executable()
		if xerr != nil {
			program = os.Args[0]
		}
		return fmt.Errorf("%w: %w; it needs CAP_NET_RAW, and CAP_NET_ADMIN where promiscuous mode asks for it: "+
			"run as root, or grant them once with: sudo setcap cap_net_raw,cap_net_admin+ep %s", ErrPermission, err, program)
	case errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENXIO), errors.Is(err, unix.ENETDOWN):
		return fmt.Errorf("%w: %w", ErrDown, err)
	case errors.Is(err, unix.ENOMEM):
		return fmt.Errorf("%w (the kernel has not that much memory left: choose a smaller ring)", err)
	case errors.Is(err, unix.EAFNOSUPPORT):
		return fmt.Errorf("%w (the kernel lacks packet sockets: load the module af_packet)", err)
	}
	return err
}
