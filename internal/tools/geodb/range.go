package main

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
)

// u128 is an address of the tree: IPv4 lies at ::/96, as the format has it.
type u128 struct{ hi, lo uint64 }

func number(a netip.Addr) u128 {
	if a.Is4() {
		b := a.As4()
		return u128{0, uint64(binary.BigEndian.Uint32(b[:]))}
	}
	b := a.As16()
	return u128{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}

func (a u128) less(b u128) bool { return a.hi < b.hi || a.hi == b.hi && a.lo < b.lo }

// isV4 says that a lies where the format keeps IPv4.
func (a u128) isV4() bool { return a.hi == 0 && a.lo>>32 == 0 }

// addr is the address that a stands for.
func (a u128) addr() netip.Addr {
	if a.isV4() {
		return netip.AddrFrom4([4]byte{byte(a.lo >> 24), byte(a.lo >> 16), byte(a.lo >> 8), byte(a.lo)})
	}
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], a.hi)
	binary.BigEndian.PutUint64(b[8:], a.lo)
	return netip.AddrFrom16(b)
}

// next is the address after a; false: a is the last one.
func (a u128) next() (u128, bool) { return a.plus(0) }

// plus adds 2^n; false: that is beyond the last address.
func (a u128) plus(n int) (u128, bool) {
	var add u128
	if n < 64 {
		add.lo = 1 << n
	} else {
		add.hi = 1 << (n - 64)
	}
	lo, c := bits.Add64(a.lo, add.lo, 0)
	hi, c := bits.Add64(a.hi, add.hi, c)
	return u128{hi, lo}, c == 0 && n < 128
}

func (a u128) minus(b u128) u128 {
	lo, c := bits.Sub64(a.lo, b.lo, 0)
	hi, _ := bits.Sub64(a.hi, b.hi, c)
	return u128{hi, lo}
}

// trailing is the number of zeros a ends with; 128 for zero.
func (a u128) trailing() int {
	if a.lo != 0 {
		return bits.TrailingZeros64(a.lo)
	}
	return 64 + bits.TrailingZeros64(a.hi)
}

func (a u128) len() int {
	if a.hi != 0 {
		return 64 + bits.Len64(a.hi)
	}
	return bits.Len64(a.lo)
}

// bit is bit i of a, the first one being 0.
func (a u128) bit(i int) int {
	if i < 64 {
		return int(a.hi >> (63 - i) & 1)
	}
	return int(a.lo >> (127 - i) & 1)
}

// common is how many bits a and b begin with alike.
func (a u128) common(b u128) int { return 128 - u128{a.hi ^ b.hi, a.lo ^ b.lo}.len() }

// prefixes splits from … to, inclusive, into as few prefixes as it takes, in
// order, and gives each to f with its length.
func prefixes(from, to u128, f func(u128, int) error) error {
	for !to.less(from) {
		// The largest block that begins at from and does not reach beyond to.
		size := from.trailing()
		if span, ok := to.minus(from).next(); ok {
			size = min(size, span.len()-1)
		}
		if err := f(from, 128-size); err != nil {
			return err
		}
		var ok bool
		if from, ok = from.plus(size); !ok {
			return nil
		}
	}
	return nil
}
