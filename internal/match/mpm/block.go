package mpm

import "encoding/binary"

// blockSize is how many positions are looked at before their candidates are: the loops of this file make no calls, which
// would cost them their registers, and cannot overflow the list.
const blockSize = 1024

// Each of these looks at the positions of a block, puts those whose bit is set into cand, and returns the first position
// not looked at and the number of candidates. They differ in constants only, but those are what makes them fast: with
// width and step as variables they take twice the time (measured November 2026).

// block4 looks at 5 bytes at every 4th position.
func (c *class) block4(d []byte, cand *[blockSize]uint16) (i, n int) {
	const fold = spaces & (1<<40 - 1)
	bitmap, sh := c.bitmap, c.bitSh&63
	for range min(blockSize*4/16, (len(d)-4)/16) {
		w := (*[20]byte)(d)
		b0 := (binary.LittleEndian.Uint64(w[0:])&(1<<40-1) | fold) * multiplier >> sh
		b1 := (binary.LittleEndian.Uint64(w[4:])&(1<<40-1) | fold) * multiplier >> sh
		b2 := (binary.LittleEndian.Uint64(w[8:])&(1<<40-1) | fold) * multiplier >> sh
		b3 := (binary.LittleEndian.Uint64(w[12:])&(1<<40-1) | fold) * multiplier >> sh
		if bitmap[b0/64]&(1<<(b0%64)) != 0 {
			cand[n&(blockSize-1)] = uint16(i)
			n++
		}
		if bitmap[b1/64]&(1<<(b1%64)) != 0 {
			cand[n&(blockSize-1)] = uint16(i + 4)
			n++
		}
		if bitmap[b2/64]&(1<<(b2%64)) != 0 {
			cand[n&(blockSize-1)] = uint16(i + 8)
			n++
		}
		if bitmap[b3/64]&(1<<(b3%64)) != 0 {
			cand[n&(blockSize-1)] = uint16(i + 12)
			n++
		}
		i += 16
		d = d[16:]
	}
	return i, n
}

// block2 looks at 4 bytes at every 2nd position.
func (c *class) block2(d []byte, cand *[blockSize]uint16) (i, n int) {
	const fold = spaces & (1<<32 - 1)
	bitmap, sh := c.bitmap, c.bitSh&63
	for range min(blockSize*2/8, (len(d)-4)/8) {
		w := (*[12]byte)(d)
		b0 := uint64(binary.LittleEndian.Uint32(w[0:])|fold) * multiplier >> sh
		b1 := uint64(binary.LittleEndian.Uint32(w[2:])|fold) * multiplier >> sh
		b2 := uint64(binary.LittleEndian.Uint32(w[4:])|fold) * multiplier >> sh
		b3 := uint64(binary.LittleEndian.Uint32(w[6:])|fold) * multiplier >> sh
		if bitmap[b0/64]&(1<<(b0%64)) != 0 {
			cand[n&(blockSize-1)] = uint16(i)
			n++
		}
		if bitmap[b1/64]&(1<<(b1%64)) != 0 {
			cand[n&(blockSize-1)] = uint16(i + 2)
			n++
		}
		if bitmap[b2/64]&(1<<(b2%64)) != 0 {
			cand[n&(blockSize-1)] = uint16(i + 4)
			n++
		}
		if bitmap[b3/64]&(1<<(b3%64)) != 0 {
			cand[n&(blockSize-1)] = uint16(i + 6)
			n++
		}
		i += 8
		d = d[8:]
	}
	return i, n
}

// block2of3 looks at 3 bytes at every 2nd position.
func (c *class) block2of3(d []byte, cand *[blockSize]uint16) (i, n int) {
	const fold = spaces & (1<<24 - 1)
	bitmap, sh := c.bitmap, c.bitSh&63
	for range min(blockSize*2/8, (len(d)-4)/8) {
		w := (*[12]byte)(d)
		b0 := uint64(binary.LittleEndian.Uint32(w[0:])&(1<<24-1)|fold) * multiplier >> sh
		b1 := uint64(binary.LittleEndian.Uint32(w[2:])&(1<<24-1)|fold) * multiplier >> sh
		b2 := uint64(binary.LittleEndian.Uint32(w[4:])&(1<<24-1)|fold) * multiplier >> sh
		b3 := uint64(binary.LittleEndian.Uint32(w[6:])&(1<<24-1)|fold) * multiplier >> sh
		if bitmap[b0/64]&(1<<(b0%64)) != 0 {
			cand[n&(blockSize-1)] = uint16(i)
			n++
		}
		if bitmap[b1/64]&(1<<(b1%64)) != 0 {
			cand[n&(blockSize-1)] = uint16(i + 2)
			n++
		}
		if bitmap[b2/64]&(1<<(b2%64)) != 0 {
			cand[n&(blockSize-1)] = uint16(i + 4)
			n++
		}
		if bitmap[b3/64]&(1<<(b3%64)) != 0 {
			cand[n&(blockSize-1)] = uint16(i + 6)
			n++
		}
		i += 8
		d = d[8:]
	}
	return i, n
}

// block1 looks at 3 bytes at every position.
func (c *class) block1(d []byte, cand *[blockSize]uint16) (i, n int) {
	bitmap, sh := c.bitmap, c.bitSh&63
	for range min(blockSize*1/4, (len(d)-4)/4) {
		w := (*[8]byte)(d)
		v := binary.LittleEndian.Uint64(w[:]) | spaces
		b0 := v & (1<<24 - 1) * multiplier >> sh
		b1 := (v >> 8 & (1<<24 - 1)) * multiplier >> sh
		b2 := (v >> 16 & (1<<24 - 1)) * multiplier >> sh
		b3 := (v >> 24 & (1<<24 - 1)) * multiplier >> sh
		if bitmap[b0/64]&(1<<(b0%64)) != 0 {
			cand[n&(blockSize-1)] = uint16(i)
			n++
		}
		if bitmap[b1/64]&(1<<(b1%64)) != 0 {
			cand[n&(blockSize-1)] = uint16(i + 1)
			n++
		}
		if bitmap[b2/64]&(1<<(b2%64)) != 0 {
			cand[n&(blockSize-1)] = uint16(i + 2)
			n++
		}
		if bitmap[b3/64]&(1<<(b3%64)) != 0 {
			cand[n&(blockSize-1)] = uint16(i + 3)
			n++
		}
		i += 4
		d = d[4:]
	}
	return i, n
}

// blockPairs looks at 2 bytes at every position, case as it is.
func (c *class) blockPairs(d []byte, cand *[blockSize]uint16) (i, n int) {
	bitmap, sh := c.bitmap, c.bitSh&63
	for range min(blockSize*1/4, (len(d)-4)/4) {
		w := (*[8]byte)(d)
		v := binary.LittleEndian.Uint64(w[:])
		b0 := v & (1<<16 - 1) * multiplier >> sh
		b1 := (v >> 8 & (1<<16 - 1)) * multiplier >> sh
		b2 := (v >> 16 & (1<<16 - 1)) * multiplier >> sh
		b3 := (v >> 24 & (1<<16 - 1)) * multiplier >> sh
		if bitmap[b0/64]&(1<<(b0%64)) != 0 {
			cand[n&(blockSize-1)] = uint16(i)
			n++
		}
		if bitmap[b1/64]&(1<<(b1%64)) != 0 {
			cand[n&(blockSize-1)] = uint16(i + 1)
			n++
		}
		if bitmap[b2/64]&(1<<(b2%64)) != 0 {
			cand[n&(blockSize-1)] = uint16(i + 2)
			n++
		}
		if bitmap[b3/64]&(1<<(b3%64)) != 0 {
			cand[n&(blockSize-1)] = uint16(i + 3)
			n++
		}
		i += 4
		d = d[4:]
	}
	return i, n
}

// blockEven looks at 2 bytes at every 2nd position, case as it is. Every pair has a bit of its own, so there is nothing
// to hash.
func (c *class) blockEven(d []byte, cand *[blockSize]uint16) (i, n int) {
	bitmap := (*[1 << 16 / 64]uint64)(c.bitmap)
	for range min(blockSize*2/8, len(d)/8) {
		w := (*[8]byte)(d)
		b0 := uint(binary.LittleEndian.Uint16(w[0:]))
		b1 := uint(binary.LittleEndian.Uint16(w[2:]))
		b2 := uint(binary.LittleEndian.Uint16(w[4:]))
		b3 := uint(binary.LittleEndian.Uint16(w[6:]))
		if bitmap[b0/64]&(1<<(b0%64)) != 0 {
			cand[n&(blockSize-1)] = uint16(i)
			n++
		}
		if bitmap[b1/64]&(1<<(b1%64)) != 0 {
			cand[n&(blockSize-1)] = uint16(i + 2)
			n++
		}
		if bitmap[b2/64]&(1<<(b2%64)) != 0 {
			cand[n&(blockSize-1)] = uint16(i + 4)
			n++
		}
		if bitmap[b3/64]&(1<<(b3%64)) != 0 {
			cand[n&(blockSize-1)] = uint16(i + 6)
			n++
		}
		i += 8
		d = d[8:]
	}
	return i, n
}
