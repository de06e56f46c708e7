package packet

import (
	"encoding/binary"
	"net/netip"
)

// The encoders below build frames from the inside out. They share no code
// with the decoder.

var be = binary.BigEndian

func cat(parts ...[]byte) []byte {
	var b []byte
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

func u16(v ...int) []byte {
	var b []byte
	for _, x := range v {
		b = be.AppendUint16(b, uint16(x))
	}
	return b
}

func u32(v ...int) []byte {
	var b []byte
	for _, x := range v {
		b = be.AppendUint32(b, uint32(x))
	}
	return b
}

func zeros(n int) []byte { return make([]byte, n) }

// rfcSum is the checksum of RFC 1071, one word at a time with the carry folded
// at once.
func rfcSum(parts ...[]byte) uint16 {
	b := cat(parts...)
	if len(b)%2 == 1 {
		b = append(b, 0)
	}
	var sum uint32
	for ; len(b) > 0; b = b[2:] {
		sum += uint32(be.Uint16(b))
		if sum > 0xffff {
			sum -= 0xffff
		}
	}
	return ^uint16(sum)
}

const (
	mac1 = "\x02\x00\x00\x00\x00\x01"
	mac2 = "\x02\x00\x00\x00\x00\x02"
	a1   = "192.0.2.1"
	a2   = "198.51.100.2"
	b1   = "2001:db8::1"
	b2   = "2001:db8::2"
)

func ip(s string) []byte { return netip.MustParseAddr(s).AsSlice() }

func addr(s string) Addr { return AddrOf(netip.MustParseAddr(s)) }

// ether builds a frame from mac1 to mac2.
func ether(et int, payload ...[]byte) []byte {
	return cat([]byte(mac2+mac1), u16(et), cat(payload...))
}

func tag(vid, et int) []byte { return u16(0x6000|vid, et) } // priority 3

// v4opt builds an IPv4 packet with options and the given fragment word.
func v4opt(proto int, src, dst string, opts []byte, id, frag int, payload ...[]byte) []byte {
	body := cat(payload...)
	h := cat([]byte{byte(0x45 + len(opts)/4), 0x10}, u16(20+len(opts)+len(body), id, frag),
		[]byte{64, byte(proto), 0, 0}, ip(src), ip(dst), opts)
	be.PutUint16(h[10:], rfcSum(h))
	return append(h, body...)
}

func v4(proto int, src, dst string, payload ...[]byte) []byte {
	return v4opt(proto, src, dst, nil, 0x1234, 0x4000, payload...)
}

func v6(next int, src, dst string, payload ...[]byte) []byte {
	body := cat(payload...)
	return cat([]byte{0x61, 0x20, 0, 1}, u16(len(body)), []byte{byte(next), 63}, ip(src), ip(dst), body)
}

// ext builds an extension header of 8 bytes that holds one PadN option.
func ext(next int) []byte { return []byte{byte(next), 0, 1, 4, 0, 0, 0, 0} }

func frag6(next, off int, more bool, id int) []byte {
	if more {
		off |= 1
	}
	return cat([]byte{byte(next), 0}, u16(off), u32(id))
}

func tcpOpt(sp, dp int, flags byte, opts []byte, payload string) []byte {
	return cat(u16(sp, dp), u32(0x01020304, 0x05060708), []byte{byte(5+len(opts)/4) << 4, flags},
		u16(0x2000, 0, 0), opts, []byte(payload))
}

func tcp(sp, dp int, payload string) []byte { return tcpOpt(sp, dp, ACK|PSH, nil, payload) }

func udp(sp, dp int, payload ...[]byte) []byte {
	body := cat(payload...)
	return cat(u16(sp, dp, 8+len(body), 0), body)
}

func icmp(typ, code, id int, payload string) []byte {
	return cat([]byte{byte(typ), byte(code), 0, 0}, u16(id, 1), []byte(payload))
}

// sealed puts the right transport checksum into segment at field, over the
// pseudo-header when src is not empty.
func sealed(proto, field int, src, dst string, segment []byte) []byte {
	b := cat(segment)
	be.PutUint16(b[field:], 0)
	var pseudo []byte
	if src != "" {
		pseudo = cat(ip(src), ip(dst), u32(len(b), proto))
	}
	be.PutUint16(b[field:], rfcSum(pseudo, b))
	return b
}

func frame(link LinkType, data []byte) *Frame {
	return &Frame{Time: 1e18, Data: data, Len: len(data), Link: link}
}

func decode(f *Frame) *Packet {
	p := new(Packet)
	new(Decoder).Decode(p, f)
	return p
}
