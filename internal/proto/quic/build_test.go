package quic

import (
	"encoding/binary"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

// The functions here encode and protect what the parser reads, for tests.

func cat(bs ...[]byte) []byte {
	var out []byte
	for _, b := range bs {
		out = append(out, b...)
	}
	return out
}

// vi encodes a variable-length integer in the shortest form.
func vi(v int) []byte {
	switch {
	case v < 1<<6:
		return []byte{byte(v)}
	case v < 1<<14:
		return binary.BigEndian.AppendUint16(nil, uint16(v)|0x4000)
	case v < 1<<30:
		return binary.BigEndian.AppendUint32(nil, uint32(v)|0x80000000)
	}
	return binary.BigEndian.AppendUint64(nil, uint64(v)|0xc000000000000000)
}

func cryptoFrame(off int, data []byte) []byte {
	return cat([]byte{frameCrypto}, vi(off), vi(len(data)), data)
}

// packetSpec describes an Initial packet to be made.
type packetSpec struct {
	version    uint32
	suite      *suite // nil: that of the version
	key        []byte // connection id the keys follow from; nil: dcid
	dcid, scid []byte
	token      []byte
	server     bool
	number     int
	frames     []byte
	pad        int // at least so many bytes, filled with PADDING
}

// initial makes a protected Initial packet.
func initial(p packetSpec) []byte {
	s := p.suite
	if s == nil {
		s = suiteOf(p.version)
	}
	key := p.key
	if key == nil {
		key = p.dcid
	}
	first := byte(0xc0)
	if s.v2 {
		first = 0xd0
	}
	const pnLen = 2
	h := cat([]byte{first | pnLen - 1}, binary.BigEndian.AppendUint32(nil, p.version), []byte{byte(len(p.dcid))}, p.dcid,
		[]byte{byte(len(p.scid))}, p.scid, vi(len(p.token)), p.token)
	frames := append([]byte(nil), p.frames...)
	if len(frames) < 20 {
		frames = append(frames, make([]byte, 20-len(frames))...)
	}
	if n := p.pad - len(h) - 2 - pnLen - len(frames) - 16; n > 0 {
		frames = append(frames, make([]byte, n)...)
	}
	n := pnLen + len(frames) + 16
	h = append(h, byte(n>>8)|0x40, byte(n))
	pn := len(h)
	h = append(h, byte(p.number>>8), byte(p.number))
	client, server := secrets(s, key)
	k := newKeys(s, &client)
	if p.server {
		k = newKeys(s, &server)
	}
	nonce := k.iv
	nonce[10] ^= byte(p.number >> 8)
	nonce[11] ^= byte(p.number)
	out := k.aead.Seal(h[:len(h):len(h)], nonce[:], frames, h)
	var mask [16]byte
	k.hp.Encrypt(mask[:], out[pn+4:pn+20])
	out[0] ^= mask[0] & 0x0f
	out[pn] ^= mask[1]
	out[pn+1] ^= mask[2]
	return out
}

// long makes a packet of another type with a long header; its content is noise.
func long(version uint32, typ byte, dcid, scid []byte, n int) []byte {
	return cat([]byte{0xc0 | typ<<4}, binary.BigEndian.AppendUint32(nil, version), []byte{byte(len(dcid))}, dcid,
		[]byte{byte(len(scid))}, scid, vi(n), noise(n))
}

// noise is bytes that look encrypted, the same each time.
func noise(n int) []byte {
	b := make([]byte, n)
	x := uint32(12345)
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return b
}

func u16(v int) []byte { return binary.BigEndian.AppendUint16(nil, uint16(v)) }

func ext(typ int, body []byte) []byte { return cat(u16(typ), u16(len(body)), body) }

func clientHello(name string) []byte {
	sni := cat([]byte{0}, u16(len(name)), []byte(name))
	exts := cat(ext(0, cat(u16(len(sni)), sni)), ext(16, []byte{0, 3, 2, 'h', '3'}), ext(43, []byte{2, 3, 4}),
		ext(13, []byte{0, 2, 4, 3}), ext(57, []byte{1, 2, 0x40, 0x64}))
	body := cat([]byte{3, 3}, make([]byte, 32), []byte{0, 0, 2, 0x13, 1, 1, 0}, u16(len(exts)), exts)
	return cat([]byte{1, 0}, u16(len(body)), body)
}

func serverHello() []byte {
	exts := ext(43, []byte{3, 4})
	body := cat([]byte{3, 3}, make([]byte, 32), []byte{0, 0x13, 1, 0}, u16(len(exts)), exts)
	return cat([]byte{2, 0}, u16(len(body)), body)
}

func c(b ...[]byte) prototest.Part { return prototest.Part{Dir: packet.ToServer, Data: cat(b...)} }
func s(b ...[]byte) prototest.Part { return prototest.Part{Dir: packet.ToClient, Data: cat(b...)} }
