package packet

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// Key names a flow independently of direction: Lo is the smaller endpoint.
// It holds no pointer and is comparable.
type Key struct {
	Lo, Hi         Addr
	LoPort, HiPort uint16
	VLAN           uint16 // innermost VLAN identifier, so that equal addresses in two VLANs stay apart
	Proto          uint8
	_              uint8
}

// Key returns the packet's flow key, and true when the packet goes from Hi to
// Lo. ICMP echo uses its identifier as both ports; other ICMP uses the type of
// the request, so that a request and its answer meet in one flow.
func (p *Packet) Key(k *Key) (fromHi bool) {
	sp, dp := p.SrcPort, p.DstPort
	k.Proto = p.Proto
	k.VLAN = p.flowVLAN()
	c := bytes.Compare(p.Src[:], p.Dst[:])
	if c < 0 || (c == 0 && sp <= dp) {
		k.Lo, k.Hi, k.LoPort, k.HiPort = p.Src, p.Dst, sp, dp
		return false
	}
	k.Lo, k.Hi, k.LoPort, k.HiPort = p.Dst, p.Src, dp, sp
	return true
}

// flowVLAN returns the innermost VLAN identifier, zero when there is none.
func (p *Packet) flowVLAN() uint16 {
	if p.VLANs == 0 {
		return 0
	}
	return p.VLAN[min(p.VLANs, 2)-1]
}

// Hash mixes the key with a secret seed (an attacker who chooses ports must
// not be able to choose buckets). The same key and seed give the same hash in
// both directions.
func (k *Key) Hash(seed uint64) uint64 {
	const m1, m2, m3 = 0x9e3779b97f4a7c15, 0xa0761d6478bd642f, 0xe7037ed1a0b428db
	le := binary.LittleEndian
	h := mix(le.Uint64(k.Lo[:8])^seed^m1, le.Uint64(k.Lo[8:])^m2)
	h = mix(le.Uint64(k.Hi[:8])^h, le.Uint64(k.Hi[8:])^m3)
	x := uint64(k.LoPort) | uint64(k.HiPort)<<16 | uint64(k.VLAN)<<32 | uint64(k.Proto)<<48
	return mix(h^x, seed^m2)
}

// mix is the 64×64→128 bit multiply-and-fold of the wyhash family.
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}
