package engine

import (
	"encoding/binary"
	"testing"

	"github.com/yamori-net/yamori/internal/detect"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// TestAnswered: what says that two ends talked to each other cannot be had by
// forging one of them.
func TestAnswered(t *testing.T) {
	const hello = "ALPHA bad\n"
	wrap := func(b []byte) []byte { // IPv4 in IPv4
		out := append([]byte(nil), b[:34]...)
		out[23] = 4
		binary.BigEndian.PutUint16(out[16:], uint16(len(b)-14+20))
		return append(out, b[14:]...)
	}
	nsh := func(b []byte) []byte { // RFC 8300, IPv4 inside
		out := append([]byte(nil), b[:14]...)
		out[12], out[13] = 0x89, 0x4f
		return append(append(out, 0, 2, 2, 1, 0, 0, 0, 0), b[14:]...)
	}
	for name, tt := range map[string]struct {
		say  func(h func([]byte))
		want bool
	}{
		"a handshake": {func(h func([]byte)) {
			h(frame(6, false, 7, packet.SYN, 100, 0, nil))
			h(frame(6, true, 7, packet.SYN|packet.ACK, 500, 101, nil))
			h(frame(6, false, 7, packet.ACK|packet.PSH, 101, 501, []byte(hello)))
		}, true},
		"by one who does not hear the server": {func(h func([]byte)) {
			h(frame(6, false, 7, packet.SYN, 100, 0, nil))
			h(frame(6, true, 7, packet.SYN|packet.ACK, 500, 101, nil))
			h(frame(6, false, 7, packet.ACK|packet.PSH, 101, 77777, []byte(hello)))
		}, false},
		"no answer": {func(h func([]byte)) {
			h(frame(6, false, 7, packet.SYN, 100, 0, nil))
			h(frame(6, false, 7, packet.ACK|packet.PSH, 101, 501, []byte(hello)))
		}, false},
		"in the middle": {func(h func([]byte)) {
			h(frame(6, true, 7, packet.ACK, 501, 101, nil))
			h(frame(6, false, 7, packet.ACK|packet.PSH, 101, 501, []byte(hello)))
		}, false},
		"in a tunnel, both ends by one": {func(h func([]byte)) {
			h(wrap(frame(6, false, 7, packet.SYN, 100, 0, nil)))
			h(wrap(frame(6, true, 7, packet.SYN|packet.ACK, 500, 101, nil)))
			h(wrap(frame(6, false, 7, packet.ACK|packet.PSH, 101, 501, []byte(hello))))
		}, false},
		"in a chain of services, both ends by one": {func(h func([]byte)) {
			h(nsh(frame(6, false, 7, packet.SYN, 100, 0, nil)))
			h(nsh(frame(6, true, 7, packet.SYN|packet.ACK, 500, 101, nil)))
			h(nsh(frame(6, false, 7, packet.ACK|packet.PSH, 101, 501, []byte(hello))))
		}, false},
		"a datagram": {func(h func([]byte)) { h(frame(17, false, 7, 0, 0, 0, []byte("UDP bad\n"))) }, false},
		"a datagram after an answer": {func(h func([]byte)) {
			h(frame(17, false, 7, 0, 0, 0, []byte("UDP x\n")))
			h(frame(17, true, 7, 0, 0, 0, []byte("UDP x\n")))
			h(frame(17, false, 7, 0, 0, 0, []byte("UDP bad\n")))
		}, true},
	} {
		n, got := 0, false
		w := newWorld(t, func(c *Config) {
			c.Detectors = []detect.Detector{{Name: "word", New: func() detect.Inline { return badWord{} }}}
			c.Sink = func(int) event.Sink {
				return event.SinkFunc(func(ev *event.Event) {
					if ev.Finding != nil {
						n, got = n+1, ev.Answered
					}
				})
			}
		}, alpha, lines{name: "udp", magic: "UDP", mode: proto.Yes, on: proto.UDP})
		tt.say(w.handle)
		w.e.Close()
		if n == 0 || got != tt.want {
			t.Errorf("%s: %d findings, answered %v", name, n, got)
		}
	}
}
