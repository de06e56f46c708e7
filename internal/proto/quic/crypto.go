package quic

import (
	"unsafe"

	"github.com/yamori-net/yamori/internal/proto"
)

// Limits of the reassembly of CRYPTO frames, for each direction.
const (
	// maxCrypto bounds the handshake bytes kept. A ClientHello with
	// post-quantum keys has about 2 kB.
	maxCrypto = 64 << 10
	// maxSpans bounds the separate stretches of them. Chromium cuts its
	// ClientHello into some twenty frames in random order.
	maxSpans = 64
	// maxKept bounds the memory kept for the next connection.
	maxKept = 4 << 10
)

// cryptoStream puts the bytes of CRYPTO frames in order. The first data for a
// place wins.
type cryptoStream struct {
	buf   []byte
	spans *[maxSpans]span // in order, apart from each other; nil until the first
	n     int
}

type span struct{ from, to uint32 }

func (c *cryptoStream) reset() {
	c.buf, c.n = proto.Keep(c.buf, maxKept), 0
}

// add takes the data of one frame. It returns false when it goes beyond a
// limit; the frame is then left out.
func (c *cryptoStream) add(off uint64, data []byte) bool {
	if len(data) == 0 {
		return true
	}
	if off > maxCrypto || int(off)+len(data) > maxCrypto {
		return false
	}
	if c.spans == nil {
		c.spans = new([maxSpans]span)
	}
	s := span{uint32(off), uint32(off) + uint32(len(data))}
	// i is the first span that touches s or lies behind it, j the first that
	// lies behind without touching.
	i := 0
	for i < c.n && c.spans[i].to < s.from {
		i++
	}
	j := i
	for j < c.n && c.spans[j].from <= s.to {
		j++
	}
	if i == j && c.n == maxSpans {
		return false
	}
	if n := int(s.to) - len(c.buf); n > 0 {
		c.buf = append(c.buf, make([]byte, n)...)
	}
	at := s.from // copied up to here
	for k := i; k < j; k++ {
		if x := c.spans[k]; x.from > at {
			copy(c.buf[at:x.from], data[at-s.from:])
		}
		at = max(at, c.spans[k].to)
	}
	if at < s.to {
		copy(c.buf[at:s.to], data[at-s.from:])
	}
	if i < j {
		s.from = min(s.from, c.spans[i].from)
		s.to = max(s.to, c.spans[j-1].to)
		copy(c.spans[i+1:], c.spans[j:c.n])
	} else {
		copy(c.spans[i+1:c.n+1], c.spans[i:c.n])
	}
	c.spans[i] = s
	c.n += 1 - (j - i)
	return true
}

// ready returns the bytes that are complete from the beginning.
func (c *cryptoStream) ready() []byte {
	if c.n == 0 || c.spans[0].from != 0 {
		return nil
	}
	return c.buf[:c.spans[0].to]
}

// size returns the bytes held.
func (c *cryptoStream) size() int {
	n := cap(c.buf)
	if c.spans != nil {
		n += int(unsafe.Sizeof(*c.spans))
	}
	return n
}
