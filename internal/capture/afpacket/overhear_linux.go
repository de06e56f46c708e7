package afpacket

import (
	"golang.org/x/sys/unix"

	"github.com/yamori-net/yamori/internal/packet"
)

// announcePorts are those by which devices tell of themselves: DHCP, NetBIOS,
// DHCPv6, SSDP, WS-Discovery, mDNS, LLMNR.
var announcePorts = [...]uint32{67, 68, 137, 138, 546, 547, 1900, 3702, 5353, 5355}

// overhearing is the program that lets in what tells about devices and is never
// forwarded: broadcasts and multicasts, ARP, neighbour discovery, and datagrams
// of announcePorts. Frames are Ethernet's.
func overhearing() []unix.SockFilter {
	a := &assembler{place: map[label]int{}, jumps: map[int]label{}}
	take, leave, v4, v6, udp6, nd := a.label(), a.label(), a.label(), a.label(), a.label(), a.label()
	abs := func(size int, k uint32) { a.op(unix.BPF_LD|size|unix.BPF_ABS, k) }
	ports := func() {
		for _, p := range announcePorts {
			a.when(unix.BPF_JEQ, p, take)
		}
	}
	abs(unix.BPF_B, 0)
	a.when(unix.BPF_JSET, 1, take)
	abs(unix.BPF_H, 12)
	a.when(unix.BPF_JEQ, unix.ETH_P_ARP, take)
	a.when(unix.BPF_JEQ, unix.ETH_P_IP, v4)
	a.when(unix.BPF_JEQ, unix.ETH_P_IPV6, v6)
	a.jump(leave)

	a.here(v4)
	abs(unix.BPF_B, 23)
	a.alu(unix.BPF_XOR, packet.ProtoUDP)
	a.when(unix.BPF_JGT, 0, leave)
	abs(unix.BPF_H, 20)
	a.when(unix.BPF_JSET, 0x1fff, leave) // a later fragment
	a.op(unix.BPF_LDX|unix.BPF_B|unix.BPF_MSH, 14)
	for _, at := range [...]uint32{14, 16} {
		a.op(unix.BPF_LD|unix.BPF_H|unix.BPF_IND, at)
		ports()
	}
	a.jump(leave)

	a.here(v6)
	abs(unix.BPF_B, 20)
	a.when(unix.BPF_JEQ, packet.ProtoICMPv6, nd)
	a.when(unix.BPF_JEQ, packet.ProtoUDP, udp6)
	a.jump(leave)
	a.here(nd)
	abs(unix.BPF_B, 54)
	a.alu(unix.BPF_SUB, 133)
	a.when(unix.BPF_JGT, 4, leave)
	a.jump(take)
	a.here(udp6)
	for _, at := range [...]uint32{54, 56} {
		abs(unix.BPF_H, at)
		ports()
	}

	a.here(leave)
	a.op(unix.BPF_RET|unix.BPF_K, 0)
	a.here(take)
	a.op(unix.BPF_RET|unix.BPF_K, 0xffff)
	return a.finish()
}

// Overhear makes the sources of the interface deliver only what tells about
// devices and is never forwarded, or everything again: what is forwarded is
// inspected elsewhere. Then one socket of one worker listens, and to what is
// received alone: a fan-out group costs a router a tenth of its throughput, most
// of it for copies of what it sends. The sockets are changed by the workers, at
// their next turn.
func (s *Source) Overhear(only bool) {
	g := s.group
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.overhear == only {
		return
	}
	g.overhear = only
	for _, o := range g.open {
		o.renew = true
		o.stale.Store(true)
	}
}
