package pcapfile

import (
	"encoding/binary"
	"math"
)

// builder writes capture files of every kind, and broken ones, byte by byte
// from the specification; it shares nothing with Writer.
type builder struct {
	o binary.AppendByteOrder
	b []byte
}

func (b *builder) u16(v ...uint16) *builder {
	for _, x := range v {
		b.b = b.o.AppendUint16(b.b, x)
	}
	return b
}

func (b *builder) u32(v ...uint32) *builder {
	for _, x := range v {
		b.b = b.o.AppendUint32(b.b, x)
	}
	return b
}

func (b *builder) u64(v uint64) *builder { b.b = b.o.AppendUint64(b.b, v); return b }
func (b *builder) raw(s string) *builder { b.b = append(b.b, s...); return b }

// pcap appends a file header.
func (b *builder) pcap(magic uint32, minor uint16, link uint32) *builder {
	return b.u32(magic).u16(2, minor).u32(0, 0, 65535, link)
}

// rec appends a record of the usual kind.
func (b *builder) rec(sec, frac, wire uint32, data string) *builder {
	return b.u32(sec, frac, uint32(len(data)), wire).raw(data)
}

// block appends a pcapng block around body, padded.
func (b *builder) block(typ uint32, body []byte) *builder {
	for len(body)%4 != 0 {
		body = append(body, 0)
	}
	n := uint32(len(body) + 12)
	b.u32(typ, n)
	b.b = append(b.b, body...)
	return b.u32(n)
}

// in returns an empty builder of the same byte order, for bodies.
func (b *builder) in() *builder { return &builder{o: b.o} }

func (b *builder) shb() *builder {
	return b.block(0x0a0d0d0a, b.in().u32(0x1a2b3c4d).u16(1, 0).u64(math.MaxUint64).b)
}

// idb appends an interface; opts are option bytes.
func (b *builder) idb(link uint16, snap uint32, opts []byte) *builder {
	return b.block(1, append(b.in().u16(link, 0).u32(snap).b, opts...))
}

func (b *builder) tsresol(v byte) []byte {
	return b.in().u16(9, 1).raw(string([]byte{v, 0, 0, 0})).u16(0, 0).b
}

func (b *builder) epb(id uint32, stamp uint64, wire uint32, data string) *builder {
	body := b.in().u32(id, uint32(stamp>>32), uint32(stamp), uint32(len(data)), wire).raw(data)
	for len(body.b)%4 != 0 {
		body.raw("\x00")
	}
	return b.block(6, body.u16(1, 2).raw("hi\x00\x00").u16(0, 0).b) // with a comment
}

func (b *builder) spb(wire uint32, data string) *builder {
	return b.block(3, b.in().u32(wire).raw(data).b)
}

func (b *builder) pb(id uint16, stamp uint64, wire uint32, data string) *builder {
	return b.block(2, b.in().u16(id, 0xffff).u32(uint32(stamp>>32), uint32(stamp), uint32(len(data)), wire).raw(data).b)
}

func le() *builder { return &builder{o: binary.LittleEndian} }
func be() *builder { return &builder{o: binary.BigEndian} }
