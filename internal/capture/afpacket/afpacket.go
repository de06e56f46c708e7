// Package afpacket captures live frames on Linux through packet sockets with a
// TPACKET_V3 ring that kernel and program share: no system call and no copy
// per packet. Several workers share an interface through a fan-out group.
//
// # What meets what
//
// Both directions of a flow meet at the same worker. A small BPF program in
// the kernel reads each frame as the worker will and hashes addresses and ports
// of the innermost headers it reaches, looking through VLAN tags, PPPoE, MPLS,
// IP in IP, 6in4, 4in6, GRE and VXLAN. The kernel's own flow hash was tried and
// parts the directions of tagged flows; see fanout_linux.go.
//
// IPv4 fragments are put together by the kernel first
// (PACKET_FANOUT_FLAG_DEFRAG), as fragments have no ports to hash; with several
// workers the engine therefore sees whole datagrams, and fragments that
// contradict each other are judged by the kernel's rules before anybody sees
// them; one whose fragments never complete is never seen. With one worker there
// is no group, nothing is put together and every fragment is delivered.
//
// What may still be split over workers: fragments that the kernel does not put
// together (IPv6, or IPv4 behind a tag or in a tunnel), which go by addresses
// alone, from the rest of their flow; an ICMP error from the flow it speaks of;
// flows inside other tunnels over UDP; flows deeper than two IP headers inside
// the outermost one, which go by the addresses reached; and any flow when a
// worker ends before the others.
//
// # Limits
//
// A frame longer than a ring block (128 or 256 KiB) is cut; Frame.Len tells.
// Wireless monitor mode and other exotic hardware come as Linux cooked frames.
package afpacket

import (
	"errors"
	"time"
)

// ErrPermission is wrapped by the errors of New and Run when the process lacks
// a capability; the text of the error says what to grant.
var ErrPermission = errors.New("not permitted to capture")

// ErrUnsupported is wrapped by the error of New where there is no AF_PACKET.
var ErrUnsupported = errors.New("live capture needs Linux")

// ErrDown is wrapped by the errors given to Config.OnState while the interface
// is missing or down.
var ErrDown = errors.New("interface is away")

// Config says what to capture. The zero value of every field but Interface is
// good.
type Config struct {
	Interface string // name, such as "br-lan"

	// Workers is the number of sources that share the traffic; 0 means 1.
	Workers int

	// RingBytes is the size of each worker's ring: kernel memory, which bounds
	// how long a worker may pause before frames are dropped. 0 means
	// DefaultRing; it is rounded up to two blocks and down to whole blocks.
	RingBytes int

	// Promiscuous asks for frames to other hardware addresses too.
	Promiscuous bool

	// FanoutID is the number of the fan-out group, 1 to 65535. 0 lets the
	// kernel choose one that nobody uses, and is right unless several
	// processes mean to share the traffic.
	FanoutID int

	// OnState, if set, is told when the interface goes away (false and why)
	// and when all workers read it again (true). Calls never overlap; the
	// function must return soon and must not call into this package.
	OnState func(up bool, err error)

	// Open, if set, opens the packet sockets, for a process that may not: of the
	// type SOCK_RAW, or SOCK_DGRAM without link headers, close-on-exec, that
	// does not block and is bound to no protocol.
	Open func(raw bool) (fd int, err error)
}

// Limits and times.
const (
	DefaultRing = 8 << 20
	MaxRing     = 1 << 30
	MaxWorkers  = 256 // PACKET_FANOUT_MAX of every kernel since 3.1

	// pollTime bounds how long a source sleeps: how late it notices the end of
	// its context and how often it ticks when nothing arrives.
	pollTime = 250 * time.Millisecond

	// retireTime is when the kernel hands over a block that is not full: the
	// longest a lone frame waits.
	retireTime = 50 * time.Millisecond

	// Back-off between attempts to open an interface that went away.
	minBackoff = 100 * time.Millisecond
	maxBackoff = 2 * time.Second
)

// Block sizes of the ring. A super-segment (64 kB) has to fit. Every retireTime
// in which anything arrives takes a block, however empty, so the number of
// blocks is what bounds a worker's pause on a quiet link: 1.6 s with
// DefaultRing. Small rings therefore have small blocks.
const (
	blockSize      = 256 << 10
	smallBlockSize = 128 << 10
	smallRing      = 4 << 20 // below this size the small blocks are used
	frameSize      = 2048    // of no consequence in TPACKET_V3 but checked
)

// ringSize returns the size and number of blocks for a wish of n bytes.
func ringSize(n int) (size, blocks int) {
	if n <= 0 {
		n = DefaultRing
	}
	size = blockSize
	if n < smallRing {
		size = smallBlockSize
	}
	return size, max(2, min(n, MaxRing)/size)
}
