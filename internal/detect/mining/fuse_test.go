package mining

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/flow"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto/dns"
	"github.com/yamori-net/yamori/internal/proto/tls"
	"github.com/yamori-net/yamori/internal/seq"
)

// miner plays a Monero miner to the detector, with the tag given, and returns
// the findings: shares a minute apart on average, jobs each two minutes.
func miner(t *testing.T, q *sequence, f *flow.Flow, tag uint32, kind string) (out []event.Finding, first float64) {
	t.Helper()
	var tr seq.Tracker
	tr.Start(seq.TLS13)
	tr.Tag = tag
	r := rand.New(rand.NewPCG(5, 6))
	who := func() event.DeviceRef { return event.DeviceRef{ID: "mac:1", Kind: kind} }
	now := 1.7e18
	begin := now
	say := func(after float64, d packet.Dir, n int) {
		now += after * 1e9
		tr.Message(int64(now), d, n)
		if !tr.Due(int64(now)) {
			return
		}
		if found, ok := q.Judge(f, &tr, int64(now), false, who); ok {
			out = append(out, found)
			if found.Level >= event.Likely && first == 0 {
				first = (now - begin) / 1e9
			}
		}
	}
	say(0, packet.ToServer, 480)
	say(.05, packet.ToClient, 430)
	for i := range 40 {
		say(r.ExpFloat64()*30, packet.ToServer, 215)
		say(.05, packet.ToClient, 63)
		if i%2 == 1 {
			say(5+10*r.Float64(), packet.ToClient, 378)
		}
	}
	return out, first
}

func detector(t *testing.T) *sequence {
	t.Helper()
	return Sequence().New().(*sequence)
}

func ends(client, server uint32) *flow.Flow {
	f := &flow.Flow{ID: uint64(client)<<32 | uint64(server)}
	f.Key.Lo, f.Key.Hi, f.Key.LoPort, f.Key.HiPort = addr(client), addr(server), 40000, 443
	return f
}

func TestLevels(t *testing.T) {
	for _, tt := range []struct {
		name string
		tag  uint32
		kind string
		want event.Level
		code string // evidence that must be listed
	}{
		{"nothing else known", tagTLS, "computer", event.Likely, "sequence.prior"},
		{"a browser's hello", tagTLS | tagWeb, "computer", event.Likely, "sequence.web_client"},
		{"no name", tagTLS | tagNoName | tagBare | tagOpenSSL, "computer", event.Likely, "sequence.openssl"},
		{"a camera", tagTLS, "camera", event.Likely, "sequence.device"},
		{"a pool's name", tagTLS | tagPool, "computer", event.Confirmed, "sequence.pool_name"},
		{"a pool's address", tagTLS | tagPoolDNS, "computer", event.Confirmed, "sequence.pool_address"},
		{"a proxy's certificate", tagTLS | tagProxyCert, "computer", event.Confirmed, "sequence.proxy_certificate"},
	} {
		got, _ := miner(t, detector(t), ends(1, 2), tt.tag, tt.kind)
		if len(got) == 0 {
			t.Errorf("%s: nothing found", tt.name)
			continue
		}
		last := got[len(got)-1]
		if last.Level != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, last.Level, tt.want)
		}
		for i := 1; i < len(got); i++ {
			if got[i].Level <= got[i-1].Level {
				t.Errorf("%s: %s after %s", tt.name, got[i].Level, got[i-1].Level)
			}
		}
		sum, has := 0.0, false
		for _, e := range last.Evidence {
			sum += e.Weight
			has = has || e.Code == tt.code
		}
		if conf := 1 / (1 + math.Exp(-sum)); math.Abs(conf-last.Confidence) > .02 {
			t.Errorf("%s: confidence %.3f, but the evidence makes %.3f: %+v", tt.name, last.Confidence, conf, last.Evidence)
		}
		if !has {
			t.Errorf("%s: no %s in %+v", tt.name, tt.code, last.Evidence)
		}
	}
}

// TestNamesAloneProveNothing: whoever looks at a pool's pages or has a talk of
// another shape with it does not mine.
func TestNamesAloneProveNothing(t *testing.T) {
	q := detector(t)
	f := ends(1, 2)
	var tr seq.Tracker
	tr.Start(seq.TLS13)
	tr.Tag = tagTLS | tagPool | tagPort | tagNoName
	for i := range int64(60) { // a page asked for again and again
		now := 1e18 + i*10e9
		tr.Message(now, packet.ToServer, 300+int(i%7)*40)
		tr.Message(now+100e6, packet.ToClient, 900+int(i*i%11)*130)
		if i%9 == 0 {
			tr.Message(now+3e9, packet.ToClient, 50)
		}
		if tr.Due(now) {
			if found, ok := q.Judge(f, &tr, now, false, func() event.DeviceRef { return event.DeviceRef{} }); ok && found.Level > event.Suspect {
				t.Fatalf("%s: %+v", found.Level, found.Evidence)
			}
		}
	}
}

// TestSeveralFlows: the second pool of the same device has that for it.
func TestSeveralFlows(t *testing.T) {
	q := detector(t)
	miner(t, q, ends(1, 2), tagTLS, "computer")
	f := ends(1, 3)
	got, _ := miner(t, q, f, tagTLS, "computer")
	if len(got) == 0 {
		t.Fatal("nothing found")
	}
	codes := ""
	for _, e := range got[len(got)-1].Evidence {
		codes += e.Code + " "
	}
	if !strings.Contains(codes, "sequence.flows") {
		t.Errorf("evidence: %s", codes)
	}
}

func TestHello(t *testing.T) {
	openssl := append([]byte{0x13, 2, 0x13, 3, 0x13, 1}, make([]byte, 54)...)
	openssl = append(openssl, 0, 0xff)
	for _, tt := range []struct {
		name string
		h    tls.ClientHello
		want uint32
	}{
		{"xmrig", tls.ClientHello{Ciphers: openssl}, tagTLS | tagNoName | tagBare | tagOpenSSL},
		{"stunnel", tls.ClientHello{HasSNI: true, SNI: []byte("203.0.113.32")}, tagTLS | tagNoName | tagBare},
		{"browser", tls.ClientHello{HasSNI: true, SNI: []byte("example.org"), ALPN: []byte("\x02h2\x08http/1.1")}, tagTLS | tagWeb},
		{"pool", tls.ClientHello{HasSNI: true, SNI: []byte("gulf.MoneroOcean.stream")}, tagTLS | tagPool},
		{"its pages", tls.ClientHello{HasSNI: true, SNI: []byte("www.moneroocean.stream"), ALPN: []byte("\x02h2")}, tagTLS | tagPoolSite | tagWeb},
	} {
		q := detector(t)
		f := ends(1, 2)
		q.hello(f, &tt.h, true)
		if q.last.tag != tt.want || q.last.flow != f.ID {
			t.Errorf("%s: %b, want %b", tt.name, q.last.tag, tt.want)
		}
	}
}

// TestNamedBehindAlias: a name of its own that stands for a pool's (CNAME)
// leads to the pool's address.
func TestNamedBehindAlias(t *testing.T) {
	name := func(s string) (b []byte) {
		for _, l := range strings.Split(s, ".") {
			b = append(append(b, byte(len(l))), l...)
		}
		return append(b, 0)
	}
	msg := []byte{0, 1, 0x81, 0x80, 0, 1, 0, 2, 0, 0, 0, 0}
	msg = append(append(msg, name("cloud.innocent.example")...), 0, 1, 0, 1)
	target := name("pool.supportxmr.com")
	msg = append(append(msg, 0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 60, 0, byte(len(target))), target...)
	msg = append(append(append(msg, target...), 0, 1, 0, 1, 0, 0, 0, 60, 0, 4), 198, 51, 100, 7)
	m := dns.Borrow()
	defer dns.Return(m)
	if !m.Parse(msg) {
		t.Fatal("the test's message is malformed")
	}
	q := detector(t)
	q.answer(m, 1e18)
	i, site := q.mem.poolAt(packet.AddrFrom4([]byte{198, 51, 100, 7}), 1e18+1)
	if i < 0 || q.pools.all[i].Suffix != "supportxmr.com" || site {
		t.Errorf("pool %d", i)
	}
}
