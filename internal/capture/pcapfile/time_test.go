package pcapfile

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

func TestClock(t *testing.T) {
	for _, c := range []struct {
		resol  uint8
		offset int64
		stamp  uint64
		want   int64
	}{
		{6, 0, 1_000_001, 1_000_001_000},
		{9, 0, 7, 7},
		{0, 0, 7, 7e9},
		{3, 0, 7, 7e6},
		{12, 0, 7999, 7},
		{28, 0, math.MaxUint64, 1},
		{29, 0, math.MaxUint64, 0},
		{127, 0, math.MaxUint64, 0},
		{0x80, 0, 3, 3e9},
		{0x81, 0, 3, 15e8},
		{0x80 | 32, 0, 1<<32 | 1<<31, 15e8},
		{0x80 | 63, 0, 1 << 62, 5e8},
		{0x80 | 64, 0, 1 << 63, 5e8},
		{0x80 | 65, 0, 1 << 63, 25e7},
		{0x80 | 127, 0, math.MaxUint64, 0},
		{6, 0, math.MaxUint64, MaxTime},
		{0, 0, math.MaxUint64, MaxTime},
		{9, 0, MaxTime, MaxTime},
		{9, 0, MaxTime + 1, MaxTime},
		{9, 1, 5, 1_000_000_005},
		{9, -1, 1_000_000_005, 5},
		{9, -1, 5, 0},
		{6, math.MaxInt64, math.MaxUint64, MaxTime},
		{6, math.MinInt64, math.MaxUint64, 0},
		{6, math.MinInt64, 0, 0},
		{0, -1 << 60, 1<<60 + 2, 2e9},
	} {
		k := newClock(c.resol)
		k.offset = c.offset
		if got := k.ns(c.stamp); got != c.want {
			t.Errorf("resolution %#x, offset %d, stamp %d: %d, want %d", c.resol, c.offset, c.stamp, got, c.want)
		}
	}
}

// TestClockOracle compares with arithmetic of any width.
func TestClockOracle(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	limit := big.NewInt(MaxTime)
	for range 20000 {
		resol, stamp := uint8(rng.Uint32()), rng.Uint64()>>(rng.Uint32()%64)
		offset := (rng.Int64() - rng.Int64()) >> (rng.Uint32() % 64)
		n := int64(resol & 0x7f)
		unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(n), nil)
		if resol&0x80 != 0 {
			unit.Lsh(big.NewInt(1), uint(n))
		}
		want := new(big.Int).Mul(new(big.Int).SetUint64(stamp), big.NewInt(nsPerSec))
		want.Div(want, unit)
		want.Add(want, new(big.Int).Mul(big.NewInt(offset), big.NewInt(nsPerSec)))
		if want.Sign() < 0 {
			want.SetInt64(0)
		} else if want.Cmp(limit) > 0 {
			want.Set(limit)
		}
		k := newClock(resol)
		k.offset = offset
		if got := k.ns(stamp); got != want.Int64() {
			t.Fatalf("resolution %#x, offset %d, stamp %d: %d, want %v", resol, offset, stamp, got, want)
		}
	}
}
