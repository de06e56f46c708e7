package engine

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
)

// seal gives a frame of IPv4 and TCP its checksum, RFC 9293 section 3.1.
func seal(b []byte) []byte {
	l4 := b[34:]
	sum := uint32(6 + len(l4))
	for i := 26; i < 34; i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	for i, x := range l4 {
		sum += uint32(x) << (8 * (1 - i%2))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	binary.BigEndian.PutUint16(l4[16:], ^uint16(sum))
	return b
}

// TestChecksums: in line, what has a wrong checksum is neither data nor the end of the connection, unless its
// sender's SYN had none that is right.
func TestChecksums(t *testing.T) {
	const ack, psh, syn, fin, rst = packet.ACK, packet.PSH, packet.SYN, packet.FIN, packet.RST
	up := func(flags uint8, seq, a uint32, s string) []byte { return frame(6, false, 7, flags, seq, a, []byte(s)) }
	down := func(flags uint8, seq, a uint32, s string) []byte { return frame(6, true, 7, flags, seq, a, []byte(s)) }
	whole := func(b []byte) []byte { return b }
	run := func(inline bool, seal func([]byte) []byte, between ...[]byte) []string {
		w := newWorld(t, func(c *Config) { c.Inline = inline }, alpha)
		for _, b := range [][]byte{up(syn, 100, 0, ""), down(syn|ack, 500, 101, ""), up(ack, 101, 501, ""), up(ack|psh, 101, 501, "ALPHA one\n")} {
			w.handle(seal(b))
		}
		for _, b := range between {
			w.handle(b)
		}
		for _, b := range [][]byte{down(ack, 501, 111, ""), up(ack|psh, 111, 501, "bad\n"), down(ack|psh, 501, 115, "re:ALPHA true\n")} {
			w.handle(seal(b))
		}
		w.e.Close()
		if n := w.e.Stats().Flow.Refused; n > 0 != (inline && len(between) > 0) && seal(up(ack, 0, 0, ""))[50] != 0 {
			t.Errorf("%d refused", n)
		}
		return w.events
	}
	want := []string{`"alpha":{"line":">ALPHA one"}`, "alert bad", `"alpha":{"line":">bad"}`, `"alpha":{"line":"<re:ALPHA true"}`, "flow alpha"}
	for name, b := range map[string][]byte{
		"data": up(ack|psh, 111, 501, "JUNK\n"), "a FIN": up(fin|ack, 111, 501, ""), "a reset": up(rst, 111, 0, ""),
		"the server's reset": down(rst, 501, 0, ""), "the server's data": down(ack|psh, 501, 111, "re:ALPHA junk\n"), "a SYN": up(syn, 111, 0, ""),
	} {
		if got := run(true, seal, b); !slices.Equal(got, want) {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := run(true, whole); !slices.Equal(got, want) {
		t.Errorf("no right one: %q", got)
	}
	if got := run(false, seal, up(ack|psh, 111, 501, "JUNK\n")); slices.Equal(got, want) {
		t.Error("a recording's checksums are looked at, though its machine may have left them to its card")
	}
}
