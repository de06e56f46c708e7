package flow

import "testing"

// TestTCPState walks through both orders of closing.
func TestTCPState(t *testing.T) {
	type step struct {
		up       bool
		flags    uint8
		seq, ack uint32
		want     string
	}
	open := []step{{true, syn, 100, 0, "syn_sent"}, {false, syn | ack, 500, 101, "syn_recv"}, {true, ack, 101, 501, "established"}}
	for name, steps := range map[string][]step{
		"the client closes": {{true, fin | ack, 101, 501, "close_wait"}, {false, ack, 501, 102, "close_wait"},
			{false, fin | ack, 501, 102, "last_ack"}, {true, ack, 102, 502, "closed"}},
		"the server closes": {{false, fin | ack, 501, 101, "fin_wait1"}, {true, ack, 101, 502, "fin_wait2"},
			{true, fin | ack, 101, 502, "time_wait"}, {false, ack, 502, 102, "closed"}},
		"both at once": {{false, fin | ack, 501, 101, "fin_wait1"}, {true, fin | ack, 101, 501, "closing"}},
		"a reset":      {{false, rst, 501, 0, "closed"}},
	} {
		tb := NewTable(Config{MaxFlows: 16})
		for i, s := range append(open[:len(open):len(open)], steps...) {
			p := tcp(int64(i)*1e6, s.up, s.flags, s.seq, s.ack, 0)
			if f, _, _ := tb.Lookup(&p); f.TCPState() != s.want {
				t.Errorf("%s: segment %d: %s, not %s", name, i, f.TCPState(), s.want)
			}
		}
	}
	p := tcp(0, true, ack, 5, 6, 0)
	tb := NewTable(Config{MaxFlows: 16})
	if f, _, _ := tb.Lookup(&p); f.TCPState() != "none" {
		t.Errorf("picked up midway: %s", f.TCPState())
	}
}
