package engine

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/detect"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/flow"
	"github.com/yamori-net/yamori/internal/match"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/http"
	"github.com/yamori-net/yamori/internal/rules"
	"github.com/yamori-net/yamori/internal/seq"
	"github.com/yamori-net/yamori/internal/verdict"
)

// reader notes what HTTP transactions it is shown, each once in each stage.
type reader struct{ saw *[]string }

func (r reader) Inspect(_ *flow.Flow, _ *proto.Conn, tx proto.Tx) (event.Finding, bool) {
	t, ok := tx.(*http.Tx)
	if !ok {
		return event.Finding{}, false
	}
	s := string(t.Method) + " " + string(t.Path)
	if t.ResponseHead {
		s = fmt.Sprintf("%s %d %d", s, t.Status, len(t.ResponseBody))
	}
	if !slices.Contains(*r.saw, s) {
		*r.saw = append(*r.saw, s)
	}
	return event.Finding{}, false
}

// road is an engine in line, a kernel that does as its verdicts say, and one
// connection over them.
type road struct {
	record string // of the flow, at its end
	t      *testing.T
	e      *Engine
	saw    []string
	end    event.Event // of the flow

	now  int64
	step int64 // time from packet to packet
	seq  [2]uint32
	all  bool
	side [2]bool

	sent, shown [2]int // bytes of payload
}

func newRoad(t *testing.T, mod func(*Config)) *road {
	t.Helper()
	r := &road{t: t, now: 1e18, step: 1e5, seq: [2]uint32{1000, 5000}}
	cfg := Config{Inline: true, Flows: true, Protocols: []proto.Protocol{http.Protocol, alpha.protocol()},
		Detectors: []detect.Detector{{Name: "reader", New: func() detect.Inline { return reader{&r.saw} }}},
		OnPanic:   func(v any, stack []byte) { t.Errorf("panic: %v\n%s", v, stack) },
		Sink: func(int) event.Sink {
			return event.SinkFunc(func(ev *event.Event) {
				if ev.Type == event.Flow {
					r.record = string(new(event.EVE).Append(nil, ev))
					r.end = *ev
				}
			})
		}}
	if mod != nil {
		mod(&cfg)
	}
	var err error
	if r.e, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	r.packet(0, packet.SYN, 999, 0, nil)
	r.packet(1, packet.SYN|packet.ACK, 4999, 1000, nil)
	r.packet(0, packet.ACK, 1000, 5000, nil)
	return r
}

func (r *road) packet(d int, flags uint8, sq, ack uint32, data []byte) {
	r.now += r.step
	r.sent[d] += len(data)
	if r.all && flags&(packet.FIN|packet.RST) == 0 || r.side[d] {
		return
	}
	r.shown[d] += len(data)
	b := frame(packet.ProtoTCP, d == 1, 80, flags, sq, ack, data)
	v := r.e.Workers[0].Handle(&packet.Frame{Time: r.now, Data: b, Len: len(b), Link: packet.LinkEthernet})
	if v.Action != verdict.Accept {
		return
	}
	switch v.Scope {
	case verdict.Flow:
		r.all = true
	case verdict.Side:
		r.side[d] = true
	case verdict.Back:
		r.side = [2]bool{}
	}
}

// say sends text from one side; the other acknowledges every second segment.
func (r *road) say(d int, text string) {
	for i := 0; len(text) > 0; i++ {
		piece := text[:min(1448, len(text))]
		text = text[len(piece):]
		r.packet(d, packet.ACK|packet.PSH, r.seq[d], r.seq[d^1], []byte(piece))
		r.seq[d] += uint32(len(piece))
		if i%2 == 1 || text == "" {
			r.packet(d^1, packet.ACK, r.seq[d^1], r.seq[d], nil)
		}
	}
}

func (r *road) close() Stats {
	for d := range 2 {
		r.packet(d, packet.ACK|packet.FIN, r.seq[d], r.seq[d^1], nil)
		r.seq[d]++
	}
	r.packet(0, packet.ACK, r.seq[0], r.seq[1], nil)
	r.e.Close()
	w := r.e.Workers[0]
	if held := w.pool.Stats().HeldBytes; held != 0 || w.bufs.used != 0 || w.parserBytes != 0 || w.live != 0 {
		r.t.Errorf("left behind: %d bytes of streams, %d held, %d of parsers, %d flows", held, w.bufs.used, w.parserBytes, w.live)
	}
	return r.e.Stats()
}

const (
	ask   = "GET %s HTTP/1.1\r\nHost: h\r\n\r\n"
	small = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
)

var bulk = strings.Repeat("0123456789abcdef", 8<<20/16)

func answer(n int) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", n, bulk[:n])
}

func chunked(n int) string {
	var b strings.Builder
	b.WriteString("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
	for n > 0 {
		k := min(n, 10000)
		fmt.Fprintf(&b, "%x\r\n%s\r\n", k, bulk[:k])
		n -= k
	}
	return b.String() + "0\r\n\r\n"
}

// TestLetGoSide: the body of a large message goes by, what comes before and
// after it on the same connection does not.
func TestLetGoSide(t *testing.T) {
	const n = 8 << 20
	get := func(path string) string { return fmt.Sprintf(ask, path) }
	put := fmt.Sprintf("PUT /up HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n", n) + bulk
	after := []string{"GET /bad", "GET /bad 200 0", "GET /bad 200 5"}
	for _, tt := range []struct {
		name string
		run  func(*road)
		saw  []string
		most float64 // share of the bytes that may be inspected
		back uint64
		step int64
	}{
		{"a length", func(r *road) { r.say(0, get("/file")); r.say(1, answer(n)); r.say(0, get("/bad")); r.say(1, small) },
			append([]string{"GET /file", "GET /file 200 0", "GET /file 200 16384"}, after...), 0.02, 1, 0},
		{"twice", func(r *road) {
			r.say(0, get("/file"))
			r.say(1, answer(n))
			r.say(0, get("/more"))
			r.say(1, answer(n))
			r.say(0, get("/bad"))
			r.say(1, small)
		}, append([]string{"GET /file", "GET /file 200 0", "GET /file 200 16384", "GET /more", "GET /more 200 0", "GET /more 200 16384"}, after...), 0.02, 2, 0},
		{"chunks", func(r *road) { r.say(0, get("/file")); r.say(1, chunked(n)); r.say(0, get("/bad")); r.say(1, small) },
			append([]string{"GET /file", "GET /file 200 0", "GET /file 200 16384"}, after...), 0.02, 1, 0},
		{"until the end", func(r *road) { r.say(0, get("/file")); r.say(1, "HTTP/1.1 200 OK\r\n\r\n"+bulk) },
			[]string{"GET /file", "GET /file 200 0", "GET /file 200 16384"}, 0.02, 0, 0},
		{"an upload", func(r *road) { r.say(0, put); r.say(1, small); r.say(0, get("/bad")); r.say(1, small) },
			append([]string{"PUT /up", "PUT /up 200 0", "PUT /up 200 5"}, after...), 0.02, 1, 0},
		{"the client speaks in the middle", func(r *road) {
			r.say(0, get("/file"))
			a := answer(n)
			r.say(1, a[:n/2])
			r.say(0, get("/bad"))
			r.say(1, a[n/2:])
			r.say(1, small)
		}, append([]string{"GET /file", "GET /file 200 0", "GET /file 200 16384"}, after...), 0.52, 1, 0},
		{"another answer is awaited", func(r *road) {
			r.say(0, get("/file")+get("/bad"))
			r.say(1, answer(n))
			r.say(1, small)
		}, []string{"GET /file", "GET /bad", "GET /file 200 0", "GET /file 200 16384", "GET /bad 200 0", "GET /bad 200 5"}, 1, 0, 0},
		{"slow", func(r *road) { r.say(0, get("/file")); r.say(1, answer(n)); r.say(0, get("/bad")); r.say(1, small) },
			append([]string{"GET /file", "GET /file 200 0", "GET /file 200 16384"}, after...), 1, 0, 1e8},
		{"small", func(r *road) {
			r.say(0, get("/file"))
			r.say(1, answer(300<<10))
			r.say(0, get("/bad"))
			r.say(1, small)
		},
			append([]string{"GET /file", "GET /file 200 0", "GET /file 200 16384"}, after...), 1, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRoad(t, nil)
			if tt.step > 0 {
				r.step = tt.step
			}
			tt.run(r)
			st := r.close()
			if !slices.Equal(r.saw, tt.saw) {
				t.Errorf("saw %q, want %q", r.saw, tt.saw)
			}
			share := float64(r.shown[0]+r.shown[1]) / float64(r.sent[0]+r.sent[1])
			if share > tt.most || tt.most == 1 && share < 1 {
				t.Errorf("%.1f %% inspected, want at most %.1f", 100*share, 100*tt.most)
			}
			if st.Recalled != tt.back || st.Gaps != 0 || st.Apps["http"].LetGo[LetGoSide] != st.Released || tt.most < 1 && st.Released == 0 {
				t.Errorf("taken back %d times, want %d; let go of %d times; %d gaps", st.Recalled, tt.back, st.Released, st.Gaps)
			}
			// What went by is counted, without its headers.
			a := st.Apps["http"]
			if all := uint64(r.sent[0] + r.sent[1]); a.Flows != 1 || a.Bytes < all || a.Bytes > all+all/10+2000 || a.Unseen-uint64(r.sent[0]+r.sent[1]-r.shown[0]-r.shown[1]) > 1 { // the number of a FIN
				t.Errorf("%+v of %d bytes, %d of them seen", a, all, r.shown[0]+r.shown[1])
			}
		})
	}
}

// TestLetGoInFlight: what is on its way when a side is taken back lies behind a
// hole that nobody has acknowledged yet; it is no loss, and what follows the body
// is read.
func TestLetGoInFlight(t *testing.T) {
	r := newRoad(t, nil)
	r.say(0, fmt.Sprintf(ask, "/file"))
	a := answer(1 << 20)
	r.say(1, a[:512<<10])
	if !r.side[1] {
		t.Fatal("it is not let go of")
	}
	rest := a[512<<10:]
	send := func(n int) { // without an acknowledgement
		for n = min(n, len(rest)); n > 0; {
			piece := rest[:min(n, 1448)]
			rest, n = rest[len(piece):], n-len(piece)
			r.packet(1, packet.ACK, r.seq[1], r.seq[0], []byte(piece))
			r.seq[1] += uint32(len(piece))
		}
	}
	acked := r.seq[1]
	send(100 << 10) // goes by
	next := fmt.Sprintf(ask, "/bad")
	r.packet(0, packet.ACK|packet.PSH, r.seq[0], acked, []byte(next))
	r.seq[0] += uint32(len(next))
	if r.side[1] {
		t.Fatal("it is not taken back")
	}
	send(100 << 10) // is held: 100 kB before it are missing
	r.packet(0, packet.ACK, r.seq[0], r.seq[1], nil)
	send(len(rest))
	r.packet(0, packet.ACK, r.seq[0], r.seq[1], nil)
	r.say(1, small)
	st := r.close()
	want := []string{"GET /file", "GET /file 200 0", "GET /file 200 16384", "GET /bad", "GET /bad 200 0", "GET /bad 200 5"}
	if !slices.Equal(r.saw, want) || st.Gaps != 0 || st.Recalled != 1 || st.Released != 1 {
		t.Errorf("saw %q, %d gaps, let go of %d times, taken back %d times", r.saw, st.Gaps, st.Released, st.Recalled)
	}
}

// TestLetGoTakenUp: a connection that is taken up in the middle may be one of
// which an earlier engine let a side go.
func TestLetGoTakenUp(t *testing.T) {
	r := newRoad(t, nil)
	b := frame(packet.ProtoTCP, false, 8080, packet.ACK, 7000, 9000, nil) // other ports: no SYN was seen
	for i, want := range []verdict.Scope{verdict.Back, verdict.Packet} {
		r.now += r.step
		if v := r.e.Workers[0].Handle(&packet.Frame{Time: r.now, Data: b, Len: len(b), Link: packet.LinkEthernet}); v.Scope != want {
			t.Errorf("packet %d: %+v", i, v)
		}
	}
}

// TestLetGoRules: while a rule may still match, everything is looked at.
func TestLetGoRules(t *testing.T) {
	rs, _ := rules.Parse("t.rules", strings.NewReader(`alert tcp any any -> any any (msg:"far"; content:"needle"; sid:1;)`), rules.ParseConfig{Vars: rules.DefaultVars()})
	set, problems := match.Compile(rs, match.Options{Protocols: []proto.Protocol{http.Protocol, alpha.protocol()}})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	r := newRoad(t, func(c *Config) { c.Rules = set })
	r.say(0, fmt.Sprintf(ask, "/file"))
	body := []byte(answer(8 << 20))
	copy(body[900<<10:], "needle")
	r.say(1, string(body))
	st := r.close()
	if st.Alerts != 1 || r.shown[1] < match.StreamDepth || r.shown[1] > match.StreamDepth+SideSeen+8192 {
		t.Errorf("%d alerts, %d bytes inspected", st.Alerts, r.shown[1])
	}
}

// TestLetGoParsed: bulk of a protocol that cannot say where it ends is let go
// of late, when it is quick; what is slow stays for good.
func TestLetGoParsed(t *testing.T) {
	line := "ALPHA " + strings.Repeat("x", 1400) + "\n"
	for _, tt := range []struct {
		step  int64
		lines int
		want  bool
	}{{1e5, ReleaseParsed/1400 + 10, true}, {1e5, ReleaseParsed/1400 - 1300, false}, {1e8, ReleaseParsed/1400 + 10, false}} {
		r := newRoad(t, nil)
		r.step = tt.step
		r.say(0, line)
		r.say(1, "re:"+line)
		for range tt.lines {
			r.say(1, line)
		}
		if r.all != tt.want {
			t.Errorf("%+v: let go of: %v", tt, r.all)
		}
		for range 100 {
			r.say(1, line)
		}
		st := r.close()
		if strings.Contains(r.record, `"state":"bypassed"`) != tt.want {
			t.Errorf("%+v: %s", tt, r.record)
		}
		a := st.Apps["alpha"]
		if tt.want != (a.LetGo[LetGoParsed] == 1) || a.Bytes < uint64(r.sent[0]+r.sent[1]) || a.Unseen != uint64(r.sent[0]+r.sent[1]-r.shown[0]-r.shown[1]) {
			t.Errorf("%+v: %+v, %d sent, %d shown", tt, a, r.sent, r.shown)
		}
	}
}

// watcher follows every flow and never has enough.
type watcher struct{ badWord }

func (watcher) Follow(*flow.Flow, *proto.Conn, *seq.Tracker) bool { return true }
func (watcher) Judge(*flow.Flow, *seq.Tracker, int64, bool, func() event.DeviceRef) (event.Finding, bool) {
	return event.Finding{}, false
}

// TestLetGoWatched: who is followed for the times of messages is not let go of
// for the age of the flow, only when it carries what no miner does.
func TestLetGoWatched(t *testing.T) {
	follow := func(c *Config) {
		c.Detectors = []detect.Detector{{Name: "w", New: func() detect.Inline { return watcher{} }}}
	}
	r := newRoad(t, follow)
	r.say(0, "what is this\n")
	r.say(1, "nobody knows\n")
	r.step = 7e9 // a message every few seconds, for two days
	for i := range 50000 {
		r.say(i%5/4, strings.Repeat("y", 200))
	}
	if r.all || r.side != [2]bool{} {
		t.Error("slow messages are let go of")
	}
	// Many small messages: a game, which no miner looks like.
	r = newRoad(t, follow)
	r.say(0, "what is this\n")
	r.say(1, "nobody knows\n")
	r.step = 2e7
	carried := func() int { return r.sent[0] + r.sent[1] }
	for i := 0; carried() < ReleaseAnyway/4; i++ {
		r.say(i%2, strings.Repeat("y", 70))
	}
	if r.all {
		t.Error("let go of before it is certain")
	}
	for i := 0; carried() < ReleaseAnyway; i++ {
		r.say(i%2, strings.Repeat("y", 70))
	}
	if st := r.close(); !r.all || st.Apps["failed"].LetGo[LetGoWatched] != 1 {
		t.Errorf("many messages stay: %+v", st.Apps)
	}
	// And without anybody who follows: the content is over at once.
	r = newRoad(t, nil)
	r.say(0, "what is this\n")
	r.say(1, "nobody knows\n")
	r.say(1, bulk[:ReleaseBytes+8192])
	if st := r.close(); st.Apps["failed"].LetGo[LetGoOver] != 1 {
		t.Errorf("%+v", st.Apps)
	}
}

// TestLetGoAllocs: a large download costs nothing a packet.
func TestLetGoAllocs(t *testing.T) {
	r := newRoad(t, func(c *Config) { c.Detectors = nil })
	r.say(0, fmt.Sprintf(ask, "/file"))
	r.say(1, fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", 1<<40)+bulk[:128<<10])
	if !r.side[1] {
		t.Fatal("it is not let go of")
	}
	b := frame(packet.ProtoTCP, false, 80, packet.ACK, r.seq[0], r.seq[1], nil)
	f := packet.Frame{Data: b, Len: len(b), Link: packet.LinkEthernet}
	if n := testing.AllocsPerRun(1000, func() {
		r.seq[1] += 2896
		ack := r.seq[1]
		copy(b[14+20+8:], []byte{byte(ack >> 24), byte(ack >> 16), byte(ack >> 8), byte(ack)})
		r.now += r.step
		f.Time = r.now
		r.e.Workers[0].Handle(&f)
	}); n != 0 {
		t.Errorf("%v allocations a packet", n)
	}
	if got := r.e.Workers[0].table.Stats().Current; got != 1 {
		t.Errorf("%d flows", got)
	}
}
