package afpacket

import "golang.org/x/sys/unix"

// The kernel can spread frames over a group by its own flow hash
// (PACKET_FANOUT_HASH), but that hash is not good enough: it goes by what the
// network stack believes of a frame, and for frames that leave with a VLAN tag
// inside (every card without transmit VLAN offload) the stack's network header
// and protocol contradict each other, so that the directions of a flow part.
// Measured on Linux 6.18; before 4.8 the hash was not even symmetric.
//
// Instead a classic BPF program (PACKET_FANOUT_CBPF, Linux 4.3) reads the frame
// from its first byte, as the worker will. It exclusive-ors addresses and ports
// of the innermost headers it can reach, which is the same for both
// directions. The multiplier is random and odd, so that nobody outside can aim
// all flows at one worker.

// Limits of the program: what lies deeper goes by the addresses reached. Each
// step is code written out, for a program of this kind has no loops.
const (
	maxTags   = 3 // VLAN tags
	maxLabels = 3 // MPLS
	maxNested = 2 // IP headers inside the outermost one
	maxExt    = 2 // IPv6 extension headers
)

// Offsets that the kernel adds to a position: where the frame and where the
// network header begins. linux/filter.h.
const (
	fromFrame   = 0xffe00000 // SKF_LL_OFF, -0x200000
	fromNetwork = 0xfff00000 // SKF_NET_OFF, -0x100000
	adProtocol  = 0xfffff000 // SKF_AD_OFF + SKF_AD_PROTOCOL
)

// Scratch cells of the program.
const (
	cellAt    = iota // position of the header in hand
	cellHash         // exclusive or of the addresses
	cellProto        // transport protocol
	cellTmp
)

// label is a place in the program, numbered in order of need.
type label int

// assembler writes a program with jumps to labels.
type assembler struct {
	code  []unix.SockFilter
	base  uint32        // fromFrame or fromNetwork
	place map[label]int // where labels stand
	jumps map[int]label // instructions to be given their distance
	n     label
}

func (a *assembler) label() label { a.n++; return a.n }

func (a *assembler) here(l label) { a.place[l] = len(a.code) }

func (a *assembler) op(code int, k uint32) {
	a.code = append(a.code, unix.SockFilter{Code: uint16(code), K: k})
}

// Loads from the packet, relative to the position in X.
func (a *assembler) load8(k uint32)  { a.op(unix.BPF_LD|unix.BPF_B|unix.BPF_IND, a.base+k) }
func (a *assembler) load16(k uint32) { a.op(unix.BPF_LD|unix.BPF_H|unix.BPF_IND, a.base+k) }
func (a *assembler) load32(k uint32) { a.op(unix.BPF_LD|unix.BPF_W|unix.BPF_IND, a.base+k) }

func (a *assembler) alu(op int, k uint32) { a.op(unix.BPF_ALU|op|unix.BPF_K, k) }
func (a *assembler) get(cell uint32)      { a.op(unix.BPF_LD|unix.BPF_MEM, cell) }
func (a *assembler) getX(cell uint32)     { a.op(unix.BPF_LDX|unix.BPF_MEM, cell) }
func (a *assembler) put(cell uint32)      { a.op(unix.BPF_ST, cell) }
func (a *assembler) toX()                 { a.op(unix.BPF_MISC|unix.BPF_TAX, 0) }
func (a *assembler) fromX()               { a.op(unix.BPF_MISC|unix.BPF_TXA, 0) }

// advance adds k to the position; A is lost.
func (a *assembler) advance(k uint32) {
	a.fromX()
	a.alu(unix.BPF_ADD, k)
	a.toX()
}

// xorInto exclusive-ors A into a cell; X must be what cellAt holds.
func (a *assembler) xorInto(cell uint32) {
	a.getX(cell)
	a.op(unix.BPF_ALU|unix.BPF_XOR|unix.BPF_X, 0)
	a.put(cell)
	a.getX(cellAt)
}

func (a *assembler) jump(l label) {
	a.jumps[len(a.code)] = l
	a.op(unix.BPF_JMP|unix.BPF_JA, 0)
}

// when jumps to l if "A op k" holds. A conditional jump reaches only 255
// instructions, so it steps over a long one.
func (a *assembler) when(op int, k uint32, l label) {
	a.code = append(a.code, unix.SockFilter{Code: uint16(unix.BPF_JMP | op | unix.BPF_K), Jf: 1, K: k})
	a.jump(l)
}

func (a *assembler) finish() []unix.SockFilter {
	for at, l := range a.jumps {
		a.code[at].K = uint32(a.place[l] - at - 1)
	}
	return a.code
}

// spread returns the program for frames handed over as kind says.
func spread(kind framing, multiplier uint32) []unix.SockFilter {
	a := &assembler{base: fromFrame, place: map[label]int{}, jumps: map[int]label{}}
	network, done := a.label(), a.label()
	var ip4, ip6 [maxNested + 2]label
	for i := range maxNested + 1 {
		ip4[i], ip6[i] = a.label(), a.label()
	}
	// Deeper than that there is no more looking.
	ip4[maxNested+1], ip6[maxNested+1] = done, done

	if kind == ethernet {
		a.op(unix.BPF_LDX|unix.BPF_IMM, 12)
		for range maxTags {
			tag, next := a.label(), a.label()
			a.load16(0)
			for _, t := range []uint32{unix.ETH_P_8021Q, unix.ETH_P_8021AD, unix.ETH_P_QINQ1} {
				a.when(unix.BPF_JEQ, t, tag)
			}
			a.jump(next)
			a.here(tag)
			a.advance(4)
			a.here(next)
		}
		a.load16(0)
		a.put(cellProto)
		a.advance(2)
		a.get(cellProto)
	} else {
		a.base = fromNetwork
		a.op(unix.BPF_LDX|unix.BPF_IMM, 0)
		a.op(unix.BPF_LD|unix.BPF_H|unix.BPF_ABS, adProtocol)
	}

	a.here(network)
	pppoe, mpls := a.label(), a.label()
	a.when(unix.BPF_JEQ, unix.ETH_P_IP, ip4[0])
	a.when(unix.BPF_JEQ, unix.ETH_P_IPV6, ip6[0])
	a.when(unix.BPF_JEQ, unix.ETH_P_PPP_SES, pppoe)
	a.when(unix.BPF_JEQ, unix.ETH_P_MPLS_UC, mpls)
	a.op(unix.BPF_RET|unix.BPF_K, 0) // ARP and its like: all to one worker

	a.here(pppoe) // RFC 2516 section 4: six bytes, then the PPP protocol
	a.load16(6)
	a.put(cellProto)
	a.advance(8)
	a.get(cellProto)
	a.when(unix.BPF_JEQ, 0x0021, ip4[0])
	a.when(unix.BPF_JEQ, 0x0057, ip6[0])
	a.op(unix.BPF_RET|unix.BPF_K, 0)

	a.here(mpls) // RFC 3032 section 2.1: the lowest bit of byte 2 ends the stack
	bottom := a.label()
	for range maxLabels {
		a.load8(2)
		a.put(cellProto)
		a.advance(4)
		a.get(cellProto)
		a.when(unix.BPF_JSET, 1, bottom)
	}
	a.op(unix.BPF_RET|unix.BPF_K, 0)
	a.here(bottom)
	a.load8(0)
	a.alu(unix.BPF_RSH, 4)
	a.when(unix.BPF_JEQ, 4, ip4[0])
	a.when(unix.BPF_JEQ, 6, ip6[0])
	a.op(unix.BPF_RET|unix.BPF_K, 0)

	for i := range maxNested + 1 {
		transport := a.label()
		a.here(ip4[i])
		a.ipv4(transport, done)
		a.here(ip6[i])
		a.ipv6(transport, done)
		a.here(transport)
		a.transport(ip4[i+1], ip6[i+1], done)
	}

	a.here(done)
	a.get(cellHash)
	a.alu(unix.BPF_MUL, multiplier|1)
	a.alu(unix.BPF_RSH, 16) // the kernel takes the remainder: the upper bits are the mixed ones
	a.op(unix.BPF_RET|unix.BPF_A, 0)
	return a.finish()
}

// ipv4 hashes the addresses of the header at X and moves behind it. Fragments
// have no ports, or should be with those that have none.
func (a *assembler) ipv4(transport, done label) {
	a.fromX()
	a.put(cellAt)
	a.load32(12)
	a.put(cellHash)
	a.load32(16)
	a.xorInto(cellHash)
	a.load16(6)
	a.when(unix.BPF_JSET, 0x3fff, done)
	a.load8(9)
	a.put(cellProto)
	a.load8(0)
	a.alu(unix.BPF_AND, 15)
	a.alu(unix.BPF_LSH, 2)
	a.op(unix.BPF_ALU|unix.BPF_ADD|unix.BPF_X, 0)
	a.toX()
	a.jump(transport)
}

// ipv6 does the same, with the extension headers that have a length (RFC 8200
// section 4).
func (a *assembler) ipv6(transport, done label) {
	a.fromX()
	a.put(cellAt)
	a.load32(8)
	a.put(cellHash)
	for k := uint32(12); k < 40; k += 4 {
		a.load32(k)
		a.xorInto(cellHash)
	}
	a.load8(6)
	a.put(cellProto)
	a.advance(40)
	for range maxExt {
		ext := a.label()
		a.get(cellProto)
		for _, h := range []uint32{unix.IPPROTO_HOPOPTS, unix.IPPROTO_ROUTING, unix.IPPROTO_DSTOPTS} {
			a.when(unix.BPF_JEQ, h, ext)
		}
		a.jump(transport)
		a.here(ext)
		a.load8(0)
		a.put(cellProto)
		a.load8(1)
		a.alu(unix.BPF_ADD, 1)
		a.alu(unix.BPF_LSH, 3)
		a.op(unix.BPF_ALU|unix.BPF_ADD|unix.BPF_X, 0)
		a.toX()
	}
	a.jump(transport)
}

// transport adds the ports, or enters a tunnel.
func (a *assembler) transport(ip4, ip6, done label) {
	ports, udp, gre := a.label(), a.label(), a.label()
	a.fromX()
	a.put(cellAt)
	a.get(cellProto)
	for _, p := range []uint32{unix.IPPROTO_TCP, unix.IPPROTO_SCTP, unix.IPPROTO_DCCP, unix.IPPROTO_UDPLITE} {
		a.when(unix.BPF_JEQ, p, ports)
	}
	a.when(unix.BPF_JEQ, unix.IPPROTO_UDP, udp)
	a.when(unix.BPF_JEQ, unix.IPPROTO_IPIP, ip4)
	a.when(unix.BPF_JEQ, unix.IPPROTO_IPV6, ip6)
	a.when(unix.BPF_JEQ, unix.IPPROTO_GRE, gre)
	a.jump(done)

	// RFC 2784, 2890: each of checksum, key and sequence number takes four
	// bytes more. Version 1 is PPTP and stays outside.
	a.here(gre)
	a.load16(0)
	a.when(unix.BPF_JSET, 7, done)
	a.alu(unix.BPF_AND, 0xb000)
	a.put(cellTmp)
	a.load16(2)
	a.put(cellProto)
	a.op(unix.BPF_LDX|unix.BPF_MEM, cellAt)
	for _, bit := range []uint32{0x8000, 0x2000, 0x1000} {
		more, next := a.label(), a.label()
		a.get(cellTmp)
		a.when(unix.BPF_JSET, bit, more)
		a.jump(next)
		a.here(more)
		a.advance(4)
		a.here(next)
	}
	a.advance(4)
	a.get(cellProto)
	a.when(unix.BPF_JEQ, unix.ETH_P_IP, ip4)
	a.when(unix.BPF_JEQ, unix.ETH_P_IPV6, ip6)
	a.jump(done)

	// RFC 7348 section 5: eight bytes UDP, eight VXLAN, then Ethernet. The
	// source port tells nothing of the flow inside that holds both ways.
	a.here(udp)
	a.load16(2)
	vxlan := a.label()
	a.when(unix.BPF_JEQ, 4789, vxlan)
	a.jump(ports)
	a.here(vxlan)
	a.load16(28)
	a.put(cellProto)
	a.advance(30)
	a.get(cellProto)
	a.when(unix.BPF_JEQ, unix.ETH_P_IP, ip4)
	a.when(unix.BPF_JEQ, unix.ETH_P_IPV6, ip6)
	a.jump(done)

	a.here(ports)
	a.load16(0)
	a.put(cellTmp)
	a.load16(2)
	a.xorInto(cellTmp)
	a.get(cellTmp)
	a.alu(unix.BPF_MUL, 0x10001) // into both halves
	a.xorInto(cellHash)
	a.jump(done)
}
