package flow

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
)

// model is the oracle: a map, and a scan over all of it for every question.
// It knows UDP and a TCP of three packets: SYN, answer, reset.
type model struct {
	max    int
	now    int64
	flows  map[string]*modelFlow
	hurry  bool
	n      uint64 // order of entry into the present queue
	ended  []string
	timing [2]Timeouts
}

type modelFlow struct {
	name     string
	tcp      bool
	start    int64
	touched  int64
	order    uint64
	up, down uint64
	reset    bool
}

func (f *modelFlow) state() State {
	switch {
	case f.reset:
		return Closed
	case f.up > 0 && f.down > 0:
		return Established
	}
	return New
}

// rank is the eviction class and, apart from it, the queue.
func (f *modelFlow) rank() (Class, string) {
	kind := fmt.Sprint(f.tcp)
	switch {
	case f.reset:
		return Done, "closed"
	case f.state() == Established:
		return Talking, kind
	case f.up+f.down > 1:
		return Opening, kind
	}
	return Unanswered, kind
}

func (m *model) due(f *modelFlow) bool {
	t := m.timing[0]
	if m.hurry {
		t = m.timing[1]
	}
	var limit int64
	switch {
	case f.reset:
		limit = t.TCPClosed
	case f.tcp && f.state() == Established:
		limit = t.TCPEstablished
	case f.tcp:
		limit = t.TCPNew
	case f.state() == Established:
		limit = t.UDPEstablished
	default:
		limit = t.UDPNew
	}
	return m.now-f.touched >= limit+second
}

func (m *model) end(f *modelFlow, r Reason) {
	if r == Timeout && f.reset {
		r = Finished
	}
	m.ended = append(m.ended, fmt.Sprintf("%s from %d: %d up, %d down, %v, %d", f.name, f.start, f.up, f.down, f.state(), r))
	delete(m.flows, f.name)
	if len(m.flows) <= m.max*7/10 {
		m.hurry = false
	}
}

func (m *model) advance(now int64) {
	m.now = max(m.now, now)
	// One at a time and in the table's order: ends may take the hurry away.
	for q := range nQueues {
		for {
			var oldest *modelFlow
			for _, f := range m.flows {
				if m.queue(f) == q && (oldest == nil || f.order < oldest.order) {
					oldest = f
				}
			}
			if oldest == nil || !m.due(oldest) {
				break
			}
			m.end(oldest, Timeout)
		}
	}
}

func (m *model) queue(f *modelFlow) int {
	c, _ := f.rank()
	i := map[Class]int{Unanswered: qTCPFirst, Opening: qTCPNew, Talking: qTCPEst}[c]
	if c == Done {
		return qTCPClosed
	}
	if !f.tcp {
		i++
	}
	return i
}

func (m *model) packet(now int64, name string, tcp, up, reset bool) (f *modelFlow, created bool) {
	m.now = max(m.now, now)
	if f = m.flows[name]; f != nil && m.due(f) {
		m.end(f, Timeout)
		f = nil
	}
	if f == nil {
		created = true
		if len(m.flows) >= m.max {
			m.hurry = true
			m.evict()
		}
		f = &modelFlow{name: name, tcp: tcp, start: now, touched: -1}
		m.flows[name] = f
	}
	was := m.queue(f)
	if up {
		f.up++
	} else {
		f.down++
	}
	f.reset = f.reset || reset
	if f.touched < 0 || m.queue(f) != was || m.now-f.touched >= second {
		m.n++
		f.touched, f.order = m.now, m.n
	}
	return f, created
}

func (m *model) evict() {
	var v *modelFlow
	for _, f := range m.flows {
		if v == nil {
			v = f
			continue
		}
		a, _ := f.rank()
		b, _ := v.rank()
		switch {
		case a != b:
			if a < b {
				v = f
			}
		case f.touched != v.touched:
			if f.touched < v.touched {
				v = f
			}
		case m.queue(f) != m.queue(v): // the table looks at TCP first
			if m.queue(f) < m.queue(v) {
				v = f
			}
		case f.order < v.order:
			v = f
		}
	}
	if m.due(v) {
		m.end(v, Timeout)
	} else {
		m.end(v, Evicted)
	}
}

func TestOracle(t *testing.T) {
	for seed := range uint64(30) {
		rnd := rand.New(rand.NewPCG(seed, 9))
		limit := 3 + rnd.IntN(30)
		m := &model{max: limit, flows: map[string]*modelFlow{}, timing: [2]Timeouts{DefaultTimeouts(), EmergencyTimeouts()}}
		var ended []string
		name := func(f *Flow) string {
			_, p := f.Client()
			return fmt.Sprintf("%d/%d", f.Key.Proto, p)
		}
		tb := NewTable(Config{MaxFlows: limit, Seed: seed, OnEnd: func(f *Flow, r Reason) {
			ended = append(ended, fmt.Sprintf("%s from %d: %d up, %d down, %v, %d", name(f), f.Start, f.Side[0].Packets, f.Side[1].Packets, f.State, r))
		}})
		now, calm := int64(0), rnd.IntN(4)
		for step := range 3000 {
			switch x := rnd.IntN(200); {
			case x == 0:
				now += rnd.Int64N(700 * second)
			case x < 20:
				now += rnd.Int64N(3 * second)
			default:
				now += rnd.Int64N(100e6)
			}
			m.now = now
			if rnd.IntN(3) == 0 {
				tb.Advance(now)
				m.advance(now)
			}
			port := uint16(1000 + rnd.IntN(8<<calm))
			isTCP := rnd.IntN(2) == 0
			up := rnd.IntN(3) > 0
			p := pkt(now, packet.ProtoUDP, client, port, server, 53, 0) // no payload: a reset then stands
			if isTCP {
				p.Proto = packet.ProtoTCP
			}
			known := m.flows[fmt.Sprintf("%d/%d", p.Proto, port)]
			if known == nil || m.due(known) {
				up = true // UDP's first speaker is the client
			}
			reset := false
			if isTCP {
				p.TCPFlags, p.Seq, p.Ack = ack, 1000, 1000
				if reset = rnd.IntN(10) == 0; reset {
					p.TCPFlags |= rst
				}
			}
			if !up {
				p.Src, p.Dst, p.SrcPort, p.DstPort = p.Dst, p.Src, p.DstPort, p.SrcPort
			}
			// A reset midstream counts as having spoken, but not as an answer:
			// keep the model simple by letting it come after one only.
			if reset && (known == nil || m.due(known) || known.state() == New) {
				p.TCPFlags, reset = ack, false
			}
			f, d, created := tb.Lookup(&p)
			want, wantCreated := m.packet(now, fmt.Sprintf("%d/%d", p.Proto, port), isTCP, up, reset)
			if created != wantCreated || (d == packet.ToServer) != up || f.State != want.state() ||
				f.Side[0].Packets != want.up || f.Side[1].Packets != want.down || f.Start != want.start {
				t.Fatalf("seed %d, step %d: %s: created %v, %v, %v, %+v; the model has %v, %+v", seed, step, name(f), created, d, f.State, f.Side, wantCreated, want)
			}
			if !slices.Equal(ended, m.ended) {
				t.Fatalf("seed %d, step %d: ended\n%q, the model has\n%q", seed, step, ended, m.ended)
			}
			ended, m.ended = ended[:0], m.ended[:0]
			if tb.Stats().Current != len(m.flows) || tb.Stats().InEmergency != m.hurry {
				t.Fatalf("seed %d, step %d: %+v; the model has %d flows", seed, step, tb.Stats(), len(m.flows))
			}
		}
		check(t, tb)
	}
}

// The same packets, spread over workers by flow, give the same flows.
func TestSameForAnyNumberOfWorkers(t *testing.T) {
	run := func(workers int) []string {
		var out []string
		tables := make([]*Table, workers)
		for i := range tables {
			tables[i] = NewTable(Config{Seed: uint64(i) * 77, OnEnd: func(f *Flow, r Reason) {
				out = append(out, fmt.Sprint(f.ID, f.Start, f.Last, f.Side, f.State, f.FromHi, r == Shutdown))
			}})
		}
		rnd := rand.New(rand.NewPCG(1, 1))
		now := int64(0)
		for range 20000 {
			now += rnd.Int64N(2e8)
			port := uint16(1000 + rnd.IntN(300))
			p := pkt(now, packet.ProtoTCP, client, port, server, 80, 1)
			p.TCPFlags = []uint8{syn, ack, ack | psh, ack | fin, rst}[rnd.IntN(5)]
			p.Seq, p.Ack = rnd.Uint32N(3), rnd.Uint32N(3)
			if rnd.IntN(2) == 0 {
				p.Src, p.Dst, p.SrcPort, p.DstPort = p.Dst, p.Src, p.DstPort, p.SrcPort
			}
			tb := tables[int(port)%workers]
			tb.Advance(now)
			tb.Lookup(&p)
		}
		for _, tb := range tables {
			tb.Close()
		}
		slices.Sort(out)
		return out
	}
	one := run(1)
	if len(one) < 1000 {
		t.Fatalf("only %d flows", len(one))
	}
	if !slices.Equal(one, run(3)) || !slices.Equal(one, run(1)) {
		t.Error("the flows differ")
	}
}
