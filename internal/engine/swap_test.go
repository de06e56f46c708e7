package engine

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/match"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/rules"
)

// compile makes a set of rules for the protocols of newWorld.
func compile(t testing.TB, prev *match.Set, memory int, text string) *match.Set {
	t.Helper()
	rs, problems := rules.Parse("t.rules", strings.NewReader(text), rules.ParseConfig{Vars: rules.DefaultVars()})
	s, more := match.Compile(rs, match.Options{Protocols: []proto.Protocol{alpha.protocol()}, Previous: prev, MaxMemory: memory})
	if problems = append(problems, more...); memory == 0 && len(problems) > 0 {
		t.Fatal(problems[0])
	}
	return s
}

// ruled is a world whose alerts are noted by sid.
func ruled(t *testing.T, s *match.Set) (*world, *[]uint32) {
	var sids []uint32
	w := newWorld(t, func(c *Config) {
		c.Rules, c.Events, c.Flows, c.Detectors = s, nil, false, nil
		c.Sink = func(int) event.Sink {
			return event.SinkFunc(func(ev *event.Event) { sids = append(sids, ev.Finding.SignatureID) })
		}
	}, alpha)
	return w, &sids
}

func want(t *testing.T, got []uint32, sids ...uint32) {
	t.Helper()
	if !slices.Equal(got, sids) {
		t.Errorf("alerts %v, want %v", got, sids)
	}
}

const (
	setsBit  = `alert tcp any any -> any any (msg:"sets"; flow:to_server; content:"first"; flowbits:set,seen; flowint:n,+,2; xbits:set,x,track ip_src; sid:1;)` + "\n"
	readsBit = `alert tcp any any -> any any (msg:"reads"; flow:to_server; content:"second"; flowbits:isset,seen; flowint:n,==,2; xbits:isset,x,track ip_src; sid:2;)` + "\n"
	// Others come before, so that the names' numbers would differ.
	others = `alert tcp any any -> any any (msg:"other"; content:"no"; flowbits:set,a; flowint:m,+,1; xbits:set,y,track ip_src; sid:9;)` + "\n"
)

func TestSwapKeepsFlowState(t *testing.T) {
	first := compile(t, nil, 0, setsBit)
	w, sids := ruled(t, first)
	w.open(9)
	w.c(9, "ALPHA first\n")
	w.s(9, "answer\n")
	want(t, *sids, 1)
	if err := w.e.Swap(compile(t, first, 0, others+readsBit)); err != nil {
		t.Fatal(err)
	}
	w.c(9, "the second\n")
	w.s(9, "answer\n")
	want(t, *sids, 1, 2)
	// The old rules are gone, and a rule that came does not see bytes again.
	w.c(9, "the first\n")
	w.e.Close()
	want(t, *sids, 1, 2)
	if w.panics != 0 {
		t.Error("panics")
	}
}

// A worker that saw no packet between two swaps takes the second at once; what
// flows remember by name is still theirs.
func TestSwapTwiceBetweenPackets(t *testing.T) {
	first := compile(t, nil, 0, setsBit)
	w, sids := ruled(t, first)
	w.open(9)
	w.c(9, "ALPHA first\n")
	w.s(9, "answer\n")
	second := compile(t, first, 0, others)
	third := compile(t, second, 0, others+readsBit+setsBit)
	for _, s := range []*match.Set{second, third} {
		if err := w.e.Swap(s); err != nil {
			t.Fatal(err)
		}
	}
	w.c(9, "second\n")
	w.s(9, "answer\n")
	w.e.Close()
	want(t, *sids, 1, 2)
}

func TestSwapKeepsThresholds(t *testing.T) {
	rule := `alert udp any any -> any any (msg:"third"; content:"x"; threshold:type both, track by_src, count 3, seconds 60; sid:5; rev:%d;)` + "\n"
	first := compile(t, nil, 0, fmt.Sprintf(rule, 1))
	w, sids := ruled(t, first)
	say := func() { w.handle(frame(17, false, 7, 0, 0, 0, []byte("x"))) }
	say()
	say()
	if err := w.e.Swap(compile(t, first, 0, others+fmt.Sprintf(rule, 2))); err != nil {
		t.Fatal(err)
	}
	want(t, *sids)
	say()
	want(t, *sids, 5)
}

// Rules that come to an engine without any inspect new flows, and never the
// middle of a stream as if it were its start.
func TestSwapFromNothing(t *testing.T) {
	w, sids := ruled(t, nil)
	w.open(9)
	w.c(9, "ALPHA one\n")
	if err := w.e.Swap(compile(t, nil, 0, `alert tcp any any -> any any (msg:"start"; flow:to_server,only_stream; content:"second"; startswith; sid:3;)`)); err != nil {
		t.Fatal(err)
	}
	w.c(9, "second\n")
	w.s(9, "answer\n")
	want(t, *sids)
	w.open(10)
	w.c(10, "second\n")
	w.s(10, "answer\n")
	w.e.Close()
	want(t, *sids, 3)
}

func TestSwapRefuses(t *testing.T) {
	first := compile(t, nil, 0, setsBit)
	w, _ := ruled(t, first)
	var big strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&big, "alert tcp any any -> any any (msg:\"big\"; content:\"%0200d\"; sid:%d;)\n", i, i+1)
	}
	large := compile(t, first, 64<<10, big.String())
	for _, c := range []struct {
		set  *match.Set
		text string
	}{
		{nil, "no set"}, {large, "larger than allowed"},
		{func() *match.Set { s, _ := match.Compile(nil, match.Options{}); return s }(), "compiled for 0 protocols"},
	} {
		if err := w.e.Swap(c.set); err == nil || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%v, want %q", err, c.text)
		}
		if w.e.Rules() != first {
			t.Fatal("the old set is gone")
		}
	}
}

// Workers run while sets change.
func TestSwapRace(t *testing.T) {
	first := compile(t, nil, 0, setsBit+readsBit)
	cfg := Config{Workers: 2, MaxFlows: 1024, Protocols: []proto.Protocol{alpha.protocol()}, Rules: first}
	e, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for _, wk := range e.Workers {
		wg.Go(func() {
			now := int64(1e18)
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				now += 1e6
				port := uint16(i % 50)
				b := frame(6, false, port, packet.ACK, uint32(1000+i/50*6), 5000, []byte("first\n"))
				if i < 50 {
					b = frame(6, false, port, packet.SYN, 999, 0, nil)
				}
				wk.Handle(&packet.Frame{Time: now, Data: b, Len: len(b), Link: packet.LinkEthernet})
			}
		})
	}
	for i := range 50 {
		text := setsBit + readsBit
		if i%2 == 0 {
			text = others + readsBit + setsBit
		}
		if err := e.Swap(compile(t, e.Rules(), 0, text)); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	wg.Wait()
	e.Close()
	if e.Stats().Panics != 0 {
		t.Error("panics")
	}
}

// A swap costs the packets after it nothing.
func TestSwapNoAllocs(t *testing.T) {
	first := compile(t, nil, 0, setsBit)
	w, _ := ruled(t, first)
	wk := w.e.Workers[0]
	f := packet.Frame{Link: packet.LinkEthernet, Time: w.now}
	udp := frame(17, false, 53, 0, 0, 0, []byte("nothing of interest"))
	f.Data, f.Len = udp, len(udp)
	step := func() {
		f.Time += 1000
		wk.Handle(&f)
	}
	step()
	if err := w.e.Swap(compile(t, first, 0, others+readsBit)); err != nil {
		t.Fatal(err)
	}
	step()
	if n := testing.AllocsPerRun(1000, step); n != 0 {
		t.Errorf("%v allocations a packet", n)
	}
}
