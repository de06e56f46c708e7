package pcapfile

import (
	"encoding/binary"
	"math/bits"

	"github.com/yamori-net/yamori/internal/packet"
)

// order reads numbers; true means big-endian.
type order bool

func (o order) u16(b []byte) uint16 {
	v := binary.LittleEndian.Uint16(b)
	if o {
		v = bits.ReverseBytes16(v)
	}
	return v
}

func (o order) u32(b []byte) uint32 {
	v := binary.LittleEndian.Uint32(b)
	if o {
		v = bits.ReverseBytes32(v)
	}
	return v
}

func (o order) u64(b []byte) uint64 {
	v := binary.LittleEndian.Uint64(b)
	if o {
		v = bits.ReverseBytes64(v)
	}
	return v
}

// Sizes, draft-ietf-opsawg-pcap sections 4 and 5.
const (
	pcapHeaderLen     = 24
	recordHeaderLen   = 16
	modifiedHeaderLen = 24
)

// classic is the state of a pcap file.
type classic struct {
	link   packet.LinkType
	hdr    int   // length of a record header
	frac   int64 // nanoseconds in one unit of the second time field
	lenPos lenPos
}

// lenPos says how the two lengths of a record are ordered. Writers before
// version 2.3 stored the length on the wire first, 2.3 was written both ways;
// libpcap decides in the same manner.
type lenPos uint8

const (
	capturedFirst lenPos = iota
	wireFirst
	smallerIsCaptured
)

func (r *Reader) pcapHeader(magic uint32) error {
	if err := r.fill(pcapHeaderLen, "file header"); err != nil {
		return err
	}
	h, o := r.buf[r.r:r.w], order(r.swap)
	major, minor := o.u16(h[4:]), o.u16(h[6:])
	if major != 2 {
		return r.damage("pcap version %d.%d; only version 2 is known", major, minor)
	}
	c := classic{hdr: recordHeaderLen, frac: 1000}
	// The upper half of the field tells the length of a frame check sequence,
	// which decoding does not need: the IP length bounds the packet.
	c.link = packet.LinkType(o.u32(h[20:]))
	switch magic {
	case magicNano:
		c.frac = 1
	case magicModified:
		c.hdr = modifiedHeaderLen
	}
	switch {
	case minor < 3:
		c.lenPos = wireFirst
	case minor == 3:
		c.lenPos = smallerIsCaptured
	}
	r.classic = c
	r.format = formatPcap
	r.r += pcapHeaderLen
	return nil
}

func (r *Reader) nextPcap(f *packet.Frame) error {
	c := &r.classic
	if r.w-r.r < c.hdr {
		if err := r.fill(c.hdr, "packet header"); err != nil {
			return err
		}
	}
	h, o := r.buf[r.r:r.w], order(r.swap)
	sec, frac := o.u32(h), o.u32(h[4:])
	n, wire := o.u32(h[8:]), o.u32(h[12:])
	if c.lenPos != capturedFirst && (c.lenPos == wireFirst || n > wire) {
		n, wire = wire, n
	}
	if n > MaxSnap {
		return r.damage("a packet of %d bytes, more than the %d accepted", n, MaxSnap)
	}
	end := c.hdr + int(n)
	if len(h) < end {
		if err := r.fill(end, "packet"); err != nil {
			return err
		}
		h = r.buf[r.r:r.w]
	}
	var iface uint32
	if c.hdr == modifiedHeaderLen {
		iface = o.u32(h[16:])
	}
	r.r += end
	*f = packet.Frame{
		// Both fields are 32 bits wide: the sum stays below MaxTime.
		Time:  int64(sec)*1e9 + int64(frac)*c.frac,
		Data:  h[c.hdr:end:end],
		Len:   wireLen(wire, int(n)),
		Link:  c.link,
		Iface: iface,
	}
	return nil
}

// wireLen returns the length on the wire, at least the n bytes that are there
// and at most what an int holds on every machine.
func wireLen(wire uint32, n int) int {
	return max(int(min(wire, 1<<31-1)), n)
}
