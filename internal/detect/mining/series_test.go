package mining

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/flow"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/seq"
)

// asks plays n short connections of f's client to a detector: each a request
// and its answer, every so many seconds.
func asks(q *sequence, f *flow.Flow, tag uint32, kind string, n int, every float64, sizes func(i int) (asked, answer int)) (out []event.Finding) {
	now := int64(17e17)
	r := rand.New(rand.NewPCG(8, 9))
	for i := range n {
		var t seq.Tracker
		t.Start(seq.TLS13)
		t.Tag = tag
		now += int64((every + .1*r.Float64()) * 1e9)
		a, b := sizes(i)
		t.Message(now, packet.ToServer, a)
		t.Message(now+50e6, packet.ToClient, b)
		t.Message(now+51e6, packet.ToClient, 2) // the alerts that end it
		t.Flush()
		if found, ok := q.Judge(f, &t, now, true, func() event.DeviceRef { return event.DeviceRef{Kind: kind} }); ok {
			out = append(out, found)
		}
	}
	return out
}

// daemon is what xmrig asks a node: 142 bytes answered by 319, and each fifteen
// seconds 407 answered by 1,159 (recorded), with the waiting transactions of a
// busy chain 64 digits longer for each.
func daemon(busy bool) func(i int) (int, int) {
	r := rand.New(rand.NewPCG(1, 1))
	txs := 0
	return func(i int) (int, int) {
		if i%16 != 0 {
			return 142, 319
		}
		if busy {
			txs = r.IntN(50)
		}
		return 407, 1159 + 64*txs
	}
}

const bare = tagTLS | tagNoName | tagBare | tagOpenSSL

func TestSeries(t *testing.T) {
	grow := func(item int) func(i int) (int, int) {
		n := 0
		return func(i int) (int, int) {
			if i%10 != 0 {
				return 150, 300
			}
			n += 1 + i%3
			return 400, 1500 + item*n
		}
	}
	for _, tt := range []struct {
		name  string
		tag   uint32
		kind  string
		n     int
		every float64
		sizes func(i int) (int, int)
		want  event.Level
		code  string
	}{
		{"xmrig with a node", bare, "computer", 300, 1, daemon(true), event.Likely, "series.steps"},
		{"with a server name", tagTLS, "computer", 300, 1, daemon(true), event.Likely, "series.steps"},
		{"a browser's hello", tagTLS | tagWeb, "computer", 300, 1, daemon(true), event.Suspect, "series.steps"},
		{"for hours", tagTLS | tagWeb, "computer", 4000, 1, daemon(true), event.Likely, "series.hours"},
		{"an idle chain", bare, "computer", 300, 1, daemon(false), event.Suspect, "series.template"},
		{"an idle chain, a camera", bare, "camera", 300, 1, daemon(false), event.Likely, "sequence.device"},
		{"a pool's name", tagTLS | tagPool, "computer", 300, 1, daemon(true), event.Confirmed, "sequence.pool_name"},
		{"too few", bare, "camera", 40, 1, daemon(true), 0, ""},

		{"health check", bare, "nas", 4000, 1, func(int) (int, int) { return 142, 319 }, 0, ""},
		{"health and metrics", tagTLS | tagWeb, "nas", 4000, 1, func(i int) (int, int) {
			if i%15 == 0 {
				return 300, 3000 + i*i%977
			}
			return 142, 319
		}, 0, ""},
		{"lists that grow", tagTLS | tagNoName, "computer", 4000, 1, grow(150), 0, ""},
		{"lists of twice as long entries", tagTLS, "computer", 4000, 1, grow(128), 0, ""},
		{"telemetry", bare, "camera", 4000, 5, func(int) (int, int) { return 600, 180 }, 0, ""},
		{"a wallet", bare, "computer", 2000, 10, func(i int) (int, int) {
			if i%5 == 0 {
				return 300, 200 + i*i*31%9000
			}
			return 160, 1280
		}, 0, ""},
		{"clock", bare, "camera", 2000, 16, func(int) (int, int) { return 120, 240 }, 0, ""},
		{"DNS over HTTPS", tagTLS, "router", 2000, 3, func(i int) (int, int) { return 200, 500 + i*37%600 }, 0, ""},
		{"push", tagTLS | tagWeb, "tv", 2000, 10, func(i int) (int, int) { return 400, 200 + i%20/19*700 }, 0, ""},
	} {
		got := asks(detector(t), ends(1, 2), tt.tag, tt.kind, tt.n, tt.every, tt.sizes)
		if len(got) == 0 {
			if tt.want != 0 {
				t.Errorf("%s: nothing found", tt.name)
			}
			continue
		}
		last := got[len(got)-1]
		sum, has := 0.0, false
		for _, e := range last.Evidence {
			sum += e.Weight
			has = has || e.Code == tt.code
		}
		if last.Level != tt.want || !has || last.SignatureID != 1101 || len(got) > 3 {
			t.Errorf("%s: %d findings, %s with %.1f, want %s by %s: %+v", tt.name, len(got), last.Level, sum, tt.want, tt.code, last.Evidence)
		}
	}
}

// TestSeriesBound: whoever opens connections everywhere is followed so far and
// no further, and does not push out a pair that is in use.
func TestSeriesBound(t *testing.T) {
	q := detector(t)
	i := 0
	got := asks(q, ends(1, 2), bare, "", 200, 1, func(n int) (int, int) {
		for range 10 {
			i++
			q.mem.mu.Lock()
			q.mem.seriesOf(seriesKey{client: addr(1), server: addr(uint32(100 + i))}, int64(16e17)+int64(i))
			q.mem.mu.Unlock()
		}
		return daemon(true)(n)
	})
	if len(q.mem.series) != maxSeries || len(q.mem.seriesAt) != maxSeries {
		t.Errorf("%d series, %d by their ends", len(q.mem.series), len(q.mem.seriesAt))
	}
	if len(got) == 0 {
		t.Error("the miner was forgotten")
	}
}

// TestNoExchange: what is no single request and answer belongs to no series.
func TestNoExchange(t *testing.T) {
	for name, say := range map[string]func(t *seq.Tracker){
		"no answer": func(t *seq.Tracker) { t.Message(1e9, packet.ToServer, 100) },
		"two": func(t *seq.Tracker) {
			for i := range int64(2) {
				t.Message(1e9+i*1e9, packet.ToServer, 100)
				t.Message(1e9+i*1e9+1e8, packet.ToClient, 100)
			}
		},
		"long": func(t *seq.Tracker) {
			t.Message(1e9, packet.ToServer, 100)
			t.Message(12e9, packet.ToClient, 100)
		},
	} {
		var tr seq.Tracker
		tr.Start(seq.TLS13)
		say(&tr)
		tr.Flush()
		if exchange(&tr) {
			t.Errorf("%s: taken for one", name)
		}
	}
}

// TestDropped: when a connection of a series was dropped, the next one of it is
// judged with its first message; and what the device does next is evidence.
func TestDropped(t *testing.T) {
	q := detector(t)
	f := ends(1, 2)
	got := asks(q, f, bare, "", 300, 1, daemon(true))
	if len(got) == 0 || got[len(got)-1].Level != event.Likely {
		t.Fatalf("%+v", got)
	}
	next := func() (event.Finding, bool) {
		var tr seq.Tracker
		tr.Start(seq.TLS13)
		q.Follow(f, &conn, &tr)
		tr.Message(18e17, packet.ToServer, 142)
		if !tr.Due(18e17) {
			return event.Finding{}, false
		}
		return q.Judge(f, &tr, 18e17, false, func() event.DeviceRef { return event.DeviceRef{} })
	}
	if _, ok := next(); ok {
		t.Error("found again though nothing was dropped")
	}
	q.Blocked(f, &got[len(got)-1], 18e17)
	if again, ok := next(); !ok || again.Level != event.Likely {
		t.Errorf("not found again: %+v", again)
	}
}

// TestAfterBlock: a device that turns to another server, or the same, after
// its connection was dropped has that against it; one that waits has not.
func TestAfterBlock(t *testing.T) {
	const begin = int64(17e17) // when the miner of these tests begins
	for _, tt := range []struct {
		server uint32
		at     int64
		from   bool
		want   string
	}{
		{3, begin - 60e9, true, "sequence.after_block"},
		{2, begin - 60e9, true, "sequence.retry"},
		{3, begin - blockFresh - 1e9, true, ""},
		{3, begin + 60e9, true, ""},
		{3, begin - 60e9, false, ""}, // the other end was the miner
	} {
		q := detector(t)
		q.Blocked(ends(1, 2), &event.Finding{Category: event.Mining, FromClient: tt.from}, tt.at)
		got, _ := miner(t, q, ends(1, tt.server), tagTLS, "computer")
		if len(got) == 0 {
			t.Fatal("nothing found")
		}
		codes := ""
		for _, e := range got[len(got)-1].Evidence {
			codes += e.Code + " "
		}
		if has := strings.Contains(codes, "sequence.after_block") || strings.Contains(codes, "sequence.retry"); has != (tt.want != "") || !strings.Contains(codes, tt.want) {
			t.Errorf("%+v: %s", tt, codes)
		}
	}
	q := detector(t)
	q.Blocked(ends(1, 2), &event.Finding{Category: "scan", FromClient: true}, begin)
	if len(q.mem.device) != 0 {
		t.Error("a block for something else was noted")
	}
}
