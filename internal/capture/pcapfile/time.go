package pcapfile

import (
	"math"
	"math/bits"
)

// MaxTime is the latest time a Frame carries, in nanoseconds since the epoch:
// 2116. What a file claims beyond is set to it, so that adding a time-out
// never overflows. Times before 1970 become 0. A classic pcap ends in 2106.
const MaxTime = 1 << 62

const nsPerSec = 1_000_000_000

// clock turns the time stamps of one pcapng interface into nanoseconds.
type clock struct {
	mul    uint64 // 0: shift or div; else ns = stamp * mul
	div    uint64 // ns = stamp / div
	shift  uint8  // binary resolution: ns = stamp * 10^9 >> shift
	binary bool
	offset int64 // seconds to add, if_tsoffset
}

// newClock reads if_tsresol (draft-ietf-opsawg-pcapng section 4.2): the
// highest bit selects powers of two, the others are the negative exponent.
func newClock(resol uint8) clock {
	n := resol & 0x7f
	switch {
	case resol&0x80 != 0:
		return clock{binary: true, shift: n}
	case n <= 9:
		return clock{mul: pow10(9 - n)}
	case n-9 <= 19:
		return clock{div: pow10(n - 9)}
	}
	return clock{div: math.MaxUint64} // finer than 10^-28 s
}

func pow10(n uint8) uint64 {
	p := uint64(1)
	for ; n > 0; n-- {
		p *= 10
	}
	return p
}

// ns converts a stamp; the result lies in [0, MaxTime].
func (c *clock) ns(stamp uint64) int64 {
	var hi, lo uint64
	switch {
	case c.mul != 0:
		hi, lo = bits.Mul64(stamp, c.mul)
	case c.binary:
		hi, lo = bits.Mul64(stamp, nsPerSec)
		if c.shift >= 64 {
			hi, lo = 0, hi>>(c.shift-64)
		} else {
			lo = lo>>c.shift | hi<<(64-c.shift) // a shift by 64 yields 0 in Go
			hi >>= c.shift
		}
	default:
		lo = stamp / c.div
		if c.div == math.MaxUint64 {
			lo = 0 // 2^64 units of 10^-29 s are less than a nanosecond
		}
	}
	if c.offset == 0 && hi == 0 && lo <= MaxTime {
		return int64(lo)
	}
	return addSeconds(hi, lo, c.offset)
}

// addSeconds returns hi:lo nanoseconds plus sec seconds, clamped.
func addSeconds(hi, lo uint64, sec int64) int64 {
	neg := sec < 0
	abs := uint64(sec)
	if neg {
		abs = -abs // right for the smallest value too
	}
	ohi, olo := bits.Mul64(abs, nsPerSec)
	var carry uint64
	if neg {
		lo, carry = bits.Sub64(lo, olo, 0)
		hi, carry = bits.Sub64(hi, ohi, carry)
		if carry != 0 {
			return 0
		}
	} else {
		// hi < 2^30 on both sides: the sum cannot carry.
		lo, carry = bits.Add64(lo, olo, 0)
		hi, _ = bits.Add64(hi, ohi, carry)
	}
	if hi != 0 || lo > MaxTime {
		return MaxTime
	}
	return int64(lo)
}
