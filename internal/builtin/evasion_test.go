package builtin_test

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/yamori-net/yamori/internal/builtin"
	"github.com/yamori-net/yamori/internal/engine"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
)

// login and answer are a Monero miner's first exchange (shapes from
// https://github.com/xmrig/xmrig-proxy/blob/master/doc/STRATUM.md).
const (
	login = `{"id":1,"jsonrpc":"2.0","method":"login","params":{"login":"worker","pass":"x","agent":"XMRig/6.21.0","algo":["rx/0"]}}` + "\n"
	job   = `{"id":1,"jsonrpc":"2.0","error":null,"result":{"id":"1","job":{"blob":"1010f4ae9db10657ac7fe5e4bc8bc1ff4b7ee1c5d5be2c2cb8f5e4b1cfe32cbc3c3f4a7a5eca0000000084b3ec65db9b0fcd2a7dd5d5d1f9a5d8d4d7c4f24ae6e3b3a4b2d1f8e6c7d5b4a301","job_id":"7","target":"b88d0600","algo":"rx/0","height":2100000},"status":"OK"}}` + "\n"
)

// wire builds the packets of the exchange in some way and hands them to send.
type wire struct {
	v6   bool
	send func(l3 []byte) // an IP packet
	seq  [2]uint32
	id   uint16
}

func (w *wire) tcp(fromServer bool, flags byte, seq uint32, payload []byte) []byte {
	sp, dp := uint16(40000), uint16(8080)
	ack := w.seq[1]
	if fromServer {
		sp, dp, ack = dp, sp, w.seq[0]
	}
	b := make([]byte, 20, 20+len(payload))
	binary.BigEndian.PutUint16(b, sp)
	binary.BigEndian.PutUint16(b[2:], dp)
	binary.BigEndian.PutUint32(b[4:], seq)
	binary.BigEndian.PutUint32(b[8:], ack)
	b[12], b[13], b[14], b[15] = 0x50, flags, 0xff, 0xff
	return append(b, payload...)
}

func (w *wire) ip(fromServer bool, proto byte, l4 []byte, off int, more bool) []byte {
	w.id++
	a, b := []byte{192, 168, 1, 2}, []byte{203, 0, 113, 9}
	if w.v6 {
		a = []byte{0xfd, 15: 2}
		b = []byte{0x20, 1, 0xd, 0xb8, 15: 9}
	}
	if fromServer {
		a, b = b, a
	}
	if w.v6 {
		h := []byte{0x60, 0, 0, 0, byte(len(l4) >> 8), byte(len(l4)), proto, 64}
		return append(append(append(h, a...), b...), l4...)
	}
	n := 20 + len(l4)
	frag := uint16(off / 8)
	if more {
		frag |= 0x2000
	}
	h := []byte{0x45, 0, byte(n >> 8), byte(n), 0x12, 0x34, byte(frag >> 8), byte(frag), 64, proto, 0, 0}
	return append(append(append(h, a...), b...), l4...)
}

func (w *wire) open() {
	w.seq = [2]uint32{0xfffffff0, 0x7ffffff0} // both wrap soon
	w.send(w.ip(false, 6, w.tcp(false, packet.SYN, w.seq[0]-1, nil), 0, false))
	w.send(w.ip(true, 6, w.tcp(true, packet.SYN|packet.ACK, w.seq[1]-1, nil), 0, false))
	w.send(w.ip(false, 6, w.tcp(false, packet.ACK, w.seq[0], nil), 0, false))
}

func (w *wire) segment(fromServer bool, seq uint32, payload string) {
	w.send(w.ip(fromServer, 6, w.tcp(fromServer, packet.ACK, seq, []byte(payload)), 0, false))
}

// data sends payload as the next bytes of a side, in pieces of n.
func (w *wire) data(fromServer bool, payload string, n int) {
	s := &w.seq[0]
	if fromServer {
		s = &w.seq[1]
	}
	for len(payload) > 0 {
		k := min(n, len(payload))
		w.segment(fromServer, *s, payload[:k])
		*s += uint32(k)
		payload = payload[k:]
	}
}

func reversed(w *wire, s string) {
	for i := len(s); i > 0; {
		n := min(7, i)
		w.segment(false, w.seq[0]+uint32(i-n), s[i-n:i])
		i -= n
	}
	w.seq[0] += uint32(len(s))
}

var evasions = map[string]func(w *wire){
	"plain":            func(w *wire) { w.open(); w.data(false, login, 2000); w.data(true, job, 2000) },
	"byte by byte":     func(w *wire) { w.open(); w.data(false, login, 1); w.data(true, job, 1) },
	"no handshake":     func(w *wire) { w.seq = [2]uint32{5, 6}; w.data(false, login, 2000); w.data(true, job, 2000) },
	"backwards":        func(w *wire) { w.open(); reversed(w, login); w.data(true, job, 2000) },
	"server only":      func(w *wire) { w.seq = [2]uint32{5, 6}; w.data(true, job, 2000); w.data(true, job, 2000) },
	"in one segment":   func(w *wire) { w.open(); w.data(false, login+login+login, 5000); w.data(true, job, 2000) },
	"junk lines first": func(w *wire) { w.open(); w.data(false, "\r\n\n"+login, 5000); w.data(true, job, 2000) },
	"shuffled": func(w *wire) {
		w.open()
		r := rand.New(rand.NewPCG(1, 2))
		for _, i := range r.Perm((len(login) + 4) / 5) {
			at := i * 5
			w.segment(false, w.seq[0]+uint32(at), login[at:min(at+5, len(login))])
		}
		w.seq[0] += uint32(len(login))
		w.data(true, job, 2000)
	},
	"every segment twice, overlapping": func(w *wire) {
		w.open()
		for at := 0; at < len(login); at += 9 {
			from := max(0, at-6)
			w.segment(false, w.seq[0]+uint32(from), login[from:min(at+9, len(login))])
			w.segment(false, w.seq[0]+uint32(from), login[from:min(at+9, len(login))])
		}
		w.seq[0] += uint32(len(login))
		w.data(true, job, 2000)
	},
	// Somebody injects other bytes ahead of time; what came first stands, and
	// the lie sits far beyond the receiver's window.
	"lies outside the window": func(w *wire) {
		w.open()
		w.segment(false, w.seq[0]+1<<31-5, "GET / HTTP/1.1\r\n\r\n")
		w.data(false, login, 30)
		w.segment(false, w.seq[0]-40, "overwritten history")
		w.data(true, job, 2000)
	},
	"keep-alives and empty segments": func(w *wire) {
		w.open()
		for at := 0; at < len(login); at += 11 {
			w.segment(false, w.seq[0]-1, "\x00")
			w.segment(false, w.seq[0], "")
			w.data(false, login[at:min(at+11, len(login))], 99)
		}
		w.data(true, job, 2000)
	},
	"IP fragments of 8 bytes, last first": func(w *wire) {
		w.open()
		if w.v6 {
			w.data(false, login, 2000)
			return
		}
		l4 := w.tcp(false, packet.ACK, w.seq[0], []byte(login))
		var frags [][]byte
		for at := 0; at < len(l4); at += 8 {
			frags = append(frags, w.ip(false, 6, l4[at:min(at+8, len(l4))], at, at+8 < len(l4)))
		}
		for i := len(frags) - 1; i >= 0; i-- {
			w.send(frags[i])
		}
		w.seq[0] += uint32(len(login))
		w.data(true, job, 2000)
	},
	"urgent, push, odd flags": func(w *wire) {
		w.open()
		w.send(w.ip(false, 6, w.tcp(false, packet.ACK|packet.PSH|packet.URG|packet.ECE|packet.CWR, w.seq[0], []byte(login)), 0, false))
		w.seq[0] += uint32(len(login))
		w.data(true, job, 2000)
	},
	"data on the SYN": func(w *wire) {
		w.seq = [2]uint32{100, 200}
		w.send(w.ip(false, 6, w.tcp(false, packet.SYN, 99, []byte(login)), 0, false))
		w.seq[0] += uint32(len(login))
		w.send(w.ip(true, 6, w.tcp(true, packet.SYN|packet.ACK, 199, nil), 0, false))
		w.data(true, job, 2000)
	},
	"through SOCKS": func(w *wire) {
		w.open()
		w.data(false, "\x05\x01\x00", 99)
		w.data(true, "\x05\x00", 99)
		w.data(false, "\x05\x01\x00\x03\x0cpool.example\x0d\x05", 99)
		w.data(true, "\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00", 99)
		w.data(false, login, 13)
		w.data(true, job, 2000)
	},
	"through CONNECT": func(w *wire) {
		w.open()
		w.data(false, "CONNECT pool.example:3333 HTTP/1.1\r\nHost: pool.example:3333\r\n\r\n", 17)
		w.data(true, "HTTP/1.1 200 Connection established\r\n\r\n", 99)
		w.data(false, login, 13)
		w.data(true, job, 2000)
	},
}

// wrappers put an IP packet into a frame.
var wrappers = map[string]func(l3 []byte, v6 bool) []byte{
	"Ethernet": func(l3 []byte, v6 bool) []byte { return append(ether(typeOf(v6)), l3...) },
	"QinQ": func(l3 []byte, v6 bool) []byte {
		t := typeOf(v6)
		return append(append(ether(0x88a8), 0, 7, 0x81, 0, 0, 9, byte(t>>8), byte(t)), l3...)
	},
	"PPPoE": func(l3 []byte, v6 bool) []byte {
		n, ppp := len(l3)+2, byte(0x21)
		if v6 {
			ppp = 0x57
		}
		return append(append(ether(0x8864), 0x11, 0, 0, 1, byte(n>>8), byte(n), 0, ppp), l3...)
	},
	"DS-Lite": func(l3 []byte, v6 bool) []byte {
		next := byte(4)
		if v6 {
			next = 41
		}
		h := append([]byte{0x60, 0, 0, 0, byte(len(l3) >> 8), byte(len(l3)), next, 64}, make([]byte, 32)...)
		h[8], h[24] = 0x20, 0x20
		return append(append(ether(0x86dd), h...), l3...)
	},
	"GRE": func(l3 []byte, v6 bool) []byte {
		t, n := typeOf(v6), len(l3)+24
		h := []byte{0x45, 0, byte(n >> 8), byte(n), 0, 1, 0, 0, 64, 47, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0, 0, byte(t >> 8), byte(t)}
		return append(append(ether(0x0800), h...), l3...)
	},
	"VXLAN": func(l3 []byte, v6 bool) []byte {
		in := append(ether(typeOf(v6)), l3...)
		n := len(in) + 36
		h := []byte{0x45, 0, byte(n >> 8), byte(n), 0, 1, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
			0xc0, 0, 0x12, 0xb5, byte((n - 20) >> 8), byte(n - 20), 0, 0, 8, 0, 0, 0, 0, 0, 42, 0}
		return append(append(ether(0x0800), h...), in...)
	},
}

func typeOf(v6 bool) uint16 {
	if v6 {
		return 0x86dd
	}
	return 0x0800
}

func ether(t uint16) []byte {
	return []byte{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, byte(t >> 8), byte(t)}
}

// TestEvasion sends one miner's login in every way that an attacker may choose
// to hide it, through every encapsulation, over IPv4 and IPv6: it is found each
// time, once.
func TestEvasion(t *testing.T) {
	for how, play := range evasions {
		for in, wrap := range wrappers {
			for _, v6 := range []bool{false, true} {
				var found []event.Finding
				e, err := engine.New(engine.Config{Protocols: builtin.Protocols(), Detectors: builtin.Detectors(), MaxFlows: 1024,
					Sink: func(int) event.Sink {
						return event.SinkFunc(func(ev *event.Event) {
							if ev.Finding != nil {
								found = append(found, *ev.Finding)
							}
						})
					}})
				if err != nil {
					t.Fatal(err)
				}
				now := int64(1e18)
				w := &wire{v6: v6, send: func(l3 []byte) {
					b := wrap(l3, v6)
					now += 1e6
					e.Workers[0].Handle(&packet.Frame{Time: now, Data: b, Len: len(b), Link: packet.LinkEthernet})
				}}
				play(w)
				e.Close()
				if len(found) != 1 || found[0].Category != event.Mining || found[0].Mining.Dialect != "cryptonote" {
					t.Errorf("%s in %s (IPv6 %v): %d findings %+v", how, in, v6, len(found), found)
				}
			}
		}
	}
}
