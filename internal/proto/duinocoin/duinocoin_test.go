package duinocoin

import (
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

var update = prototest.UpdateFlag()

func TestCaptures(t *testing.T) { prototest.Golden(t, Protocol, *update) }

func TestReadme(t *testing.T) { prototest.Readme(t, Protocol) }

const (
	sum1 = "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567"
	sum2 = "ffeeddccbbaa99887766554433221100aabbccdd"
	work = sum1 + "," + sum2 + ",5000\n"
)

var (
	c, s = prototest.C, prototest.S

	session = []prototest.Part{
		s("4.3\n"), c("JOB,someone,LOW,None\n"), s(work), c("123456,98765.43,Official PC Miner 4.3,shed,,77\n"), s("GOOD\n"),
		c("JOB,someone,LOW,None\n"), s(work), c("499,98000.1,Official PC Miner 4.3,shed,,77\n"), s("BAD,Too fast\n"),
	}
)

const sessionEvent = `"stratum":{"dialect":"duinocoin","coin":"duino-coin","algorithm":"duco-s1","agent":"Official PC Miner 4.3","wallet":"someone","worker":"shed","difficulty":"5000",` +
	`"messages_toserver":4,"messages_toclient":5,"jobs":2,"shares":2,"accepted":1,"rejected":1,"server_version":"4.3","tier":"LOW"}`

func TestSession(t *testing.T) {
	bare := make([]prototest.Part, len(session)) // lines that nothing ends
	for i, p := range session {
		bare[i] = p
		bare[i].Data = []byte(strings.TrimSuffix(string(p.Data), "\n"))
	}
	for _, parts := range [][]prototest.Part{session, bare} {
		for seed := range uint64(40) {
			in := parts
			if seed > 0 {
				in = prototest.Split(seed, parts...)
			}
			r := prototest.Drive(Protocol, prototest.Options{}, in...)
			if r.Err != nil || r.Joined() != sessionEvent || r.AppProto != "stratum" || len(r.Anomalies) > 0 || r.Done != 1 {
				t.Fatalf("seed %d: %+v", seed, r)
			}
		}
	}
}

// judge tells at which line a conversation is mining for certain, -1: never.
func judge(conn proto.Conn, parts ...prototest.Part) (at int, client bool, tx Tx) {
	at = -1
	n := -1
	prototest.Drive(Protocol, prototest.Options{Conn: conn, OnTx: func(x proto.Tx, done bool) {
		n++
		if tx = *x.(*Tx); at < 0 && tx.Mining() {
			at = n
		}
	}}, parts...)
	return at, tx.MinerIsClient(), tx
}

func TestFirst(t *testing.T) {
	mid := proto.Conn{Midstream: true}
	swapped := func(parts []prototest.Part) (out []prototest.Part) {
		for _, p := range parts {
			p.Dir = p.Dir.Reverse()
			out = append(out, p)
		}
		return out
	}
	for name, tt := range map[string]struct {
		conn   proto.Conn
		parts  []prototest.Part
		at     int
		client bool
	}{
		"from the beginning":  {proto.Conn{}, session, 2, true}, // greeting, question, job
		"from a job on":       {mid, session[2:], 1, true},
		"from a share on":     {mid, session[3:], 0, true},
		"swapped":             {mid, swapped(session[3:]), 0, false},
		"in WebSocket":        {proto.Conn{Transport: proto.Message}, session, 2, true},
		"an unknown miner":    {proto.Conn{}, []prototest.Part{s("2.5"), c("JOB,a"), s(work), c("5,,Garage thing,x")}, 2, true},
		"a question alone":    {proto.Conn{}, session[:2], -1, true},
		"a job alone":         {mid, session[2:3], -1, true},
		"an old client":       {proto.Conn{}, []prototest.Part{c("FROM,PC Miner,someone,x\n"), s(work)}, 1, true},
		"a print queue":       {proto.Conn{}, []prototest.Part{s("1.0\n"), c("JOB,alice,LOW\n"), s("OK,queued\n"), c("JOB,bob,HIGH\n"), s("GOOD\n")}, -1, true},
		"a sensor's readings": {proto.Conn{}, []prototest.Part{s("1.0\n"), c("12,34.5,kitchen,ok\n13,34.6,kitchen,ok\n"), s("GOOD\n")}, -1, true},
		"checksums of files":  {mid, []prototest.Part{s(sum1 + "," + sum2 + ",77\n"), c("GET\n"), s(sum2 + "," + sum1 + ",78\n")}, -1, true},
	} {
		if at, client, tx := judge(tt.conn, tt.parts...); at != tt.at || client != tt.client {
			t.Errorf("%s: at %d, client %v, %+v", name, at, client, tx.Marks)
		}
	}
}

func TestEffort(t *testing.T) {
	_, _, tx := judge(proto.Conn{}, session...)
	if e := tx.Effort; e.PerShare != 250000 || e.Work != 250000 || e.Reported != 98000.1 {
		t.Errorf("%+v", e)
	}
}

func TestProbe(t *testing.T) {
	for _, tt := range []struct {
		dir  packet.Dir
		in   string
		want proto.Match
	}{
		{0, "", proto.More}, {0, "J", proto.More}, {0, "JOB,", proto.More}, {0, "JOB,me", proto.Weak}, {0, "JOB,me,LOW", proto.Yes}, {0, "JOB,me,ESP32,None\n", proto.Yes},
		{0, "JOB,me,invoice.pdf\n", proto.Weak}, {0, "JOB,,x\n", proto.No}, {0, "JOBS\n", proto.No}, {0, "FROM,PC Miner,x", proto.Weak}, {0, "12", proto.More},
		{0, "12,3.5,Official PC Miner", proto.Weak}, {0, "12,x,y\n", proto.No}, {0, "GET / HTTP/1.1\r\n", proto.No}, {0, "JO\x00", proto.No}, {0, "J\xff", proto.No},
		{1, "4", proto.More}, {1, "4.", proto.More}, {1, "4.3", proto.Weak}, {1, "4.3\n", proto.Weak}, {1, "10.55", proto.Weak}, {1, "4.3.1\n", proto.No}, {1, "220 x\r\n", proto.No},
		{1, work, proto.Yes}, {1, work[:50], proto.More}, {1, sum1 + ",x\n", proto.No}, {1, sum1 + "," + sum2 + ",0\n", proto.No}, {1, strings.Repeat("a", 300), proto.No},
	} {
		if got := probe(tt.dir, []byte(tt.in)); got != tt.want {
			t.Errorf("%d %q: %d, want %d", tt.dir, tt.in, got, tt.want)
		}
	}
}

func TestLimitsAndGaps(t *testing.T) {
	long := strings.Repeat("x", maxLine+1) + "\n"
	r := prototest.Drive(Protocol, prototest.Options{}, s("4.3\n"), c("JOB,"+long), c("JOB,me,LOW\n"), s(work))
	if len(r.Anomalies) != 1 || r.Anomalies[0] != "message_over_limit" || !strings.Contains(r.Joined(), `"jobs":1`) {
		t.Errorf("%+v", r)
	}
	if r = prototest.Drive(Protocol, prototest.Options{}, c("JOB,"+strings.Repeat("x", 60)+",LOW,"+strings.Repeat("k", maxLine-4-60-5)+"\n"), s(work)); len(r.Anomalies) > 0 || len(r.Events) != 1 {
		t.Errorf("a line of %d bytes: %+v", maxLine, r)
	}
	hole := s("456,77\n" + work)
	hole.Gap = 9
	if r = prototest.Drive(Protocol, prototest.Options{}, c("JOB,me,LOW\n"), s(sum1[:20]), hole); !strings.Contains(r.Joined(), `"jobs":1`) || len(r.Anomalies) > 0 {
		t.Errorf("%+v", r)
	}
}

func TestAllocs(t *testing.T) {
	p := Protocol.New()
	var conn proto.Conn
	conn.OnTx, conn.OnAnomaly = func(proto.Tx, bool) {}, func(string) {}
	if n := testing.AllocsPerRun(100, func() {
		for _, part := range session {
			probe(part.Dir, part.Data)
			if _, err := p.Parse(&conn, part.Dir, part.Data); err != nil {
				t.Fatal(err)
			}
		}
		p.End(&conn)
		p.Reset()
	}); n != 0 {
		t.Errorf("%v allocations in a session, want 0", n)
	}
}

func BenchmarkParse(b *testing.B) {
	p := Protocol.New()
	var conn proto.Conn
	conn.OnTx, conn.OnAnomaly = func(proto.Tx, bool) {}, func(string) {}
	size := 0
	for _, part := range session {
		size += len(part.Data)
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		for _, part := range session {
			_, _ = p.Parse(&conn, part.Dir, part.Data)
		}
		p.End(&conn)
		p.Reset()
	}
}

// FuzzParse: nothing panics, and the cuts change nothing.
func FuzzParse(f *testing.F) {
	for _, p := range session {
		f.Add(p.Data, uint64(1))
	}
	f.Fuzz(func(t *testing.T, b []byte, seed uint64) {
		one := prototest.Drive(Protocol, prototest.Options{}, c(string(b)), s(work))
		two := prototest.Drive(Protocol, prototest.Options{}, append(prototest.Split(seed, c(string(b))), s(work))...)
		if one.Joined() != two.Joined() || one.Err != nil || one.Rest != two.Rest {
			t.Fatalf("%+v\n%+v", one, two)
		}
		probe(packet.ToServer, b)
		probe(packet.ToClient, b)
	})
}
