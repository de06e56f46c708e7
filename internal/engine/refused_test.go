package engine

import (
	"slices"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
)

// TestRefused: what a server sends before it answers the SYN, and the client therefore refuses, neither gives the
// connection another protocol nor takes the place of what the server says later.
func TestRefused(t *testing.T) {
	for name, before := range map[string][][]byte{
		"nothing": nil,
		"another protocol's words": {
			frame(6, true, 7, packet.ACK|packet.PSH, 9000, 70000, []byte("re:BETA junk\n")),
			frame(6, false, 7, packet.RST, 70000, 0, nil)},
		"in the place of the answer":         {frame(6, true, 7, packet.ACK|packet.PSH, 501, 140, []byte("re:ALPHA junk\n"))},
		"that acknowledges nothing":          {frame(6, true, 7, packet.PSH, 501, 0, []byte("re:ALPHA junk\n"))},
		"SYNs that the server does not hear": {frame(6, false, 7, packet.SYN, 9000, 0, nil), frame(6, false, 7, packet.SYN, 9900, 0, []byte("BETA"))},
		"a wrong SYN-ACK, its reset near": {
			frame(6, true, 7, packet.SYN|packet.ACK, 9000, 140, nil),
			frame(6, false, 7, packet.RST, 140, 0, nil)},
	} {
		w := newWorld(t, nil, alpha, lines{name: "beta", magic: "BETA"})
		w.handle(frame(6, false, 7, packet.SYN, 100, 0, nil))
		for _, b := range before {
			w.handle(b)
		}
		w.handle(frame(6, true, 7, packet.SYN|packet.ACK, 500, 101, nil))
		w.handle(frame(6, false, 7, packet.ACK|packet.PSH, 101, 501, []byte("ALPHA bad\n")))
		w.handle(frame(6, true, 7, packet.ACK|packet.PSH, 501, 111, []byte("re:ALPHA true\n")))
		w.e.Close()
		want := []string{"alert bad", `"alpha":{"line":">ALPHA bad"}`, `"alpha":{"line":"<re:ALPHA true"}`, "flow alpha"}
		if len(w.events) > 0 && w.events[0] == "flow failed" {
			w.events = w.events[1:] // of the SYN that was not answered
		}
		if !slices.Equal(w.events, want) {
			t.Errorf("%s: %q", name, w.events)
		}
	}
}
