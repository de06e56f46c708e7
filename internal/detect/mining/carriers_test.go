package mining_test

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/builtin"
	"github.com/yamori-net/yamori/internal/detect"
	"github.com/yamori-net/yamori/internal/detect/mining"
	"github.com/yamori-net/yamori/internal/engine"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

// frame is an Ethernet frame with a TCP segment of direction d.
func frame(d packet.Dir, port uint16, flags byte, seq, ack uint32, data []byte) []byte {
	b := make([]byte, 14+20+20, 54+len(data))
	b[12], b[13] = 8, 0
	ip := b[14:]
	ip[0], ip[8], ip[9] = 0x45, 64, 6
	binary.BigEndian.PutUint16(ip[2:], uint16(40+len(data)))
	a, s := []byte{192, 168, 1, 2}, []byte{198, 51, 100, 7}
	from, to := uint16(40000), port
	if d == packet.ToClient {
		a, s, from, to = s, a, to, from
	}
	copy(ip[12:], a)
	copy(ip[16:], s)
	t := ip[20:]
	binary.BigEndian.PutUint16(t, from)
	binary.BigEndian.PutUint16(t[2:], to)
	binary.BigEndian.PutUint32(t[4:], seq)
	binary.BigEndian.PutUint32(t[8:], ack)
	t[12], t[13] = 5<<4, flags
	binary.BigEndian.PutUint16(t[14:], 65535)
	return append(b, data...)
}

// carry sends parts over one connection through an engine with every protocol
// and returns what was found. piece is the most bytes of a segment.
func carry(t *testing.T, port uint16, piece int, parts []prototest.Part) (out []event.Finding) {
	t.Helper()
	e, err := engine.New(engine.Config{
		Protocols: builtin.Protocols(), Detectors: []detect.Detector{mining.Detector}, Seed: 1,
		Sink: func(int) event.Sink {
			return event.SinkFunc(func(ev *event.Event) {
				if ev.Finding != nil {
					out = append(out, *ev.Finding)
				}
			})
		},
		OnPanic: func(v any, stack []byte) { t.Errorf("panic: %v\n%s", v, stack) },
	})
	if err != nil {
		t.Fatal(err)
	}
	now := int64(1e18)
	send := func(b []byte) {
		now += 1e6
		e.Workers[0].Handle(&packet.Frame{Time: now, Data: b, Len: len(b), Link: packet.LinkEthernet})
	}
	seq := [2]uint32{1000, 5000}
	send(frame(0, port, packet.SYN, seq[0], 0, nil))
	send(frame(1, port, packet.SYN|packet.ACK, seq[1], seq[0]+1, nil))
	seq[0]++
	seq[1]++
	for _, p := range parts {
		for b := p.Data; len(b) > 0; {
			n := min(piece, len(b))
			send(frame(p.Dir, port, packet.ACK|packet.PSH, seq[p.Dir], seq[p.Dir.Reverse()], b[:n]))
			seq[p.Dir] += uint32(n)
			b = b[n:]
		}
	}
	e.Close()
	return out
}

var c, s = prototest.C, prototest.S

// ws puts messages into WebSocket frames, the client's masked.
func ws(mask string, parts []prototest.Part) []prototest.Part {
	out := []prototest.Part{
		c("GET /proxy HTTP/1.1\r\nHost: page.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"),
		s("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"),
	}
	for _, p := range parts {
		m := []byte(strings.TrimSuffix(string(p.Data), "\n"))
		f := []byte{0x81, byte(len(m))}
		switch {
		case len(m) > 65535:
			f = binary.BigEndian.AppendUint64([]byte{0x81, 127}, uint64(len(m)))
		case len(m) > 125:
			f = binary.BigEndian.AppendUint16([]byte{0x81, 126}, uint16(len(m)))
		}
		if p.Dir == packet.ToServer {
			f[1] |= 0x80
			f = append(f, mask...)
			for i := range m {
				m[i] ^= mask[i%4]
			}
		}
		out = append(out, prototest.Part{Dir: p.Dir, Data: append(f, m...)})
	}
	return out
}

// in puts parts behind a proxy's handshake.
func in(parts []prototest.Part, handshake ...prototest.Part) []prototest.Part {
	return append(handshake, parts...)
}

// carriers are the ways in which a conversation comes.
var carriers = map[string]func([]prototest.Part) (uint16, []prototest.Part){
	"port 443":   func(p []prototest.Part) (uint16, []prototest.Part) { return 443, p },
	"port 25":    func(p []prototest.Part) (uint16, []prototest.Part) { return 25, p },
	"port 53":    func(p []prototest.Part) (uint16, []prototest.Part) { return 53, p },
	"port 54321": func(p []prototest.Part) (uint16, []prototest.Part) { return 54321, p },
	"SOCKS 4": func(p []prototest.Part) (uint16, []prototest.Part) {
		return 1080, in(p, c("\x04\x01\x0d\x05\xcb\x00\x71\x07me\x00"), s("\x00\x5a\x00\x00\x00\x00\x00\x00"))
	},
	"SOCKS 5": func(p []prototest.Part) (uint16, []prototest.Part) {
		return 9050, in(p, c("\x05\x01\x00"), s("\x05\x00"), c("\x05\x01\x00\x03\x0cpool.example\x0d\x05"), s("\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"))
	},
	"CONNECT": func(p []prototest.Part) (uint16, []prototest.Part) {
		return 8080, in(p, c("CONNECT pool.example:3333 HTTP/1.1\r\nHost: pool.example:3333\r\n\r\n"), s("HTTP/1.1 200 Connection established\r\n\r\n"))
	},
	"SOCKS in CONNECT": func(p []prototest.Part) (uint16, []prototest.Part) {
		return 8080, in(p, c("CONNECT p.example:1080 HTTP/1.1\r\n\r\n"), s("HTTP/1.1 200 OK\r\n\r\n"), c("\x05\x01\x00"), s("\x05\x00"),
			c("\x05\x01\x00\x03\x0cpool.example\x0d\x05"), s("\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"))
	},
	"WebSocket": func(p []prototest.Part) (uint16, []prototest.Part) { return 80, ws("\x00\x00\x00\x00", p) },
	"masked WebSocket": func(p []prototest.Part) (uint16, []prototest.Part) {
		return 8892, ws("\xa7\x13\x5c\xe9", p)
	},
}

// TestCarriers sends every conversation through everything that may carry it,
// whole and a byte at a time: miners are found in each, the others in none.
func TestCarriers(t *testing.T) {
	talks := mining.Conversations()
	for _, file := range []string{"stratumv2/testdata/clear.pcap", "duinocoin/testdata/mine.pcap"} {
		flows, err := prototest.Flows("../../proto/" + file)
		if err != nil || len(flows) != 1 {
			t.Fatal(file, err)
		}
		talks = append(talks, mining.Conversation{Name: file, Parts: flows[0].Parts, Dialect: strings.SplitN(file, "/", 2)[0]})
	}
	n := 0
	for _, k := range talks {
		for name, in := range carriers {
			if k.Dialect == "stratumv2" && strings.Contains(name, "WebSocket") {
				continue // which it does not use
			}
			for _, piece := range []int{1400, 1} {
				n++
				port, parts := in(k.Parts)
				got := carry(t, port, piece, parts)
				switch {
				case k.Benign && len(got) > 0:
					t.Errorf("%s in %s, %d bytes a segment: %s %+v", k.Name, name, piece, got[0].Signature, got[0].Evidence)
				case !k.Benign && (len(got) != 1 || got[0].Level != event.Confirmed || !got[0].FromClient):
					t.Errorf("%s in %s, %d bytes a segment: %d findings", k.Name, name, piece, len(got))
				}
			}
		}
	}
	t.Logf("%d conversations in %d ways each: %d connections", len(talks), 2*len(carriers), n)
}
