package engine

import (
	"slices"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
)

// TestInsertion: segments that the receiver of a connection refuses put nothing into what is read, and take nothing out
// of it (Ptacek and Newsham, Insertion, Evasion, and Denial of Service, 1998; RFC 9293 section 3.10.7.4).
func TestInsertion(t *testing.T) {
	const ack, psh, syn, fin, rst = packet.ACK, packet.PSH, packet.SYN, packet.FIN, packet.RST
	up := func(flags uint8, seq, a uint32, s string) []byte { return frame(6, false, 7, flags, seq, a, []byte(s)) }
	down := func(flags uint8, seq, a uint32, s string) []byte { return frame(6, true, 7, flags, seq, a, []byte(s)) }
	for name, between := range map[string][][]byte{
		"nothing":                           nil,
		"data that acknowledges nothing":    {up(psh, 111, 0, "JUNK\n")},
		"a reset far outside of the window": {up(rst, 111+1<<29, 0, "")},
		"a reset in the window, not exact":  {up(rst, 500, 0, "")},
		"a reset the other way, not exact":  {down(rst, 900, 0, "")},
		"a reset that carries data":         {up(rst|ack, 500, 501, "JUNK\n")},
		"a SYN with another number":         {up(syn, 5000, 0, "")},
		"a SYN with another number, data":   {up(syn, 5000, 0, "JUNK\n")},
		"a SYN in the window":               {up(syn, 111, 0, "JUNK\n")},
		"a SYN-ACK from the client":         {up(syn|ack, 5000, 501, "")},
		"a SYN-ACK again, another number":   {down(syn|ack, 5000, 101, "")},
		"a FIN far outside of the window":   {up(fin|ack, 111+1<<29, 501, "")},
		"a FIN of the past":                 {up(fin|ack, 90, 501, "")},
		"a FIN that acknowledges nothing":   {up(fin, 111, 0, "")},
		"data of the past":                  {up(ack|psh, 101, 501, "JUNK JUNK\n")},
		"an acknowledgement of the future":  {down(ack, 501, 111+1<<29, "")},
		"an acknowledgement of the past":    {down(ack, 501, 50, "")},
	} {
		w := newWorld(t, nil, alpha)
		for _, b := range [][]byte{up(syn, 100, 0, ""), down(syn|ack, 500, 101, ""), up(ack, 101, 501, ""), up(ack|psh, 101, 501, "ALPHA one\n")} {
			w.handle(b)
		}
		for _, b := range between {
			w.handle(b)
		}
		w.handle(down(ack, 501, 111, ""))
		w.handle(up(ack|psh, 111, 501, "bad\n"))
		w.handle(down(ack|psh, 501, 115, "re:ALPHA true\n"))
		w.e.Close()
		want := []string{`"alpha":{"line":">ALPHA one"}`, "alert bad", `"alpha":{"line":">bad"}`, `"alpha":{"line":"<re:ALPHA true"}`, "flow alpha"}
		if !slices.Equal(w.events, want) {
			t.Errorf("%s: %q", name, w.events)
		}
	}
}
