// Package inflate decodes DEFLATE (RFC 1951) piece by piece. The standard
// library's reader cannot stop in the middle of its input and go on with the
// next segment, and keeps a window of its own; here the output is also the
// window, because at most a bounded prefix of a body or message is wanted.
package inflate

import "errors"

// ErrInvalid says that the input is no DEFLATE stream.
var ErrInvalid = errors.New("inflate: invalid data")

const (
	maxBits  = 15 // longest Huffman code, RFC 1951 section 3.2.7
	fastBits = 9
	maxLit   = 288
	maxDist  = 32
)

// huffman decodes canonical codes: short ones by table, long ones by counting.
type huffman struct {
	fast   [1 << fastBits]uint16 // symbol<<4 | length, zero for longer codes
	count  [maxBits + 1]uint16
	symbol [maxLit]uint16
}

// build prepares h for the code lengths. Over-subscribed codes are refused;
// an incomplete code is taken, its unused codes fail when they are met.
func (h *huffman) build(lens []uint8) bool {
	clear(h.fast[:])
	clear(h.count[:])
	for _, l := range lens {
		h.count[l]++
	}
	h.count[0] = 0
	left := 1
	for l := 1; l <= maxBits; l++ {
		if left = left<<1 - int(h.count[l]); left < 0 {
			return false
		}
	}
	var offs, next [maxBits + 2]uint16
	for l := 1; l <= maxBits; l++ {
		offs[l+1] = offs[l] + h.count[l]
		next[l+1] = (next[l] + h.count[l]) << 1
	}
	for s, l := range lens {
		if l == 0 {
			continue
		}
		h.symbol[offs[l]] = uint16(s)
		offs[l]++
		code := next[l]
		next[l]++
		if l > fastBits {
			continue
		}
		r := 0
		for i := range l {
			r |= int(code>>i&1) << (l - 1 - i)
		}
		for ; r < len(h.fast); r += 1 << l {
			h.fast[r] = uint16(s)<<4 | uint16(l)
		}
	}
	return true
}

// decode finds the symbol at the low end of bits. n is its length, 0 when more
// than nbits are needed, negative when no such code exists.
func (h *huffman) decode(bits uint64, nbits uint) (sym int, n int) {
	if e := h.fast[bits&(1<<fastBits-1)]; e != 0 {
		if l := uint(e & 15); l <= nbits {
			return int(e >> 4), int(l)
		}
		return 0, 0
	}
	code, first, index := 0, 0, 0
	for l := 1; l <= maxBits; l++ {
		if uint(l) > nbits {
			return 0, 0
		}
		code |= int(bits & 1)
		bits >>= 1
		cnt := int(h.count[l])
		if code-cnt < first {
			return int(h.symbol[index+code-first]), l
		}
		index += cnt
		first = (first + cnt) << 1
		code <<= 1
	}
	return 0, -1
}

type inflateState uint8

const (
	inBlock   inflateState = iota // a block header comes next
	inStored                      // LEN and NLEN
	inCopy                        // bytes of a stored block
	inDynamic                     // HLIT, HDIST, HCLEN
	inCLens                       // code length code lengths
	inLens                        // literal and distance code lengths
	inData                        // compressed symbols
	inEnd                         // after the final block
)

// Stream is the state of one DEFLATE stream. It needs Reset before use.
type Stream struct {
	bits   uint64
	nbits  uint
	state  inflateState
	final  bool
	base   int // where in the output this stream's history begins
	stored int // bytes left of a stored block
	rest   int // bytes left of a match that the output had no room for
	dist0  int // its distance
	nlit   int
	ndist  int
	nclen  int
	have   int
	lens   [maxLit + maxDist]uint8
	lit    huffman
	dist   huffman
}

// Reset prepares for a stream that may refer back to the output from index
// base on.
func (z *Stream) Reset(base int) {
	z.bits, z.nbits, z.state, z.final, z.base, z.rest = 0, 0, inBlock, false, base, 0
}

// History is how far back a match may refer, RFC 1951 section 2.
const History = 32 << 10

// Slide says that the first n bytes of the output were taken away. At least
// History bytes, or all there are, must be left.
func (z *Stream) Slide(n int) { z.base = max(0, z.base-n) }

// take removes n bits when they are there.
func (z *Stream) take(n uint) (v int, ok bool) {
	if z.nbits < n {
		return 0, false
	}
	v = int(z.bits & (1<<n - 1))
	z.bits >>= n
	z.nbits -= n
	return v, true
}

// Order of the code length code lengths, RFC 1951 section 3.2.7.
var clOrder = [19]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// Bases and extra bits of length and distance codes, RFC 1951 section 3.2.5.
var (
	lenBase   = [29]uint16{3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258}
	lenExtra  = [29]uint8{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0}
	distBase  = [30]uint16{1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577}
	distExtra = [30]uint8{0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13}
)

// Ended reports whether the stream's final block is complete.
func (z *Stream) Ended() bool { return z.state == inEnd }

// Inflate decodes in onto out, which holds the output so far, up to limit
// bytes in all. It stops at the end of in, at the end of the stream (used then
// excludes what follows it) or when out is full; to go on then, even without
// more input, make room and say so by Slide.
func (z *Stream) Inflate(out, in []byte, limit int) (grown []byte, used int, err error) {
	i := 0
	if z.rest > 0 {
		out = z.match(out, z.rest, z.dist0, limit)
	}
	for z.state != inEnd && len(out) < limit {
		for z.nbits <= 56 && i < len(in) {
			z.bits |= uint64(in[i]) << z.nbits
			z.nbits += 8
			i++
		}
		// Each step takes all bits it needs (48 at most) or none, so what is
		// in bits is all that must be remembered between segments.
		ok := true
		switch z.state {
		case inBlock:
			ok, err = z.block()
		case inStored:
			ok, err = z.storedHead()
		case inCopy:
			for z.stored > 0 && z.nbits >= 8 && len(out) < limit {
				v, _ := z.take(8)
				out = append(out, byte(v))
				z.stored--
			}
			if z.nbits == 0 {
				n := min(z.stored, len(in)-i, limit-len(out))
				out = append(out, in[i:i+n]...)
				i += n
				z.stored -= n
			}
			if z.stored == 0 {
				z.nextBlock()
			} else {
				ok = i < len(in)
			}
		case inDynamic:
			if ok = z.nbits >= 14; ok {
				z.nlit, _ = z.take(5)
				z.ndist, _ = z.take(5)
				z.nclen, _ = z.take(4)
				z.nlit, z.ndist, z.nclen, z.have = z.nlit+257, z.ndist+1, z.nclen+4, 0
				clear(z.lens[:])
				z.state = inCLens
			}
		case inCLens:
			var v int
			if v, ok = z.take(3); ok {
				z.lens[clOrder[z.have]] = uint8(v)
				if z.have++; z.have == z.nclen {
					if !z.lit.build(z.lens[:19]) {
						return out, i, ErrInvalid
					}
					clear(z.lens[:])
					z.have, z.state = 0, inLens
				}
			}
		case inLens:
			ok, err = z.codeLen()
		case inData:
			out, ok, err = z.symbols(out, limit)
		}
		if err != nil {
			return out, i, err
		}
		if !ok && i >= len(in) {
			return out, i, nil
		}
	}
	if z.state == inEnd {
		// Whole bytes read ahead belong to what follows the stream.
		i = max(0, i-int(z.nbits>>3))
		z.bits, z.nbits = 0, 0
	}
	return out, i, nil
}

func (z *Stream) nextBlock() {
	z.state = inBlock
	if z.final {
		z.state = inEnd
	}
}

func (z *Stream) block() (ok bool, err error) {
	v, ok := z.take(3)
	if !ok {
		return false, nil
	}
	z.final = v&1 != 0
	switch v >> 1 {
	case 0:
		z.take(z.nbits & 7)
		z.state = inStored
	case 1: // fixed codes, RFC 1951 section 3.2.6
		l := z.lens[:maxLit]
		for i := range l {
			switch {
			case i < 144:
				l[i] = 8
			case i < 256:
				l[i] = 9
			case i < 280:
				l[i] = 7
			default:
				l[i] = 8
			}
		}
		z.lit.build(l)
		for i := range 30 {
			z.lens[i] = 5
		}
		z.dist.build(z.lens[:30])
		z.state = inData
	case 2:
		z.state = inDynamic
	default:
		return false, ErrInvalid
	}
	return true, nil
}

func (z *Stream) storedHead() (ok bool, err error) {
	if z.nbits < 32 {
		return false, nil
	}
	n, _ := z.take(16)
	inv, _ := z.take(16)
	if n != inv^0xffff {
		return false, ErrInvalid
	}
	z.stored, z.state = n, inCopy
	return true, nil
}

// codeLen reads one entry of the run-length coded code lengths.
func (z *Stream) codeLen() (ok bool, err error) {
	sym, n := z.lit.decode(z.bits, z.nbits)
	if n < 0 {
		return false, ErrInvalid
	}
	extra, rep, val := uint(0), 1, uint8(sym)
	switch sym {
	case 16:
		extra, rep = 2, 3
		if z.have == 0 {
			return false, ErrInvalid
		}
		val = z.lens[z.have-1]
	case 17:
		extra, rep, val = 3, 3, 0
	case 18:
		extra, rep, val = 7, 11, 0
	}
	if n == 0 || z.nbits < uint(n)+extra {
		return false, nil
	}
	z.take(uint(n))
	v, _ := z.take(extra)
	rep += v
	total := z.nlit + z.ndist
	if z.have+rep > total {
		return false, ErrInvalid
	}
	for range rep {
		z.lens[z.have] = val
		z.have++
	}
	if z.have < total {
		return true, nil
	}
	if z.nlit > maxLit || !z.lit.build(z.lens[:z.nlit]) || !z.dist.build(z.lens[z.nlit:total]) {
		return false, ErrInvalid
	}
	z.state = inData
	return true, nil
}

// symbols decodes literals and matches as long as the bits suffice.
func (z *Stream) symbols(out []byte, limit int) (grown []byte, ok bool, err error) {
	for did := false; ; did = true {
		if len(out) >= limit {
			return out, true, nil
		}
		bits, nbits := z.bits, z.nbits
		sym, n := z.lit.decode(bits, nbits)
		if n < 0 {
			return out, false, ErrInvalid
		}
		if n == 0 {
			return out, did, nil
		}
		bits >>= n
		nbits -= uint(n)
		if sym < 256 {
			out = append(out, byte(sym))
			z.bits, z.nbits = bits, nbits
			continue
		}
		if sym == 256 {
			z.bits, z.nbits = bits, nbits
			z.nextBlock()
			return out, true, nil
		}
		if sym -= 257; sym >= len(lenBase) {
			return out, false, ErrInvalid
		}
		e := uint(lenExtra[sym])
		if nbits < e {
			return out, did, nil
		}
		length := int(lenBase[sym]) + int(bits&(1<<e-1))
		bits >>= e
		nbits -= e
		ds, n := z.dist.decode(bits, nbits)
		if n < 0 || ds >= len(distBase) {
			return out, false, ErrInvalid
		}
		e = uint(distExtra[ds])
		if n == 0 || nbits < uint(n)+e {
			return out, did, nil
		}
		bits >>= n
		dist := int(distBase[ds]) + int(bits&(1<<e-1))
		z.bits, z.nbits = bits>>e, nbits-uint(n)-e
		if dist > len(out)-z.base {
			return out, false, ErrInvalid
		}
		out = z.match(out, length, dist, limit)
	}
}

// match copies length bytes from dist back, as far as there is room.
func (z *Stream) match(out []byte, length, dist, limit int) []byte {
	n := min(length, limit-len(out))
	z.rest, z.dist0 = length-n, dist
	for range n {
		out = append(out, out[len(out)-dist])
	}
	return out
}
