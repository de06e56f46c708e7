// Package synth makes conversations of devices of which there are no public
// captures: what phones, televisions, consoles, printers, storages and speakers
// say when they join a network, with strings that real products are documented
// to send. Everything it makes is synthetic: a score on it says that documented
// products are recognised, not how often products do as documented. It knows
// nothing of how devices are told apart.
package synth

import (
	"encoding/binary"
	"strings"

	"github.com/yamori-net/yamori/internal/packet"
)

// Conversation is what one device says in its first minute.
type Conversation struct {
	Name   string // "Sony BRAVIA television"
	Kind   string // the truth
	MAC    packet.MAC
	Frames []packet.Frame
}

// talk builds the frames of one device.
type talk struct {
	mac packet.MAC
	ip  [4]byte
	now int64
	out []packet.Frame

	sport uint16 // of the latest connection
}

const start = int64(1_700_000_000e9)

func (t *talk) ether(src, dst packet.MAC, b []byte) {
	d := append(append(append([]byte{}, dst[:]...), src[:]...), 0x08, 0x00)
	d = append(d, b...)
	t.out = append(t.out, packet.Frame{Time: t.now, Data: d, Len: len(d), Link: packet.LinkEthernet})
	t.now += 300e6
}

// header puts an IPv4 header before b.
func header(proto, ttl byte, src, dst [4]byte, b []byte) []byte {
	h := []byte{0x45, 0, 0, 0, 0, 1, 0x40, 0, ttl, proto, 0, 0}
	binary.BigEndian.PutUint16(h[2:], uint16(20+len(b)))
	h = append(append(h, src[:]...), dst[:]...)
	binary.BigEndian.PutUint16(h[10:], checksum(h))
	return append(h, b...)
}

// checksum is that of the Internet protocols (RFC 1071).
func checksum(b []byte) uint16 {
	sum := uint32(0)
	for i := 0; i+1 < len(b); i += 2 {
		sum += uint32(b[i])<<8 | uint32(b[i+1])
	}
	if len(b)&1 != 0 {
		sum += uint32(b[len(b)-1]) << 8
	}
	for sum > 0xffff {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}

// udp sends a datagram; its checksum is left out, which UDP over IPv4 allows.
func (t *talk) udp(src, dst [4]byte, sport, dport uint16, body []byte) {
	u := binary.BigEndian.AppendUint16(nil, sport)
	u = binary.BigEndian.AppendUint16(u, dport)
	u = binary.BigEndian.AppendUint16(u, uint16(8+len(body)))
	u = append(append(u, 0, 0), body...)
	t.ether(t.mac, packet.MAC{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, header(17, 64, src, dst, u))
}

// dhcp sends a DISCOVER and a REQUEST (RFC 2131).
func (t *talk) dhcp(hostname, vendor string, params ...byte) {
	for _, typ := range []byte{1, 3} {
		b := make([]byte, 236)
		b[0], b[1], b[2] = 1, 1, 6
		copy(b[4:], t.mac[2:])
		copy(b[28:], t.mac[:])
		b = append(b, 0x63, 0x82, 0x53, 0x63, 53, 1, typ)
		b = append(append(b, 61, 7, 1), t.mac[:]...)
		opt := func(code byte, v string) {
			if v != "" {
				b = append(append(b, code, byte(len(v))), v...)
			}
		}
		opt(12, hostname)
		opt(60, vendor)
		opt(55, string(params))
		t.udp([4]byte{}, [4]byte{255, 255, 255, 255}, 68, 67, append(b, 255))
	}
}

// dns asks the router for a name.
func (t *talk) dns(names ...string) {
	for i, n := range names {
		b := []byte{byte(i), 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0}
		b = append(append(b, name(n)...), 0, 1, 0, 1)
		t.udp(t.ip, [4]byte{192, 168, 77, 1}, uint16(40000+i), 53, b)
	}
}

func name(s string) []byte {
	var b []byte
	for _, l := range strings.Split(s, ".") {
		b = append(append(b, byte(len(l))), l...)
	}
	return append(b, 0)
}

// instanceName keeps the dots of an instance's name.
func instanceName(instance, service string) []byte {
	return append(append([]byte{byte(len(instance))}, instance...), name(service+".local")...)
}

// mdns announces a service: PTR, SRV and TXT in one response (RFC 6763).
func (t *talk) mdns(host, instance, service string, txt ...string) {
	b := []byte{0, 0, 0x84, 0, 0, 0, 0, 4, 0, 0, 0, 0}
	rr := func(owner []byte, typ uint16, data []byte) {
		b = append(b, owner...)
		b = binary.BigEndian.AppendUint16(b, typ)
		b = append(b, 0x80, 1, 0, 0, 0, 120)
		b = binary.BigEndian.AppendUint16(b, uint16(len(data)))
		b = append(b, data...)
	}
	full := instanceName(instance, service)
	rr(name(service+".local"), 12, full)
	rr(full, 33, append([]byte{0, 0, 0, 0, 0x1f, 0x49}, name(host+".local")...))
	var kv []byte
	for _, s := range txt {
		kv = append(append(kv, byte(len(s))), s...)
	}
	rr(full, 16, append(kv, 0))
	rr(name(host+".local"), 1, t.ip[:])
	t.udp(t.ip, [4]byte{224, 0, 0, 251}, 5353, 5353, b)
}

// ssdp announces a type of device.
func (t *talk) ssdp(typ, server, location string) {
	t.ssdpAs("00000000-0000-1000-8000-"+hex(t.mac), typ, server, location)
}

// ssdpAs announces a type of device under an identifier of the maker's form.
func (t *talk) ssdpAs(id, typ, server, location string) {
	t.udp(t.ip, [4]byte{239, 255, 255, 250}, 1900, 1900, []byte("NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nCACHE-CONTROL: max-age=1800\r\n"+
		"LOCATION: "+location+"\r\nNT: "+typ+"\r\nNTS: ssdp:alive\r\nSERVER: "+server+"\r\nUSN: uuid:"+id+"::"+typ+"\r\n\r\n"))
}

// search looks for a type of device.
func (t *talk) search(typ, agent string) {
	s := "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 2\r\nST: " + typ + "\r\n"
	if agent != "" {
		s += "USER-AGENT: " + agent + "\r\n"
	}
	t.udp(t.ip, [4]byte{239, 255, 255, 250}, 50123, 1900, []byte(s+"\r\n"))
}

func hex(m packet.MAC) string {
	const digits = "0123456789abcdef"
	var s strings.Builder
	for _, b := range m {
		s.WriteByte(digits[b>>4])
		s.WriteByte(digits[b&15])
	}
	return s.String()
}
