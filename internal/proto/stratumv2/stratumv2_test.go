package stratumv2

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
	"github.com/yamori-net/yamori/internal/proto/stratum"
)

var update = prototest.UpdateFlag()

func TestCaptures(t *testing.T) { prototest.Golden(t, Protocol, *update) }

func TestReadme(t *testing.T) { prototest.Readme(t, Protocol) }

// What follows writes messages field by field after the specification.
func u16(v uint16) string  { return string(binary.LittleEndian.AppendUint16(nil, v)) }
func u32(v uint32) string  { return string(binary.LittleEndian.AppendUint32(nil, v)) }
func u64(v uint64) string  { return string(binary.LittleEndian.AppendUint64(nil, v)) }
func f32(v float32) string { return u32(math.Float32bits(v)) }
func str(s string) string  { return string([]byte{byte(len(s))}) + s }

func msg(ext uint16, kind byte, body ...string) string {
	b := strings.Join(body, "")
	return u16(ext) + string([]byte{kind}) + u32(uint32(len(b)))[:3] + b
}

const ch = 0x8000

var (
	target   = strings.Repeat("\x00", 24) + "\xff\xff\x01\x00\x00\x00\x00\x00"
	hash     = strings.Repeat("\x5a", 26) + strings.Repeat("\x00", 6)
	setupMsg = msg(0, 0x00, "\x00", u16(2), u16(2), u32(1), str("pool.example"), u16(34254), str("Braiins"), str("S9"), str("BOSminer"), str("s/n"))
	setupOK  = msg(0, 0x01, u16(2), u32(0))
	openMsg  = msg(0, 0x10, u32(1), str("1BoatSLRHtKNngkdXEeobR76b53LETtpyT.shed"), f32(1.2e12), strings.Repeat("\xff", 32))
	openOK   = msg(0, 0x11, u32(1), u32(5), target, str("\x01\x02"), u32(9))
	jobMsg   = msg(ch, 0x15, u32(5), u32(1), "\x00", u32(0x20000000), strings.Repeat("\xa7", 32))
	prevMsg  = msg(ch, 0x20, u32(5), u32(1), hash, u32(1767225600), u32(0x17034219))
	tgtMsg   = msg(ch, 0x21, u32(5), target)
	shareMsg = msg(ch, 0x1a, u32(5), u32(1), u32(1), u32(0xdeadbeef), u32(1767225601), u32(0x20004000))
	shareExt = msg(ch, 0x1b, u32(5), u32(1), u32(1), u32(0xdeadbeef), u32(1767225601), u32(0x20004000), str("\x01\x02\x03\x04"))
	shareOK  = msg(ch, 0x1c, u32(5), u32(1), u32(1), u64(8192))
	shareBad = msg(ch, 0x1d, u32(5), u32(2), str("stale-share"))
	longJob  = msg(ch, 0x1f, u32(5), u32(2), "\x00", u32(0x20000000), "\x01", "\x00", u16(9000), strings.Repeat("\x01", 9000), u16(20), strings.Repeat("\x02", 20))
)

var session = []prototest.Part{
	prototest.C(setupMsg), prototest.S(setupOK), prototest.C(openMsg), prototest.S(openOK + jobMsg + prevMsg + tgtMsg),
	prototest.C(shareMsg), prototest.S(shareOK + longJob), prototest.C(shareMsg + shareExt), prototest.S(shareBad + shareOK),
}

const sessionEvent = `"stratum":{"dialect":"stratum-v2","coin":"bitcoin","agent":"Braiins","wallet":"1BoatSLRHtKNngkdXEeobR76b53LETtpyT","worker":"shed","pool":"pool.example",` +
	`"messages_toserver":5,"messages_toclient":9,"jobs":2,"shares":3,"accepted":2,"rejected":1,` +
	`"subprotocol":"mining","version":2,"vendor":"Braiins","hardware":"S9","firmware":"BOSminer","device_id":"s/n","hash_rate":1199999942656}`

func TestSession(t *testing.T) {
	for seed := range uint64(60) {
		parts := session
		if seed > 0 {
			parts = prototest.Split(seed, session...)
		}
		r := prototest.Drive(Protocol, prototest.Options{}, parts...)
		if r.Err != nil || r.Joined() != sessionEvent || r.AppProto != "stratum" || len(r.Anomalies) > 0 || r.Done != 1 || r.Rest != [2]string{} {
			t.Fatalf("seed %d: %+v", seed, r)
		}
	}
}

// last drives parts and returns the flow's transaction as it was at the end,
// and the message at which it was mining for certain.
func last(conn proto.Conn, parts ...prototest.Part) (tx Tx, at int) {
	at = -1
	n := -1
	prototest.Drive(Protocol, prototest.Options{Conn: conn, OnTx: func(x proto.Tx, done bool) {
		n++
		tx = *x.(*Tx)
		if at < 0 && tx.Mining() {
			at = n
		}
	}}, parts...)
	return tx, at
}

// TestFirst: certain with the first message, and midstream with nearly any.
func TestFirst(t *testing.T) {
	mid := proto.Conn{Midstream: true}
	for name, tt := range map[string]struct {
		parts  []prototest.Part
		at     int
		client bool
	}{
		"from the beginning":    {session, 0, true},
		"a share":               {[]prototest.Part{prototest.C(shareMsg)}, 0, true},
		"an extended share":     {[]prototest.Part{prototest.C(shareExt)}, 0, true},
		"an answer":             {[]prototest.Part{prototest.S(shareOK)}, 0, true},
		"work":                  {[]prototest.Part{prototest.S(jobMsg + prevMsg)}, 1, true},
		"a channel":             {[]prototest.Part{prototest.C(openMsg)}, 0, true},
		"a share, swapped":      {[]prototest.Part{prototest.S(shareMsg)}, 0, false},
		"a target alone":        {[]prototest.Part{prototest.S(tgtMsg)}, -1, true},
		"set-up answered alone": {[]prototest.Part{prototest.S(setupOK)}, -1, true},
	} {
		tx, at := last(mid, tt.parts...)
		if at != tt.at || tx.MinerIsClient() != tt.client || tx.Noise {
			t.Errorf("%s: at %d, client %v, %+v", name, at, tx.MinerIsClient(), tx.Marks)
		}
	}
	tx, _ := last(mid, session...)
	if want := math.Ldexp(1, 256-32-16-16) / 1.99997; math.Abs(tx.Effort.PerShare/want-1) > 1 || tx.Effort.Work != 2*tx.Effort.PerShare || tx.Effort.Reported < 1.19e12 {
		t.Errorf("%+v", tx.Effort)
	}
}

func TestEffort(t *testing.T) {
	diff1 := strings.Repeat("\x00", 26) + "\xff\xff" + "\x00\x00\x00\x00" // Bitcoin's target of difficulty one
	tx, _ := last(proto.Conn{Midstream: true}, prototest.S(msg(ch, 0x21, u32(5), diff1)), prototest.C(shareMsg+shareMsg))
	if want := math.Ldexp(1, 48) / 65535; math.Abs(tx.Effort.PerShare-want) > 1 || tx.Effort.Work != 2*tx.Effort.PerShare {
		t.Errorf("%+v, want %v", tx.Effort, want)
	}
}

func TestProbe(t *testing.T) {
	rnd := random0(64)
	for name, tt := range map[string]struct {
		dir  packet.Dir
		in   string
		want proto.Match
	}{
		"set-up": {0, setupMsg, proto.Yes}, "set-up, cut": {0, setupMsg[:20], proto.More}, "set-up and more": {0, setupMsg + "x", proto.Yes},
		"share": {0, shareMsg, proto.Yes}, "answer": {1, shareOK, proto.Yes}, "set-up answered": {1, setupOK, proto.Weak},
		"job then hash": {1, jobMsg + prevMsg, proto.Yes}, "job": {1, jobMsg, proto.More}, "open": {0, openMsg, proto.Yes}, "opened": {1, openOK, proto.Yes},
		"key": {0, rnd, proto.Weak}, "key, cut": {0, rnd[:40], proto.More}, "key and more": {0, rnd + "x", proto.No}, "answer of the exchange": {1, random0(234), proto.Weak},
		"nothing": {0, "", proto.More}, "text": {0, strings.Repeat("GET / HTTP/1.1\r\n", 4), proto.No}, "zeros": {0, strings.Repeat("\x00", 64), proto.No},
		"set-up with another version": {0, strings.Replace(setupMsg, "\x02\x00\x02\x00", "\x04\x00\x04\x00", 1), proto.No},
		"set-up with too much inside": {0, msg(0, 0, "\x00", u16(2), u16(2), u32(1), str("a"), u16(1), str("b"), str("c"), str("d"), str("e"), "x"), proto.No},
		"share of an old time":        {0, msg(ch, 0x1a, u32(5), u32(1), u32(1), u32(1), u32(7), u32(0x20004000)), proto.More},
		"smb":                         {0, "\x00\x00\x00\x2f\xffSMB\x72" + strings.Repeat("\x00", 40), proto.No},
		"mqtt's answer":               {1, "\x20\x02\x00\x00", proto.No},
		"mqtt's subscription":         {0, "\x82\x16\x00\x01\x00\x11house/bulbs/", proto.No},
		"a word":                      {0, "EHLO example", proto.No},
		"half a header":               {0, "\x00\x80\x1a", proto.More}, "a header of no kind": {0, "\x00\x00\xff\x00\x00", proto.No},
		"dns over tcp": {0, "\x00\x1d\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x00\x00\x01\x00\x01", proto.No},
	} {
		if got := probe(tt.dir, []byte(tt.in)); got != tt.want {
			t.Errorf("%s: %d, want %d", name, got, tt.want)
		}
	}
}

// random0 gives n bytes of a generator with a fixed seed.
func random0(n int) string {
	r := rand.New(rand.NewPCG(7, uint64(n)))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.UintN(256))
	}
	return string(b)
}

// flights makes parts of random bytes, a miner's and a pool's by turns.
func flights(lengths ...int) (out []prototest.Part) {
	for i, n := range lengths {
		p := prototest.C(random0(n))
		if i%2 == 1 {
			p = prototest.S(random0(n))
		}
		out = append(out, p)
	}
	return out
}

func TestNoise(t *testing.T) {
	for name, tt := range map[string]struct {
		lengths []int
		mining  bool
		shares  uint32
	}{
		"mining":                       {[]int{64, 234, 110, 44, 95, 300, 62, 58, 62, 58, 62}, true, 2},
		"extended":                     {[]int{64, 234, 110, 44, 95, 300, 67, 58, 62, 58, 67, 58, 67}, true, 2},
		"only opened":                  {[]int{64, 234, 110, 44, 95}, true, 0},
		"not yet":                      {[]int{64, 234, 110, 44}, false, 0},
		"no answer to the set-up":      {[]int{64, 234, 110, 45, 95}, false, 0},
		"BIP 324":                      {[]int{64, 234, 76, 97, 41, 300, 62, 58, 1}, false, 0},
		"another answer":               {[]int{64, 235, 110, 44, 95}, false, 0},
		"another key":                  {[]int{65, 234, 110, 44, 95}, false, 0},
		"too short to set up":          {[]int{64, 234, 53, 44, 95}, false, 0},
		"more than the set-up's reply": {[]int{64, 234, 110, 44 + 83, 95}, false, 0},
	} {
		for seed := range uint64(8) {
			parts := flights(tt.lengths...)
			if seed > 0 {
				parts = prototest.Split(seed, parts...)
			}
			tx, at := last(proto.Conn{}, parts...)
			if at >= 0 != tt.mining || tx.Shares != tt.shares || !tx.Noise || !tx.MinerIsClient() {
				t.Errorf("%s, seed %d: at %d, %d shares, %+v", name, seed, at, tx.Shares, tx.Marks)
			}
		}
	}
	if tx, at := last(proto.Conn{Midstream: true}, flights(64, 234, 110, 44, 95)...); at >= 0 || tx.Marks != 0 {
		t.Error("midstream nothing is known of the flights before")
	}
}

// TestGap: a hole costs the message it is in.
func TestGap(t *testing.T) {
	hole := func(p prototest.Part, n int) prototest.Part { p.Gap = n; return p }
	r := prototest.Drive(Protocol, prototest.Options{}, prototest.C(setupMsg), hole(prototest.C("rest of something"), 9), prototest.C(shareMsg), prototest.S(shareOK))
	if r.Err != nil || !strings.Contains(r.Joined(), `"shares":1,"accepted":1`) || len(r.Anomalies) > 0 {
		t.Errorf("%+v", r)
	}
	r = prototest.Drive(Protocol, prototest.Options{}, prototest.C(setupMsg), prototest.S(setupOK+longJob[:3000]), hole(prototest.S(longJob[4000:]+shareOK), 1000))
	if !strings.Contains(r.Joined(), `"accepted":1`) {
		t.Errorf("in a long payload: %+v", r)
	}
	r = prototest.Drive(Protocol, prototest.Options{}, prototest.C(setupMsg), prototest.C("no message at all"), prototest.C(shareMsg))
	if len(r.Anomalies) != 1 || r.Anomalies[0] != "malformed_message" {
		t.Errorf("%+v", r)
	}
}

func TestAllocs(t *testing.T) {
	p := Protocol.New()
	var c proto.Conn
	c.OnTx, c.OnAnomaly = func(proto.Tx, bool) {}, func(string) {}
	noise := flights(64, 234, 110, 44, 95, 300, 62, 58)
	if n := testing.AllocsPerRun(100, func() {
		for _, parts := range [][]prototest.Part{session, noise} {
			for _, part := range parts {
				probe(part.Dir, part.Data)
				if _, err := p.Parse(&c, part.Dir, part.Data); err != nil {
					t.Fatal(err)
				}
			}
			p.End(&c)
			p.Reset()
		}
	}); n != 0 {
		t.Errorf("%v allocations in a session, want 0", n)
	}
}

func BenchmarkParse(b *testing.B) {
	p := Protocol.New()
	var c proto.Conn
	c.OnTx, c.OnAnomaly = func(proto.Tx, bool) {}, func(string) {}
	size := 0
	for _, part := range session {
		size += len(part.Data)
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		for _, part := range session {
			_, _ = p.Parse(&c, part.Dir, part.Data)
		}
		p.End(&c)
		p.Reset()
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{setupMsg + openMsg + shareMsg, openOK + jobMsg + prevMsg + shareOK + shareBad, longJob} {
		f.Add([]byte(s), uint64(1))
	}
	f.Fuzz(func(t *testing.T, b []byte, seed uint64) {
		if len(b) < headerLen || !readHeader(b).fits() || len(b) == noiseAsk {
			return // ciphertext is judged by its lengths, which the cuts are part of
		}
		c := proto.Conn{Midstream: true}
		one := prototest.Drive(Protocol, prototest.Options{Conn: c}, prototest.C(string(b)))
		var tx1, tx2 stratum.Session
		keep := func(s *stratum.Session) prototest.Options {
			return prototest.Options{Conn: c, OnTx: func(x proto.Tx, _ bool) { *s = x.(*Tx).Session }}
		}
		prototest.Drive(Protocol, keep(&tx1), prototest.C(string(b)))
		prototest.Drive(Protocol, keep(&tx2), prototest.C(string(b)))
		if tx1 != tx2 || one.Err != nil {
			t.Fatalf("%+v %+v %v", tx1, tx2, one.Err)
		}
		probe(packet.ToServer, b)
		probe(packet.ToClient, b)
		_ = seed
	})
}
