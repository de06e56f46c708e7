package seqlog

import (
	"encoding/binary"
	"net/netip"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/seq"
)

// Wire says how a log is put back on the wire: as packets of one TCP
// connection that carries TLS. Contents are zeros; what a watcher can see of
// them, hellos, lengths and times, is as a real connection has it.
type Wire struct {
	Client, Server netip.AddrPort // both IPv4
	Start          int64          // of the connection, ns since the Unix epoch
	Name           string         // server name in the hello, empty: none
	ALPN           []string
	Suites         []uint16 // offered; nil: three of TLS 1.3 and four of 1.2
	Seal           Seal
	Segment        int // most payload of a packet; 0: 1448
	// Midway leaves out connection and handshake, as a capture that begins later.
	Midway bool
}

// Seal is how a TLS implementation protects content: how long the records are
// that carry n bytes of it.
type Seal struct {
	Name    string
	Version uint16 // 0x0301 to 0x0304
	Suite   uint16
	Records func(n int) []int
}

func up16(n int) int { return (n + 15) &^ 15 }

// sealed is one record of n plus so many bytes.
func sealed(over int) func(int) []int { return func(n int) []int { return []int{n + over} } }

// Seals are the ways of common implementations. Content lengths up to a
// record's 16,384 bytes are meant.
var Seals = []Seal{
	{"1.3 AES-GCM", 0x0304, 0x1302, sealed(17)}, // RFC 8446 section 5.2
	{"1.3 padded to 16 (Mbed TLS)", 0x0304, 0x1301, func(n int) []int { return []int{up16(n+1) + 16} }},
	{"1.2 AES-GCM", 0x0303, 0xc02f, sealed(24)},                                                                      // RFC 5288
	{"1.2 ChaCha20-Poly1305", 0x0303, 0xcca8, sealed(16)},                                                            // RFC 7905
	{"1.2 AES-CCM-8", 0x0303, 0xc0ae, sealed(16)},                                                                    // RFC 6655: explicit nonce, tag of 8
	{"1.2 AES-CBC SHA-1", 0x0303, 0xc013, func(n int) []int { return []int{16 + up16(n+20+1)} }},                     // RFC 5246 section 6.2.3.2
	{"1.2 AES-CBC SHA-256", 0x0303, 0xc027, func(n int) []int { return []int{16 + up16(n+32+1)} }},                   //
	{"1.2 AES-CBC SHA-1, encrypt then MAC", 0x0303, 0xc013, func(n int) []int { return []int{16 + up16(n+1) + 20} }}, // RFC 7366
	{"1.0 AES-CBC SHA-1, first byte by itself", 0x0301, 0xc013, func(n int) []int { // against BEAST
		if n < 2 {
			return []int{up16(n + 20 + 1)}
		}
		return []int{up16(1 + 20 + 1), up16(n - 1 + 20 + 1)}
	}},
}

// Frames hands the log's packets to yield in the order of their times, as
// Ethernet frames; data is valid during the call.
func (w *Wire) Frames(f *Flow, yield func(at int64, data []byte)) {
	c := wiring{Wire: w, yield: yield}
	c.seq = [2]uint32{packet.ToServer: 1000, packet.ToClient: 5000}
	at := w.Start
	if !w.Midway {
		c.packet(at, packet.ToServer, packet.SYN, nil)
		c.packet(at+1e6, packet.ToClient, packet.SYN|packet.ACK, nil)
		c.packet(at+2e6, packet.ToServer, packet.ACK, nil)
		c.handshake(at + 3e6)
	}
	at += 10e6
	for i := 0; i < len(f.Msgs); i++ {
		m := f.Msgs[i]
		var out []byte
		for { // what was written at once goes out at once
			for _, n := range w.Seal.Records(f.Msgs[i].Len) {
				out = append(out, 23, 3, byte(min(w.Seal.Version, 0x0303)), byte(n>>8), byte(n))
				out = append(out, make([]byte, n)...)
			}
			if i+1 == len(f.Msgs) || f.Msgs[i+1].At != m.At || f.Msgs[i+1].Dir != m.Dir {
				break
			}
			i++
		}
		c.send(at+m.At, m.Dir, out)
	}
}

type wiring struct {
	*Wire
	yield func(int64, []byte)
	seq   [2]uint32
	buf   []byte
}

// handshake sends hellos, and what follows them up to the first content.
func (c *wiring) handshake(at int64) {
	suites := c.Suites
	if suites == nil {
		suites = []uint16{0x1301, 0x1302, 0x1303, 0xc02f, 0xcca8, 0xc013, 0xc027}
	}
	old := c.Seal.Version < 0x0304
	c.send(at, packet.ToServer, record(22, hello(c.Name, c.ALPN, suites, c.Seal.Version)))
	answer := record(22, serverHello(c.Seal.Version, c.Seal.Suite))
	change, done := record(20, []byte{1}), record(22, make([]byte, 40))
	if old {
		answer = append(answer, record(22, append([]byte{14, 0, 0, 0}, 0)[:4])...) // ServerHelloDone
		c.send(at+1e6, packet.ToClient, answer)
		key := append([]byte{16, 0, 0, 33}, make([]byte, 33)...)
		c.send(at+2e6, packet.ToServer, append(append(record(22, key), change...), done...))
		c.send(at+3e6, packet.ToClient, append(change, done...))
		return
	}
	answer = append(append(answer, change...), record(23, make([]byte, 23))...)
	answer = append(append(answer, record(23, make([]byte, 700))...), record(23, make([]byte, 69))...)
	c.send(at+1e6, packet.ToClient, answer)
	c.send(at+2e6, packet.ToServer, append(change, record(23, make([]byte, 69))...))
}

func (c *wiring) send(at int64, d packet.Dir, b []byte) {
	most := c.Segment
	if most == 0 {
		most = 1448
	}
	for len(b) > 0 {
		n := min(most, len(b))
		c.packet(at, d, packet.ACK|packet.PSH, b[:n])
		b = b[n:]
		at += 10e3
	}
}

// packet is one frame; checksums are zero.
func (c *wiring) packet(at int64, d packet.Dir, flags uint8, b []byte) {
	from, to := c.Client, c.Server
	if d == packet.ToClient {
		from, to = to, from
	}
	p := append(c.buf[:0], 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0)
	if d == packet.ToClient {
		p[5], p[11] = 1, 2
	}
	p = append(p, 0x45, 0)
	p = binary.BigEndian.AppendUint16(p, uint16(40+len(b)))
	p = append(p, 0, 0, 0x40, 0, 64, 6, 0, 0)
	p = append(append(p, from.Addr().AsSlice()...), to.Addr().AsSlice()...)
	p = binary.BigEndian.AppendUint16(p, from.Port())
	p = binary.BigEndian.AppendUint16(p, to.Port())
	p = binary.BigEndian.AppendUint32(p, c.seq[d&1])
	p = binary.BigEndian.AppendUint32(p, c.seq[d.Reverse()&1])
	p = append(p, 5<<4, flags, 0xff, 0xff, 0, 0, 0, 0)
	p = append(p, b...)
	c.seq[d&1] += uint32(len(b))
	if flags&packet.SYN != 0 {
		c.seq[d&1]++
	}
	c.buf = p
	c.yield(at, p)
}

func record(typ byte, body []byte) []byte {
	return append([]byte{typ, 3, 3, byte(len(body) >> 8), byte(len(body))}, body...)
}

func vec16(b []byte) []byte { return append([]byte{byte(len(b) >> 8), byte(len(b))}, b...) }

func extension(typ uint16, b []byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, typ), vec16(b)...)
}

// hello is a ClientHello message, RFC 8446 section 4.1.2.
func hello(name string, alpn []string, suites []uint16, version uint16) []byte {
	b := append([]byte{3, byte(min(version, 0x0303))}, make([]byte, 32)...)
	b = append(b, 0) // session
	var s, ext []byte
	for _, x := range suites {
		s = binary.BigEndian.AppendUint16(s, x)
	}
	b = append(append(b, vec16(s)...), 1, 0)
	if name != "" {
		ext = append(ext, extension(0, vec16(append([]byte{0}, vec16([]byte(name))...)))...)
	}
	if len(alpn) > 0 {
		var l []byte
		for _, a := range alpn {
			l = append(append(l, byte(len(a))), a...)
		}
		ext = append(ext, extension(16, vec16(l))...)
	}
	if version == 0x0304 {
		ext = append(ext, extension(43, []byte{4, 3, 4, 3, 3})...)
	}
	return message(1, append(b, vec16(ext)...))
}

func serverHello(version, suite uint16) []byte {
	b := append([]byte{3, byte(min(version, 0x0303))}, make([]byte, 32)...)
	b[10] = 1 // of the random
	b = append(append(b, 0), byte(suite>>8), byte(suite), 0)
	if version == 0x0304 {
		b = append(b, vec16(extension(43, []byte{3, 4}))...)
	}
	return message(2, b)
}

func message(typ byte, body []byte) []byte {
	return append([]byte{typ, 0, byte(len(body) >> 8), byte(len(body))}, body...)
}

// Kinds that this file can put on the wire.
func (f *Flow) TLS() bool { return f.Kind == seq.TLS13 || f.Kind == seq.TLS12 }
