package dns

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

func TestProbe(t *testing.T) {
	nbns := header(0x8000, 0x0110, 1).question("CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", TypeSRV)
	mdns := header(0, 0x8400, 0, 1).rr("cam.local", TypeA, 120, 192, 0, 2, 1)
	flush := header(0, 0, 1).name("cam.local").u16(1, 0x8001)
	answer := reply(1, 0, 0).rr("", TypeA, 60, 192, 0, 2, 1)
	update := header(7, 5<<11, 1, 0, 1).question("home.example", TypeSOA).rr("x.home.example", TypeA, 60, 192, 0, 2, 1)
	signed := header(7, 0, 1, 0, 0, 2).question("a", TypeA).opt(1232, 0).name("key").u16(250, 255, 0, 0, 0)
	tests := []struct {
		name string
		in   string
		want proto.Match
	}{
		{"empty", "", proto.More},
		{"query", query("www.example.com", TypeA).String(), proto.Yes},
		{"answer", answer.String(), proto.Yes},
		{"unassigned rcode", header(1, 0x818e, 1).question("a", TypeA).String(), proto.Yes},
		{"edns", header(1, 0x120, 1, 0, 0, 1).question("a", TypeA).opt(1232, 0).String(), proto.Yes},
		{"tsig", signed.String(), proto.Yes},
		{"update", update.String(), proto.Yes},
		{"inverse query", header(9, 1<<11, 0, 1).rr(".", TypeA, 0, 192, 0, 2, 1).String(), proto.Weak},
		{"chaos", header(1, 0, 1).name("version.bind").u16(16, 3).String(), proto.Yes},
		{"refusal of a header", header(1, 0x8005).String(), proto.Weak},
		{"zeros", strings.Repeat("\x00", 12), proto.Weak},
		{"more zeros", strings.Repeat("\x00", 40), proto.No},
		{"trailing octets", query("a", TypeA).String() + "junk", proto.Weak},
		{"odd class", header(1, 0, 1).name("a").u16(1, 77).String(), proto.Weak},
		{"type zero", header(1, 0, 1).name("a").u16(0, 1).String(), proto.Weak},
		{"record count lies", header(1, FlagQR, 1, 900).question("a", TypeA).String(), proto.Weak},
		{"query with an answer", header(1, 0, 1, 1).question("a", TypeA).rr("", TypeA, 1, 1, 2, 3, 4).String(), proto.Weak},
		{"query that is authoritative", header(1, FlagAA, 1).question("a", TypeA).String(), proto.Weak},
		{"reserved opcode", header(1, 7<<11, 1).question("a", TypeA).String(), proto.No},
		{"netbios", nbns.String(), proto.No},
		{"mdns answer", mdns.String(), proto.Weak},
		{"mdns question", flush.String(), proto.Weak},
		{"stream", framed(query("a.example", TypeA)), proto.Yes},
		{"stream of two", framed(query("a.example", TypeA), query("b.example", TypeA)), proto.Yes},
		{"stream, header cut", framed(query("a.example", TypeA))[:9], proto.More},
		{"stream, name cut", framed(query("a.example", TypeA))[:20], proto.More},
		{"stream, answer cut", framed(answer)[:40], proto.Yes},
		{"stream, netbios", framed(nbns), proto.No},
		{"stream, update cut", framed(header(7, 5<<11, 1, 0, 1).question("home.example", TypeSOA).rr("x", TypeA, 60, 192, 0, 2, 1))[:36], proto.Yes},
		{"tls", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03abcdefghijklmnop", proto.No},
		{"http", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", proto.No},
		{"ssh", "SSH-2.0-OpenSSH_9.2\r\n", proto.No},
		{"rtp", "\x80\x60\x00\x01\x00\x00\x00\xa0\x12\x34\x56\x78\xff\xff\xff\xff", proto.No},
		{"quic", "\xc0\x00\x00\x00\x01\x08abcdefgh\x00\x00\x44\x9eabcdef", proto.No},
		{"ntp", "\x23\x02\x06\xea" + strings.Repeat("\x00", 44), proto.No},
		{"stun", "\x00\x01\x00\x00\x21\x12\xa4\x42abcdefghijkl", proto.No},
		{"stratum", `{"id":1,"method":"mining.subscribe","params":[]}`, proto.No},
	}
	for _, tt := range tests {
		for _, d := range []packet.Dir{packet.ToServer, packet.ToClient} {
			if got := probe(d, []byte(tt.in)); got != tt.want {
				t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
			}
		}
	}
}

// TestProbeRandom: chance must not look like DNS. Of 200,000 random datagrams
// none may be a Yes and fewer than one in 2,000 a Weak.
func TestProbeRandom(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	weak := 0
	b := make([]byte, 1400)
	const n = 200_000
	for range n {
		d := b[:rnd.IntN(200)]
		for i := range d {
			d[i] = byte(rnd.Uint32())
		}
		switch probe(packet.ToServer, d) {
		case proto.Yes:
			t.Fatalf("% x", d)
		case proto.Weak:
			weak++
		}
	}
	if weak > n/2000 {
		t.Errorf("%d of %d weak", weak, n)
	}
}

// TestProbePrefix: a stream that is DNS is never refused before enough of it
// is there to tell.
func TestProbePrefix(t *testing.T) {
	s := []byte(framed(query("www.example.com", TypeA)))
	for i := range s {
		if got := probe(packet.ToServer, s[:i]); got != proto.More && got != proto.Yes {
			t.Errorf("%d octets: %v", i, got)
		}
	}
}
