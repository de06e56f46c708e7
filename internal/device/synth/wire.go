package synth

import (
	"encoding/binary"

	"github.com/yamori-net/yamori/internal/packet"
)

// The other ends of conversations: the router, a telephone that looks at the
// device, and a server in the Internet (RFC 5737).
var (
	router  = packet.MAC{0x02, 0x5e, 0x10, 0xff, 0xff, 0x01}
	visitor = packet.MAC{0x02, 0x5e, 0x10, 0xff, 0xff, 0x02}
	phoneIP = [4]byte{192, 168, 77, 9}
	cloudIP = [4]byte{203, 0, 113, 10}
)

// stack is how a system opens a TCP connection: hop limit, window and options.
type stack struct {
	ttl    byte
	window uint16
	opts   []byte
}

var (
	// linuxTCP is what Linux has sent since 2.6, with the options of RFC 9293 and
	// RFC 7323 in its order.
	linuxTCP = stack{64, 29200, []byte{2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7}}
	// lwip is what small stacks send that know the segment size alone.
	lwip = stack{255, 5840, []byte{2, 4, 5, 180}}
)

const (
	fin = 1 << iota
	syn
	rst
	psh
	ack
)

// segment sends a TCP segment between two ends, with its checksum.
func (t *talk) segment(from, to packet.MAC, src, dst [4]byte, sport, dport uint16, seq, ackNo uint32, flags byte, s stack, body []byte) {
	opts := s.opts
	if flags&syn == 0 {
		opts = nil
	}
	b := binary.BigEndian.AppendUint16(nil, sport)
	b = binary.BigEndian.AppendUint16(b, dport)
	b = binary.BigEndian.AppendUint32(b, seq)
	b = binary.BigEndian.AppendUint32(b, ackNo)
	b = append(b, byte(20+len(opts))<<2, flags)
	b = binary.BigEndian.AppendUint16(b, s.window)
	b = append(append(append(b, 0, 0, 0, 0), opts...), body...)
	pseudo := append(append(append([]byte{}, src[:]...), dst[:]...), 0, 6, byte(len(b)>>8), byte(len(b)))
	binary.BigEndian.PutUint16(b[16:], checksum(append(pseudo, b...)))
	t.ether(from, to, header(6, s.ttl, src, dst, b))
}

// connects opens a connection to a port of a server in the Internet.
func (t *talk) connects(port uint16, s stack) {
	t.sport++
	t.segment(t.mac, router, t.ip, cloudIP, t.sport, port, 1000, 0, syn, s, nil)
}

// get asks a server in the Internet for something over HTTP.
func (t *talk) get(host, uri, agent string, s stack) {
	t.sport++
	p := t.sport
	t.segment(t.mac, router, t.ip, cloudIP, p, 80, 1000, 0, syn, s, nil)
	t.segment(router, t.mac, cloudIP, t.ip, 80, p, 5000, 1001, syn|ack, linuxTCP, nil)
	t.segment(t.mac, router, t.ip, cloudIP, p, 80, 1001, 5001, ack, s, nil)
	req := "GET " + uri + " HTTP/1.1\r\nHost: " + host + "\r\n"
	if agent != "" {
		req += "User-Agent: " + agent + "\r\n"
	}
	t.segment(t.mac, router, t.ip, cloudIP, p, 80, 1001, 5001, ack|psh, s, []byte(req+"\r\n"))
}

// serves answers a telephone that opens a connection to a port of the device.
func (t *talk) serves(port uint16, s stack) {
	t.sport++
	t.segment(visitor, t.mac, phoneIP, t.ip, t.sport, port, 1, 0, syn, linuxTCP, nil)
	t.segment(t.mac, visitor, t.ip, phoneIP, port, t.sport, 1, 2, syn|ack, s, nil)
}

// shout sends a datagram to everybody.
func (t *talk) shout(port uint16, body string) {
	t.udp(t.ip, [4]byte{255, 255, 255, 255}, port, port, []byte(body))
}
