package pcapfile

import (
	"fmt"
	"io"
	"math"

	"github.com/yamori-net/yamori/internal/packet"
)

// MaxInterfaces is the largest number of interfaces one section may describe.
const MaxInterfaces = 4096

// Block types, draft-ietf-opsawg-pcapng section 11.1.
const (
	blockSection   = magicSHB
	blockInterface = 1
	blockPacket    = 2 // obsolete
	blockSimple    = 3
	blockEnhanced  = 6
)

// Options of an interface description, section 4.2.
const (
	optEnd      = 0
	optTSResol  = 9
	optTSOffset = 14
)

// Sizes: a block is type, length, body, length again.
const (
	blockHead  = 8
	blockFrame = 12
	sectionMin = blockFrame + 16
)

// ng is the state of a pcapng file.
type ng struct {
	ifaces []iface // of the current section
	before uint32  // interfaces of the sections before
	last   int64   // time of the last packet that had one
}

type iface struct {
	clock clock
	snap  uint32 // 0: no limit
	link  packet.LinkType
}

func (r *Reader) nextNG(f *packet.Frame) error {
	for {
		if r.w-r.r < blockFrame {
			if err := r.fill(blockFrame, "block"); err != nil {
				return err
			}
		}
		h := r.buf[r.r:r.w]
		typ := order(r.swap).u32(h)
		if typ == blockSection {
			if err := r.byteOrder(h[blockHead:]); err != nil {
				return err
			}
		}
		total := order(r.swap).u32(h[4:])
		if total < blockFrame || total%4 != 0 {
			return r.damage("block of type %#x has the impossible length %d", typ, total)
		}
		switch typ {
		case blockSection, blockInterface, blockPacket, blockSimple, blockEnhanced:
		default:
			if err := r.skip(typ, total); err != nil {
				return err
			}
			continue
		}
		if total > maxBlock {
			return r.damage("block of type %#x has %d bytes, more than the %d accepted", typ, total, maxBlock)
		}
		if len(h) < int(total) {
			if err := r.fill(int(total), "block"); err != nil {
				return err
			}
			h = r.buf[r.r:r.w]
		}
		if again := order(r.swap).u32(h[total-4:]); again != total {
			return r.damage("block of type %#x says %d bytes at its begin and %d at its end", typ, total, again)
		}
		body := h[blockHead : total-4]
		var err error
		var found bool
		switch typ {
		case blockSection:
			err = r.section(body)
		case blockInterface:
			err = r.describe(body)
		case blockEnhanced:
			found, err = true, r.enhanced(f, body)
		case blockPacket:
			found, err = true, r.obsolete(f, body)
		case blockSimple:
			found, err = true, r.simple(f, body)
		}
		if err != nil {
			return err
		}
		r.r += int(total)
		if found {
			return nil
		}
	}
}

// byteOrder reads the byte-order magic, which stands at b.
func (r *Reader) byteOrder(b []byte) error {
	switch uint32(magicBOM) {
	case order(false).u32(b):
		r.swap = false
	case order(true).u32(b):
		r.swap = true
	default:
		return r.damage("section header without byte-order magic, but % x", b[:4])
	}
	return nil
}

// section begins a new section. Its own length is not needed: what follows is
// a block either way.
func (r *Reader) section(b []byte) error {
	o := order(r.swap)
	if len(b) < sectionMin-blockFrame {
		return r.damage("section header of %d bytes is too short", len(b)+blockFrame)
	}
	// Minor versions 0 and 2 exist and are the same (section 4.1).
	if major, minor := o.u16(b[4:]), o.u16(b[6:]); major != 1 {
		return r.damage("pcapng version %d.%d; only version 1 is known", major, minor)
	}
	r.ng.before += uint32(len(r.ng.ifaces))
	r.ng.ifaces = r.ng.ifaces[:0]
	return nil
}

// describe reads an interface description. Options that contradict their
// block are left unread; the block itself is still sound.
func (r *Reader) describe(b []byte) error {
	o := order(r.swap)
	if len(b) < 8 {
		return r.damage("interface description of %d bytes is too short", len(b)+blockFrame)
	}
	if len(r.ng.ifaces) == MaxInterfaces {
		return r.damage("more than %d interfaces in one section", MaxInterfaces)
	}
	it := iface{link: packet.LinkType(o.u16(b)), snap: o.u32(b[4:])}
	resol, offset := uint8(6), int64(0)
	for b = b[8:]; len(b) >= 4; {
		code, n := o.u16(b), int(o.u16(b[2:]))
		b = b[4:]
		if code == optEnd || n > len(b) {
			break
		}
		switch {
		case code == optTSResol && n == 1:
			resol = b[0]
		case code == optTSOffset && n == 8:
			offset = int64(o.u64(b))
		}
		b = b[min((n+3)&^3, len(b)):]
	}
	it.clock = newClock(resol)
	it.clock.offset = offset
	r.ng.ifaces = append(r.ng.ifaces, it)
	return nil
}

// enhanced reads an enhanced packet block, section 4.3.
func (r *Reader) enhanced(f *packet.Frame, b []byte) error {
	o := order(r.swap)
	if len(b) < 20 {
		return r.damage("enhanced packet block of %d bytes is too short", len(b)+blockFrame)
	}
	stamp := uint64(o.u32(b[4:]))<<32 | uint64(o.u32(b[8:]))
	return r.stamped(f, o.u32(b), stamp, o.u32(b[12:]), o.u32(b[16:]), b[20:])
}

// obsolete reads a packet block, appendix A.
func (r *Reader) obsolete(f *packet.Frame, b []byte) error {
	o := order(r.swap)
	if len(b) < 20 {
		return r.damage("packet block of %d bytes is too short", len(b)+blockFrame)
	}
	stamp := uint64(o.u32(b[4:]))<<32 | uint64(o.u32(b[8:]))
	return r.stamped(f, uint32(o.u16(b)), stamp, o.u32(b[12:]), o.u32(b[16:]), b[20:])
}

// stamped fills f from the fields that both packet blocks with a time have.
func (r *Reader) stamped(f *packet.Frame, id uint32, stamp uint64, n, wire uint32, data []byte) error {
	if id >= uint32(len(r.ng.ifaces)) {
		return r.damage("packet of interface %d, but the section describes %d", id, len(r.ng.ifaces))
	}
	if n > MaxSnap {
		return r.damage("a packet of %d bytes, more than the %d accepted", n, MaxSnap)
	}
	if int(n) > len(data) {
		return r.damage("a packet of %d bytes in a block that has room for %d", n, len(data))
	}
	it := &r.ng.ifaces[id]
	r.ng.last = it.clock.ns(stamp)
	*f = packet.Frame{
		Time:  r.ng.last,
		Data:  data[:n:n],
		Len:   wireLen(wire, int(n)),
		Link:  it.link,
		Iface: r.ng.before + id,
	}
	return nil
}

// simple reads a simple packet block, section 4.4: it belongs to the first
// interface and has no time, so the packet gets that of the one before.
func (r *Reader) simple(f *packet.Frame, b []byte) error {
	if len(b) < 4 {
		return r.damage("simple packet block of %d bytes is too short", len(b)+blockFrame)
	}
	if len(r.ng.ifaces) == 0 {
		return r.damage("simple packet block in a section that describes no interface")
	}
	it := &r.ng.ifaces[0]
	wire := order(r.swap).u32(b)
	n := wire
	if it.snap != 0 {
		n = min(n, it.snap)
	}
	n = min(n, uint32(len(b)-4), MaxSnap)
	*f = packet.Frame{
		Time:  r.ng.last,
		Data:  b[4 : 4+n : 4+n],
		Len:   wireLen(wire, int(n)),
		Link:  it.link,
		Iface: r.ng.before,
	}
	return nil
}

// skip passes over a block of no interest, of any length, without keeping it.
func (r *Reader) skip(typ, total uint32) error {
	start := r.offset()
	for left := int64(total) - 4; left > 0; {
		if r.r == r.w {
			if err := r.fill(1, "block"); err != nil {
				return r.skipped(err, typ, total, start)
			}
		}
		n := min(left, int64(r.w-r.r))
		r.r += int(n)
		left -= n
	}
	if r.w-r.r < 4 {
		if err := r.fill(4, "block"); err != nil {
			return r.skipped(err, typ, total, start)
		}
	}
	again := order(r.swap).u32(r.buf[r.r:])
	r.r += 4
	if again != total {
		d := r.damage("block of type %#x says %d bytes at its begin and %d at its end", typ, total, again).(*Damage)
		d.Offset = start
		return d
	}
	return nil
}

// skipped turns the end of the input within a skipped block into damage at the
// begin of that block.
func (r *Reader) skipped(err error, typ, total uint32, start int64) error {
	d, ok := err.(*Damage)
	if err == io.EOF || ok && d.Err == io.ErrUnexpectedEOF && r.readErr == io.EOF {
		got := r.offset() + int64(r.w-r.r) - start
		d = r.cutOff(fmt.Sprintf("block of type %#x", typ), int(min(int64(total), math.MaxInt32)), int(got)).(*Damage)
		d.Offset = start
		return d
	}
	return err
}
