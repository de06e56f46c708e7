package mining

import (
	"math"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/stratum"
)

// clocked lets a flow's messages pass at their times (seconds) and returns the
// updates that were told of it.
func clocked(t *testing.T, times []int, lines ...string) (out []event.MiningUpdate) {
	t.Helper()
	in := Detector.New()
	more := in.(interface {
		Progress(*proto.Conn, proto.Tx) (*event.MiningUpdate, bool)
	})
	c := proto.Conn{Transport: proto.TCP, ServerPort: 3333, Server: packet.AddrFrom4([]byte{198, 51, 100, 7})}
	found := false
	c.OnAnomaly = func(string) {}
	c.OnTx = func(tx proto.Tx, _ bool) {
		if !found {
			_, found = in.Inspect(nil, &c, tx)
			return
		}
		if u, ok := more.Progress(&c, tx); ok {
			out = append(out, *u)
		}
	}
	p := stratum.Protocol.New()
	for i, part := range talk(lines...) {
		c.Time = 1e18 + int64(times[min(i, len(times)-1)])*1e9
		if _, err := p.Parse(&c, part.Dir, part.Data); err != nil {
			t.Fatal(err)
		}
	}
	p.End(&c)
	return out
}

// TestProgress: a share a minute of 65,536 hashes for half an hour.
func TestProgress(t *testing.T) {
	lines := []string{
		`> {"id":1,"method":"login","params":{"login":"$XMR.attic","pass":"x","agent":"XMRig/6.26.0","algo":["rx/0"]}}`,
		`< {"id":1,"result":{"id":"a","job":{"blob":"$BLOB","job_id":"1","target":"ffff0000","algo":"rx/0"},"status":"OK"},"error":null}`,
	}
	times := []int{0, 0}
	for i := 1; i <= 30; i++ {
		lines = append(lines, `> {"id":2,"method":"submit","params":{"id":"a","job_id":"1","nonce":"00000000","result":"$HASH1"}}`)
		answer := `< {"id":2,"error":null,"result":{"status":"OK"}}`
		if i == 30 {
			answer = `< {"id":2,"error":{"code":-1,"message":"stale"},"result":null}`
		}
		lines = append(lines, answer)
		times = append(times, 60*i, 60*i)
	}
	got := clocked(t, times, lines...)
	if len(got) != 4 { // after 10, 20 and 30 minutes, and at the end
		t.Fatalf("%d updates", len(got))
	}
	for i, u := range got {
		if u.Final != (i == 3) || !u.FromClient || u.Family != "stratum" || u.Detail.Wallet != xmr || u.Detail.Worker != "attic" || u.Detail.Pool != "198.51.100.7:3333" {
			t.Errorf("update %d: %+v", i, u)
		}
	}
	if r := got[0].Detail.Run; r.Shares != 10 || r.Last-r.First != 600e9 {
		t.Errorf("after ten minutes: %+v", r)
	}
	r := got[3].Detail.Run
	if r.Shares != 30 || r.Accepted != 29 || r.Rejected != 1 || r.Jobs != 1 || r.Difficulty != "ffff0000" || r.Last-r.First != int64(30*time.Minute) {
		t.Errorf("%+v", r)
	}
	want := 29 * 65537.0 / 1800
	if math.Abs(r.Rate-want) > want*0.005 || math.Abs(r.RateError-1/math.Sqrt(29)) > 0.001 || r.Solutions || r.Assumed != "" {
		t.Errorf("rate %v ± %v, want %v", r.Rate, r.RateError, want)
	}
	if r.Basis != "randomx" || math.Abs(r.Power[0]-want*5e-3) > 0.1 || math.Abs(r.Energy[1]-want*6e-2/2) > 0.5 || r.Power[0] >= r.Power[1] {
		t.Errorf("%s: %v W, %v Wh", r.Basis, r.Power, r.Energy)
	}
}

func TestEstimate(t *testing.T) {
	for _, tt := range []struct {
		algo  string
		rate  float64
		basis string
	}{
		{"sha256d", 100e12, "sha256d-asic"}, {"sha256d", 500e6, "sha256d-gpu"}, {"sha256d", 80e3, "sha256d-cpu"}, {"sha256d", 0, "sha256d"},
		{"scrypt", 9e9, "scrypt-asic"}, {"scrypt", 40e3, "scrypt-cpu"}, {"randomx", 0, "randomx"}, {"gpu", 5e9, "gpu"}, {"", 7, ""}, {"equihash", 400e3, "equihash-asic"},
	} {
		var r event.MiningRun
		estimate(&r, tt.algo, tt.rate, 2)
		if r.Basis != tt.basis {
			t.Errorf("%s at %v: %s, want %s", tt.algo, tt.rate, r.Basis, tt.basis)
		}
		if r.Basis != "" && (r.Power[0] <= 0 || r.Power[0] >= r.Power[1] || r.Energy[1] != round(2*r.Power[1])) {
			t.Errorf("%s: %+v", r.Basis, r)
		}
	}
	// An S9, a Raspberry Pi 4 and a desktop: makers' data lie within the ranges.
	for _, tt := range []struct {
		algo        string
		rate, watts float64
	}{{"sha256d", 13.5e12, 1320}, {"sha256d", 200e12, 3500}, {"sha256d", 55e3, 1}, {"randomx", 110, 6}, {"randomx", 17e3, 140}, {"ethash", 60e6, 130}, {"scrypt", 9.5e9, 3425}, {"equihash", 420e3, 1510}, {"kheavyhash", 100e9, 65}, {"kawpow", 25e6, 130}} {
		var r event.MiningRun
		if estimate(&r, tt.algo, tt.rate, 1); tt.watts < r.Power[0] || tt.watts > r.Power[1] {
			t.Errorf("%s at %v: %v W, a machine of that rate takes %v", tt.algo, tt.rate, r.Power, tt.watts)
		}
	}
}

func TestBases(t *testing.T) {
	for d := range kinds {
		var s stratum.Session
		s.Is(stratum.Dialect(d))
		if a := algorithm(&s); a != "" && bases[a] == nil {
			t.Errorf("%s: no basis %s", s.Dialect, a)
		}
	}
	for name, list := range bases {
		for i, b := range list {
			if b.watts[0] <= 0 || b.watts[0] >= b.watts[1] || b.joules[0] > b.joules[1] || i > 0 && b.from >= list[i-1].from || i == len(list)-1 && b.from != 0 {
				t.Errorf("%s: %+v", name, b)
			}
		}
	}
}

func TestRound(t *testing.T) {
	for in, want := range map[float64]float64{0: 0, -1: 0, 1234: 1230, 0.0012345: 0.00123, 9996: 10000, math.Inf(1): 0, math.NaN(): 0, 1.5e-11: 1.5e-11} {
		if got := round(in); math.Abs(got-want) > want*1e-9 {
			t.Errorf("%v: %v, want %v", in, got, want)
		}
	}
}

// TestProgressAllocs: a message of a flow that is found costs nothing while
// there is nothing to tell.
func TestProgressAllocs(t *testing.T) {
	in := new(inline)
	c := &proto.Conn{Time: 1e18}
	tx := &stratum.Tx{}
	tx.Seen(1e18)
	tx.Mark(stratum.MarkAgent)
	tx.Mark(stratum.MarkMethod)
	if n := testing.AllocsPerRun(100, func() {
		if _, ok := in.Progress(c, tx); ok {
			t.Fatal("told")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	c.Time += tellEvery
	if u, ok := in.Progress(c, tx); !ok || u.Final {
		t.Errorf("after %d minutes nothing is told", tellEvery/int64(time.Minute))
	}
}
