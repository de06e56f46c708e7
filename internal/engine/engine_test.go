package engine

import (
	"fmt"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

var (
	alpha = lines{name: "alpha", magic: "ALPHA", mode: proto.Yes}
	beta  = lines{name: "beta", magic: "BETA", mode: proto.Yes}
	weak  = lines{name: "weak", magic: "WEAK", mode: proto.Weak, ports: []uint16{7}}
)

func ev(name, line string) string { return fmt.Sprintf(`"%s":{"line":"%s"}`, name, line) }

func TestYesOnAnyPort(t *testing.T) {
	w := newWorld(t, nil, beta, alpha)
	w.open(12345)
	w.c(12345, "AL")
	w.c(12345, "PHA one\nALPHA t")
	w.s(12345, "answer\n")
	w.c(12345, "wo\n")
	w.done(ev("alpha", ">ALPHA one"), ev("alpha", "<answer"), ev("alpha", ">ALPHA two"), "flow alpha")
}

func TestWeak(t *testing.T) {
	t.Run("own port", func(t *testing.T) {
		w := newWorld(t, nil, weak)
		w.open(7)
		w.c(7, "WEAK one\n")
		w.done(ev("weak", ">WEAK one"), "flow weak")
	})
	t.Run("both directions", func(t *testing.T) {
		w := newWorld(t, nil, weak)
		w.open(8)
		w.c(8, "WEAK one\n")
		w.s(8, "re:WEAK two\n")
		w.done(ev("weak", ">WEAK one"), ev("weak", "<re:WEAK two"), "flow weak")
	})
	t.Run("one direction elsewhere", func(t *testing.T) {
		w := newWorld(t, nil, weak)
		w.open(8)
		w.c(8, "WEAK one\n")
		w.s(8, "something else\n")
		w.done("flow failed")
	})
	t.Run("a Yes comes first", func(t *testing.T) {
		sure := lines{name: "sure", magic: "WEAK", mode: proto.Yes}
		w := newWorld(t, nil, weak, sure)
		w.open(8)
		w.c(8, "WEAK one\n")
		w.done(ev("sure", ">WEAK one"), "flow sure")
	})
}

func TestServerFirst(t *testing.T) {
	w := newWorld(t, nil, alpha)
	w.open(9)
	w.s(9, "re:ALPHA hello\n")
	w.c(9, "hi\n")
	w.done(ev("alpha", "<re:ALPHA hello"), ev("alpha", ">hi"), "flow alpha")
}

// The side that does not tell what it is has its bytes kept for the parser.
func TestHeldWhileProbing(t *testing.T) {
	w := newWorld(t, nil, alpha)
	w.open(9)
	w.c(9, "AL")
	w.s(9, "re:ALPHA hello\n")
	w.c(9, "L of it\n")
	w.done(ev("alpha", "<re:ALPHA hello"), ev("alpha", ">ALL of it"), "flow alpha")
}

func TestUnrecognised(t *testing.T) {
	w := newWorld(t, nil, alpha, beta)
	w.open(9)
	w.c(9, "what is this\n")
	w.s(9, "nobody knows\n")
	w.c(9, "ALPHA too late\n")
	w.done("flow failed")
}

func TestSwitch(t *testing.T) {
	t.Run("named", func(t *testing.T) {
		w := newWorld(t, nil, alpha, beta)
		w.open(9)
		w.c(9, "ALPHA one\nswitch beta\nanything\n")
		w.s(9, "goes\n")
		w.done(ev("alpha", ">ALPHA one"), ev("alpha", ">switch beta"), ev("beta", ">anything"), ev("beta", "<goes"), "flow beta from alpha")
	})
	t.Run("by content", func(t *testing.T) {
		w := newWorld(t, nil, alpha, beta)
		w.open(9)
		w.c(9, "ALPHA one\nswitch \nBETA two\n")
		w.done(ev("alpha", ">ALPHA one"), ev("alpha", ">switch "), ev("beta", ">BETA two"), "flow beta from alpha")
	})
	t.Run("early bytes of the other side", func(t *testing.T) {
		w := newWorld(t, nil, alpha, beta)
		w.open(9)
		w.c(9, "ALPHA wait\nBETA early\n")
		w.s(9, "re: hello\n")
		w.s(9, "switch \n")
		w.done(ev("alpha", ">ALPHA wait"), ev("alpha", "<re: hello"), ev("alpha", "<switch "), ev("beta", ">BETA early"), "flow beta from alpha")
	})
	t.Run("too often", func(t *testing.T) {
		w := newWorld(t, nil, alpha)
		w.open(9)
		w.c(9, "ALPHA\n"+strings.Repeat("switch alpha\n", MaxSwitches+2))
		w.e.Close()
		if got := strings.Join(w.events, "\n"); !strings.Contains(got, "too_many_switches") || strings.Count(got, "switch alpha") != MaxSwitches+1 {
			t.Error(got)
		}
	})
}

func TestWake(t *testing.T) {
	w := newWorld(t, nil, alpha)
	w.open(9)
	w.c(9, "ALPHA wait\n")
	w.c(9, "second\n")
	w.s(9, "re: go on\n")
	w.done(ev("alpha", ">ALPHA wait"), ev("alpha", "<re: go on"), ev("alpha", ">second"), "flow alpha")
}

func TestFinishStopsParsing(t *testing.T) {
	w := newWorld(t, nil, alpha)
	w.open(9)
	w.c(9, "ALPHA finish\n")
	w.c(9, "unseen\n")
	if w.e.Workers[0].Snapshot(); len(w.e.Workers[0].conns) != 1 {
		t.Error("the finished flow keeps its streams")
	}
	w.done(ev("alpha", ">ALPHA finish"), "flow alpha")
}

func TestParserError(t *testing.T) {
	w := newWorld(t, nil, alpha)
	w.open(9)
	w.c(9, "ALPHA\nthis is an error\nunseen\n")
	w.done(ev("alpha", ">ALPHA"), `"anomaly":{"app_proto":"alpha","type":"applayer","event":"parser_error","layer":"proto_parser"}`, "flow alpha")
}

func TestPanicCostsOneFlow(t *testing.T) {
	w := newWorld(t, nil, alpha)
	w.open(9)
	w.c(9, "ALPHA panic\n")
	w.c(9, "ALPHA unseen\n")
	w.open(10)
	w.c(10, "ALPHA other\n")
	w.done(ev("alpha", ">ALPHA other"), "flow alpha", "flow alpha")
	if st := w.e.Stats(); w.panics != 1 || st.Panics != 1 {
		t.Errorf("%d panics reported, %d counted", w.panics, st.Panics)
	}
}

func TestLimit(t *testing.T) {
	small := alpha
	small.limit = 64
	w := newWorld(t, nil, small)
	w.open(9)
	w.c(9, "ALPHA one\n"+strings.Repeat("x", 64))
	w.c(9, "y")
	w.c(9, "\nALPHA unseen\n")
	w.done(ev("alpha", ">ALPHA one"), `"anomaly":{"app_proto":"alpha","type":"applayer","event":"limit","layer":"proto_parser"}`, "flow alpha")
}

func TestHeldMemory(t *testing.T) {
	big := alpha
	big.limit = 1 << 20
	w := newWorld(t, func(c *Config) { c.HeldMemory = 2048 }, big)
	w.open(9)
	w.c(9, "ALPHA one\n")
	for range 5 {
		w.c(9, strings.Repeat("x", 700))
	}
	w.done(ev("alpha", ">ALPHA one"), `"anomaly":{"app_proto":"alpha","type":"applayer","event":"memory_limit","layer":"proto_parser"}`, "flow alpha")
	if w.e.Stats().HeldLimit != 1 {
		t.Error("not counted")
	}
}

func TestAnomaliesAreBounded(t *testing.T) {
	w := newWorld(t, nil, alpha)
	w.open(9)
	w.c(9, "ALPHA\n"+strings.Repeat("odd\n", 3*MaxFlowAnomalies))
	w.e.Close()
	if n := strings.Count(strings.Join(w.events, "\n"), "odd_line"); n != MaxFlowAnomalies {
		t.Errorf("%d anomaly events, want %d", n, MaxFlowAnomalies)
	}
	if n := w.e.Stats().Anomalies; n != 3*MaxFlowAnomalies {
		t.Errorf("%d anomalies counted", n)
	}
}

func TestFindingOncePerFlow(t *testing.T) {
	w := newWorld(t, nil, alpha)
	w.open(9)
	w.c(9, "ALPHA bad\nvery bad\n")
	w.done("alert bad", ev("alpha", ">ALPHA bad"), ev("alpha", ">very bad"), "flow alpha")
}

func TestCarriedMessages(t *testing.T) {
	in := lines{name: "inner", magic: "INNER", mode: proto.Yes, on: proto.Message}
	w := newWorld(t, nil, alpha, in)
	w.open(9)
	w.c(9, "ALPHA\ncarry nonsense\ncarry INNER bad\ncarry more\n")
	w.done(ev("alpha", ">ALPHA"), ev("alpha", ">carry nonsense"),
		"alert bad", ev("inner", ">INNER bad"), ev("alpha", ">carry INNER bad"),
		ev("inner", ">more"), ev("alpha", ">carry more"), "flow alpha")
}

func TestMidstream(t *testing.T) {
	t.Run("as guessed", func(t *testing.T) {
		w := newWorld(t, nil, alpha)
		w.c(9, "ALPHA one\n")
		w.done(ev("alpha", ">ALPHA one"), "flow alpha")
	})
	t.Run("reversed", func(t *testing.T) {
		w := newWorld(t, nil, alpha)
		// The server's port is the higher one, so the guess is wrong.
		w.s(50000, "re:ALPHA one\n")
		w.c(50000, "two\n")
		w.done(ev("alpha", "<re:ALPHA one"), ev("alpha", ">two"), "flow alpha")
	})
	t.Run("reversed though another protocol could still come", func(t *testing.T) {
		w := newWorld(t, nil, alpha, lines{name: "long", magic: "re:ALPHA one, and more that may come", mode: proto.Yes})
		w.s(50000, "re:ALPHA one\n")
		w.c(50000, "two\n")
		w.done(ev("alpha", "<re:ALPHA one"), ev("alpha", ">two"), "flow alpha")
	})
}

func TestGap(t *testing.T) {
	w := newWorld(t, nil, alpha)
	w.open(9)
	w.c(9, "ALPHA one\nhalf")
	w.handle(frame(6, false, 9, packet.ACK, 1000+14+100, 5000, []byte("after\n"))) // 100 bytes missing
	w.handle(frame(6, true, 9, packet.ACK, 5000, 1000+14+106, []byte("answer\n"))) // which the server has
	w.done(ev("alpha", ">ALPHA one"), ev("alpha", "gap 0 100"), ev("alpha", ">after"), ev("alpha", "<answer"), "flow alpha")
}

func TestOutOfOrderStart(t *testing.T) {
	w := newWorld(t, nil, alpha)
	w.open(9)
	w.handle(frame(6, false, 9, packet.ACK, 1003, 5000, []byte("HA one\n")))
	w.handle(frame(6, false, 9, packet.ACK, 1000, 5000, []byte("ALP")))
	w.done(ev("alpha", ">ALPHA one"), "flow alpha")
}

func TestUDP(t *testing.T) {
	u := lines{name: "udp", magic: "UDP", mode: proto.Yes, on: proto.UDP}
	t.Run("later datagram tells", func(t *testing.T) {
		w := newWorld(t, nil, u)
		w.handle(frame(17, false, 9, 0, 0, 0, []byte("junk")))
		w.handle(frame(17, false, 9, 0, 0, 0, []byte("UDP one")))
		w.handle(frame(17, true, 9, 0, 0, 0, []byte("two")))
		w.done(ev("udp", ">UDP one"), ev("udp", "<two"), "flow udp")
	})
	t.Run("answer seen first", func(t *testing.T) {
		w := newWorld(t, nil, u)
		w.handle(frame(17, true, 9, 0, 0, 0, []byte("re:UDP one")))
		w.done(ev("udp", "<re:UDP one"), "flow udp")
	})
	t.Run("malformed ones are bounded", func(t *testing.T) {
		w := newWorld(t, nil, u)
		w.handle(frame(17, false, 9, 0, 0, 0, []byte("UDP one")))
		for range 2 * MaxDatagramErrors {
			w.handle(frame(17, false, 9, 0, 0, 0, []byte("error")))
		}
		w.e.Close()
		if n := w.e.Stats().Anomalies; n != MaxDatagramErrors {
			t.Errorf("%d errors, want %d", n, MaxDatagramErrors)
		}
	})
	t.Run("rest of the datagram after a switch", func(t *testing.T) {
		two := lines{name: "two", magic: "TWO", mode: proto.Yes, on: proto.UDP}
		w := newWorld(t, nil, u, two)
		w.handle(frame(17, false, 9, 0, 0, 0, []byte("UDP one")))
		w.handle(frame(17, false, 9, 0, 0, 0, []byte("switch \nTWO in it")))
		w.handle(frame(17, true, 9, 0, 0, 0, []byte("and on")))
		w.done(ev("udp", ">UDP one"), ev("udp", ">switch "), ev("two", ">TWO in it"), ev("two", "<and on"), "flow two from udp")
	})
	t.Run("given up", func(t *testing.T) {
		w := newWorld(t, nil, u)
		for range ProbeDatagrams {
			w.handle(frame(17, false, 9, 0, 0, 0, []byte("junk")))
		}
		w.handle(frame(17, false, 9, 0, 0, 0, []byte("UDP too late")))
		w.done("flow failed")
	})
}

func TestBadTables(t *testing.T) {
	for name, ps := range map[string][]proto.Protocol{
		"twice":    {alpha.protocol(), alpha.protocol()},
		"no name":  {{New: func() proto.Parser { return nil }}},
		"too many": many(maxCandidates + 1),
	} {
		if _, err := New(Config{Protocols: ps}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func many(n int) (out []proto.Protocol) {
	for i := range n {
		l := alpha
		l.name = fmt.Sprint("p", i)
		out = append(out, l.protocol())
	}
	return out
}

// A flood of flows with content: those in which both sides speak are still
// looked into, memory stays as it is, and what is shed is counted.
func TestFloodOfConns(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.MaxConns = 50; c.MaxFlows = 100000 }, alpha)
	w.open(9)
	w.c(9, "ALPHA one\n")
	w.s(9, "answer\n")
	for i := range 5000 {
		b := frame(6, false, 10, packet.ACK, 1000, 1, []byte("ALPHA flood"))
		b[28], b[29] = byte(i>>8), byte(i)
		w.handle(b)
	}
	w.c(9, "ALPHA bad\n")
	if st := w.e.Workers[0]; st.live != 50 || st.n.Shed != 4951 || len(st.conns) > 50 {
		t.Errorf("%d conns, %d shed, %d pooled", st.live, st.n.Shed, len(st.conns))
	}
	w.e.Close()
	if !strings.Contains(strings.Join(w.events, "\n"), "alert bad") {
		t.Error("the talking flow was shed")
	}
	if w.e.Workers[0].live != 0 {
		t.Error("conns are left")
	}
}

// greedy is a parser that keeps everything it is given.
type greedy struct {
	lineParser
	kept []byte
}

func (g *greedy) Parse(c *proto.Conn, d packet.Dir, b []byte) (int, error) {
	g.kept = append(g.kept, b...)
	return len(b), nil
}
func (g *greedy) Size() int { return len(g.kept) }
func (g *greedy) Reset()    { g.kept = nil }

func TestParserMemory(t *testing.T) {
	w := newWorld(t, func(c *Config) {
		c.ParserMemory = 10000
		c.Protocols[0].New = func() proto.Parser { return &greedy{} }
	}, alpha)
	for port := uint16(9); port < 19; port++ {
		w.open(port)
		w.c(port, "ALPHA")
		for range 20 {
			w.c(port, strings.Repeat("x", 100))
		}
	}
	wk := w.e.Workers[0]
	if wk.parserBytes > 10000 || wk.n.ParserLimit == 0 {
		t.Errorf("%d bytes, %d given up", wk.parserBytes, wk.n.ParserLimit)
	}
	w.e.Close()
	if wk.parserBytes != 0 {
		t.Errorf("%d bytes left", wk.parserBytes)
	}
}

// One flow is given up when its parsers hold more than their share, however
// much room there is; the others go on.
func TestParserShare(t *testing.T) {
	w := newWorld(t, func(c *Config) {
		c.ParserMemory = 32 << 20
		c.Protocols[0].New = func() proto.Parser { return &greedy{} }
	}, alpha)
	w.open(9)
	w.open(10)
	w.c(9, "ALPHA")
	w.c(10, "ALPHA")
	wk := w.e.Workers[0]
	most, data := 0, strings.Repeat("x", 1000)
	for wk.n.ParserLimit == 0 && most < 32<<20 {
		w.c(9, data)
		most = max(most, wk.parserBytes)
	}
	if want := 32 << 20 / maxShare; most < want-2000 || most > want+2000 || wk.n.ParserLimit != 1 {
		t.Errorf("a flow held %d bytes of parsers, want %d; %d given up", most, want, wk.n.ParserLimit)
	}
	w.c(10, data)
	if wk.parserBytes != 1005 {
		t.Errorf("the other flow holds %d bytes", wk.parserBytes)
	}
	for budget, want := range map[int]int{1000: 1000, 1 << 20: minFlowMemory, 64 << 20: 4 << 20} {
		if n := flowShare(budget); n != want {
			t.Errorf("of %d bytes a flow may hold %d, want %d", budget, n, want)
		}
	}
}

// Parsers of carried messages count as well.
func TestParserMemoryInner(t *testing.T) {
	in := lines{name: "inner", magic: "INNER", mode: proto.Yes, on: proto.Message}
	w := newWorld(t, func(c *Config) {
		c.ParserMemory = 1000
		c.Protocols[1].New = func() proto.Parser { return &greedy{} }
	}, alpha, in)
	w.open(9)
	w.c(9, "ALPHA\n")
	for range 20 {
		w.c(9, "carry INNER"+strings.Repeat("x", 100)+"\n")
	}
	wk := w.e.Workers[0]
	if wk.n.ParserLimit != 1 || wk.parserBytes != 0 {
		t.Errorf("%d bytes, %d given up", wk.parserBytes, wk.n.ParserLimit)
	}
	w.e.Close()
}

// hoarder is a parser whose Reset keeps everything.
type hoarder struct{ greedy }

func (h *hoarder) Reset() {}

// The parsers that wait for flows are few and hold little.
func TestFreeParsers(t *testing.T) {
	w := newWorld(t, func(c *Config) {
		c.Protocols[0].New = func() proto.Parser { return &hoarder{} }
	}, alpha, weak)
	wk := w.e.Workers[0]
	for range 20 {
		wk.putParser(0, &hoarder{greedy{kept: make([]byte, 1<<20)}})
	}
	if n := len(wk.parsers[0]); n != maxFreeBytes>>20 || wk.freeBytes != maxFreeBytes {
		t.Errorf("%d parsers, %d bytes", n, wk.freeBytes)
	}
	for range 20 {
		wk.getParser(0)
	}
	if wk.freeBytes != 0 {
		t.Errorf("%d bytes left", wk.freeBytes)
	}
	for range 2 * maxFreeParsers {
		wk.putParser(1, &lineParser{})
	}
	if n := len(wk.parsers[1]); n != maxFreeParsers {
		t.Errorf("%d parsers", n)
	}
}

// In steady state a packet costs no allocation, whatever it is.
func TestNoAllocs(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Sink = nil; c.Flows = false }, alpha, weak)
	wk := w.e.Workers[0]
	w.open(9)
	w.c(9, "ALPHA one\n")
	seq := uint32(1010)
	data := frame(6, false, 9, packet.ACK, 0, 5000, []byte("half a line "))
	ack := frame(6, true, 9, packet.ACK, 5000, 0, nil)
	udp := frame(17, false, 53, 0, 0, 0, []byte("not recognised"))
	f := packet.Frame{Link: packet.LinkEthernet, Time: w.now}
	send := func(b []byte) {
		f.Time += 1000
		f.Data, f.Len = b, len(b)
		wk.Handle(&f)
	}
	put := func(b []byte, s uint32) {
		b[38], b[39], b[40], b[41] = byte(s>>24), byte(s>>16), byte(s>>8), byte(s)
	}
	i := 0
	step := func() {
		end := byte(' ')
		if i++; i%4 == 0 {
			end = '\n'
		}
		data[len(data)-1] = end
		put(data, seq)
		seq += uint32(len("half a line "))
		send(data)
		send(ack)
		send(udp)
		// New flows, too: the port changes.
		data2 := data
		data2[34], data2[35] = byte(i>>8), byte(i)
		send(data2)
		data2[34], data2[35] = 40000>>8, 40000&0xff
	}
	for range 5000 {
		step()
	}
	if n := testing.AllocsPerRun(5000, step); n != 0 {
		t.Errorf("%v allocations per four packets", n)
	}
}

func TestDispatcherSameAsOneWorker(t *testing.T) {
	frames := func(send func([]byte)) {
		for i := range 3000 {
			b := frame(17, i%3 == 0, uint16(1000+i%50), 0, 0, 0, []byte("UDP one"))
			b[29] = byte(i % 7) // the client's address (the server's in answers)
			send(b)
		}
	}
	u := lines{name: "udp", magic: "UDP", mode: proto.Yes, on: proto.UDP}
	run := func(workers int) string {
		var out []byte
		ord := make([]*event.Ordered, workers)
		cfg := Config{Workers: workers, MaxFlows: 4096, NumberPackets: true, Protocols: []proto.Protocol{u.protocol()}, Events: []event.Type{"udp"},
			Sink: func(i int) event.Sink { ord[i] = &event.Ordered{}; return ord[i] }}
		e, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		d := NewDispatcher(e)
		d.AfterBatch = func() { out = event.Merge(out, ord...) }
		now := int64(1e18)
		frames(func(b []byte) {
			now += 1000
			d.Handle(&packet.Frame{Time: now, Data: b, Len: len(b), Link: packet.LinkEthernet})
		})
		d.Finish()
		if e.Stats().Packets != 3000 {
			t.Errorf("%d packets", e.Stats().Packets)
		}
		return string(out)
	}
	one := run(1)
	if one == "" || one != run(4) {
		t.Error("four workers give another output than one")
	}
}
