package engine

import "math/bits"

// bufPool lends byte buffers in sizes of powers of two, and keeps their sum
// within a budget.
type bufPool struct {
	free   [bufClasses][][]byte
	used   int // bytes lent
	budget int
}

const (
	minBuf     = 512
	bufClasses = 13 // 512 B … 2 MiB
	maxFree    = 256
)

func bufClass(n int) int {
	if n <= minBuf {
		return 0
	}
	return bits.Len(uint(n-1)) - 9
}

// get returns an empty buffer with room for n bytes, or nil when the budget
// does not allow it.
func (p *bufPool) get(n int) []byte {
	cl := bufClass(n)
	size := minBuf << cl
	if cl >= bufClasses || p.used+size > p.budget {
		return nil
	}
	p.used += size
	if f := p.free[cl]; len(f) > 0 {
		b := f[len(f)-1]
		p.free[cl] = f[:len(f)-1]
		return b
	}
	return make([]byte, 0, size)
}

func (p *bufPool) put(b []byte) {
	if cap(b) == 0 {
		return
	}
	cl := bufClass(cap(b))
	p.used -= cap(b)
	if len(p.free[cl]) < maxFree {
		p.free[cl] = append(p.free[cl], b[:0])
	}
}
