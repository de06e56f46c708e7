package engine

import (
	"testing"

	"github.com/yamori-net/yamori/internal/detect"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/flow"
	"github.com/yamori-net/yamori/internal/match"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/policy"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/verdict"
)

// worm is a detector that finds the word "bad" and is sure.
type worm struct{}

func (worm) Inspect(f *flow.Flow, c *proto.Conn, tx proto.Tx) (event.Finding, bool) {
	x, ok := badWord{}.Inspect(f, c, tx)
	x.Category, x.Level, x.Severity, x.SignatureID = event.Botnet, event.Likely, 1, 77
	return x, ok
}

// guarded is a world under a policy; it notes what findings say and the
// verdicts of packets.
type guarded struct {
	*world
	h    policy.Handle
	said []string
	v    verdict.Verdict
	gen  uint32
}

func guard(t *testing.T, inline bool, set *match.Set, mode policy.Mode, es ...policy.Entry) *guarded {
	t.Helper()
	g := &guarded{}
	g.set(t, mode, es...)
	g.world = newWorld(t, func(c *Config) {
		c.Judge, c.Inline, c.Rules, c.Flows, c.Events = &g.h, inline, set, false, []event.Type{event.Drop}
		c.Detectors = []detect.Detector{{Name: "worm", New: func() detect.Inline { return worm{} }}}
		c.Sink = func(int) event.Sink {
			return event.SinkFunc(func(ev *event.Event) {
				if f := ev.Finding; f != nil {
					g.said = append(g.said, f.Action+" "+f.Why+" "+f.By)
				} else {
					g.said = append(g.said, string(ev.Type))
				}
			})
		}
	}, alpha)
	return g
}

func (g *guarded) set(t *testing.T, mode policy.Mode, es ...policy.Entry) {
	t.Helper()
	g.gen++
	for i := range es {
		es[i].ID = string(rune('a' + i))
	}
	s, err := policy.New(mode, g.gen, es)
	if err != nil {
		t.Fatal(err)
	}
	g.h.Store(s)
}

// hear sends what one side says and returns whether it passed.
func (g *guarded) hear(fromServer bool, port uint16, seq, ack uint32, s string) bool {
	b := frame(6, fromServer, port, packet.ACK|packet.PSH, seq, ack, []byte(s))
	g.now += 1e6
	g.v = g.e.Workers[0].Handle(&packet.Frame{Time: g.now, Data: b, Len: len(b), Link: packet.LinkEthernet})
	return g.v.Action < verdict.Drop
}

func (g *guarded) expect(t *testing.T, name string, said ...string) {
	t.Helper()
	if len(g.said) != len(said) {
		t.Errorf("%s: %q, want %q", name, g.said, said)
		return
	}
	for i := range said {
		if g.said[i] != said[i] {
			t.Errorf("%s: %q, want %q", name, g.said, said)
		}
	}
	if g.panics != 0 {
		t.Errorf("%s: panics", name)
	}
}

func TestPolicyFindings(t *testing.T) {
	g := guard(t, true, nil, policy.Protect)
	g.open(9)
	if !g.hear(false, 9, 1000, 5000, "ALPHA hello\n") {
		t.Error("harmless bytes were stopped")
	}
	if g.hear(false, 9, 1012, 5000, "bad\n") || g.v.Scope != verdict.Flow || g.v.Why != "policy.botnet" {
		t.Errorf("the packet that shows it: %+v", g.v)
	}
	if g.hear(true, 9, 5000, 1016, "go on\n") || g.hear(false, 9, 1016, 5000, "bad again\n") {
		t.Error("a condemned flow went on")
	}
	g.set(t, policy.Protect, policy.Entry{Kind: policy.Exception, Scope: policy.Scope{SID: 77, GID: event.SignatureGID}})
	if g.hear(false, 9, 1016, 5000, "x\n") {
		t.Error("a condemned flow was taken up again")
	}
	g.expect(t, "protect", "blocked table ", "drop", "drop", "drop", "drop")
	if s := g.e.Workers[0]; s.n.PolicyDrops != 4 {
		t.Errorf("%d drops counted", s.n.PolicyDrops)
	}

	for _, tt := range []struct {
		name   string
		inline bool
		mode   policy.Mode
		es     []policy.Entry
		said   string
	}{
		{"watch", true, policy.Watch, nil, "would_block watch "},
		{"not in line", false, policy.Protect, nil, "would_block table "},
		{"exception", true, policy.Protect, []policy.Entry{{Kind: policy.Exception, Scope: policy.Scope{SID: 77, GID: event.SignatureGID}}}, "allowed exception a"},
		{"exception for the device", true, policy.Protect, []policy.Entry{{Kind: policy.Exception, Scope: policy.Scope{Device: "mac:02:00:00:00:00:02"}}}, "allowed exception a"},
		{"exception for another device", false, policy.Watch, []policy.Entry{{Kind: policy.Exception, Scope: policy.Scope{Device: "mac:02:00:00:00:00:03"}}}, "would_block watch "},
		{"never", true, policy.Protect, []policy.Entry{{Kind: policy.Never, Scope: policy.Scope{Dest: "192.0.2.0/24", Port: 9}}}, "allowed never_block a"},
	} {
		g := guard(t, tt.inline, nil, tt.mode, tt.es...)
		g.open(9)
		if !g.hear(false, 9, 1000, 5000, "ALPHA bad\n") || !g.hear(true, 9, 5000, 1010, "go on\n") {
			t.Errorf("%s: stopped", tt.name)
		}
		g.expect(t, tt.name, tt.said)
	}
}

func TestPolicyTraffic(t *testing.T) {
	quarantine := policy.Entry{Kind: policy.Quarantine, Scope: policy.Scope{Device: "mac:02:00:00:00:00:02"}, Reject: true}
	g := guard(t, true, nil, policy.Watch)
	g.open(9)
	if !g.hear(false, 9, 1000, 5000, "ALPHA one\n") {
		t.Error("stopped without a reason")
	}
	g.set(t, policy.Watch, quarantine)
	if g.hear(false, 9, 1010, 5000, "ALPHA two\n") || g.v.Action != verdict.Reject {
		t.Errorf("a block that is newer than the flow: %+v", g.v)
	}
	g.set(t, policy.Watch)
	if !g.hear(false, 9, 1010, 5000, "ALPHA two\n") {
		t.Error("the block was taken back")
	}
	g.set(t, policy.Watch, quarantine, policy.Entry{Kind: policy.Never, Scope: policy.Scope{Dest: "192.0.2.1", Port: 9}})
	if !g.hear(false, 9, 1020, 5000, "ALPHA three\n") || g.hear(false, 10, 1, 1, "x") {
		t.Error("the never-block list holds for one port")
	}
	// Outside of flows: a fragment.
	b := frame(6, false, 10, packet.ACK, 1, 1, make([]byte, 64))
	b[14+6] = 0x20
	if v := g.e.Workers[0].Handle(&packet.Frame{Time: g.now, Data: b, Len: len(b), Link: packet.LinkEthernet}); v.Action != verdict.Reject {
		t.Errorf("a fragment: %+v", v)
	}

	g = guard(t, false, nil, policy.Watch, quarantine)
	g.open(9)
	if !g.hear(false, 9, 1000, 5000, "ALPHA one\n") {
		t.Error("stopped without standing in line")
	}
}

func TestPolicyRules(t *testing.T) {
	set := compile(t, nil, 0, `drop tcp any any -> any any (msg:"d"; flow:to_server; content:"evil"; sid:5;)
alert tcp any any -> any any (msg:"a"; flow:to_server; content:"odd"; sid:6;)
`)
	scope := policy.Scope{SID: 5}
	for _, tt := range []struct {
		name string
		mode policy.Mode
		es   []policy.Entry
		text string
		pass bool
		said []string
	}{
		{"drop", policy.Protect, nil, "evil", false, []string{"drop", "blocked rule "}},
		{"drop, watched", policy.Watch, nil, "evil", true, []string{"would_block watch "}},
		{"drop with an exception", policy.Protect, []policy.Entry{{Kind: policy.Exception, Scope: scope}}, "evil", true, []string{"allowed exception a"}},
		{"drop against the never-block list", policy.Protect, []policy.Entry{{Kind: policy.Never, Scope: policy.Scope{Dest: "192.0.2.1"}}}, "evil", true, []string{"allowed never_block a"}},
		{"alert", policy.Protect, nil, "odd", true, []string{"allowed rule "}},
		{"alert that the owner lets block", policy.Protect, []policy.Entry{{Kind: policy.ActionRule, Scope: policy.Scope{SID: 6}, At: event.Likely}}, "odd", false, []string{"blocked action a", "drop"}},
	} {
		g := guard(t, true, set, tt.mode, tt.es...)
		g.open(9)
		if g.hear(false, 9, 1000, 5000, "ALPHA "+tt.text+"\n") != tt.pass {
			t.Errorf("%s: %+v", tt.name, g.v)
		}
		g.e.Workers[0].Handle(nil)
		if tt.name == "drop" { // the order of the two is the rules' own affair
			if len(g.said) != 2 {
				t.Errorf("%s: %q", tt.name, g.said)
			}
		} else {
			g.expect(t, tt.name, tt.said...)
		}
		if g.hear(false, 9, 1000+uint32(len(tt.text))+7, 5000, "more\n") != tt.pass {
			t.Errorf("%s: the packet after: %+v", tt.name, g.v)
		}
	}
}

// TestPolicyAllocs: asking costs a packet no memory.
func TestPolicyAllocs(t *testing.T) {
	g := guard(t, true, nil, policy.Protect, policy.Entry{Kind: policy.BlockEntry, Scope: policy.Scope{Dest: "203.0.113.0/24"}},
		policy.Entry{Kind: policy.Quarantine, Scope: policy.Scope{Device: "mac:02:00:00:00:00:09"}})
	g.open(9)
	b := frame(6, false, 9, packet.ACK, 1000, 5000, nil)
	f := &packet.Frame{Data: b, Len: len(b), Link: packet.LinkEthernet}
	i := 0
	if n := testing.AllocsPerRun(200, func() {
		if i++; i%2 == 0 {
			g.set0()
		}
		f.Time = g.now
		g.e.Workers[0].Handle(f)
	}); n != 0 {
		t.Errorf("%v allocations a packet, want 0", n)
	}
}

// set0 makes the flow be judged again.
func (g *guarded) set0() {
	w := g.e.Workers[0]
	p := w.pkt
	if fl, _, _ := w.table.Lookup(&p); fl != nil {
		fl.PolicyGen = 0
	}
}
