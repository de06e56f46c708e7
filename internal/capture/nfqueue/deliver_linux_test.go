package nfqueue

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/verdict"
)

// offline is a source without a kernel: its verdicts stay in out.
func offline(c Config, packets ...[]byte) *Source {
	_ = c.setDefaults()
	s := &Source{cfg: c, fd: -1, bufs: make([]byte, batch*slot)}
	for i, p := range packets {
		s.msgs[i].n = uint32(copy(s.bufs[i*slot:], p))
	}
	return s
}

// verdicts says in words what out holds.
func verdicts(out []byte) (words string) {
	for len(out) > 0 {
		l := int(host.Uint32(out))
		b := out[:l]
		v := b[nlHeader+nfHeader+attHeader:]
		words += map[uint16]string{msgVerdict: "one", msgVerdictBatch: "upto"}[host.Uint16(b[4:])]
		words += fmt.Sprintf(" %d %s", net.Uint32(v[4:]), map[uint32]string{nfDrop: "drop", nfAccept: "accept", nfRepeat: "repeat"}[net.Uint32(v)])
		if len(v) > 8 {
			words += fmt.Sprintf(" mark %#x", net.Uint32(v[8+attHeader:]))
		}
		words += "; "
		out = out[l:]
	}
	return words
}

// TestVerdicts: a batch ends before a packet that is not simply accepted, and
// nothing is left unanswered.
func TestVerdicts(t *testing.T) {
	var (
		pass    = verdict.Verdict{}
		accept  = verdict.Verdict{Action: verdict.Accept}
		release = verdict.Verdict{Action: verdict.Accept, Scope: verdict.Flow}
		side    = verdict.Verdict{Action: verdict.Accept, Scope: verdict.Side}
		back    = verdict.Verdict{Action: verdict.Accept, Scope: verdict.Back}
		drop    = verdict.Verdict{Action: verdict.Drop}
		cut     = verdict.Verdict{Action: verdict.Drop, Scope: verdict.Flow}
		reject  = verdict.Verdict{Action: verdict.Reject, Scope: verdict.Flow}
	)
	marks := Marks{Release: 0x1000, Cut: 0x2000, Side: 0x4000, Back: 0x8000}
	for _, tt := range []struct {
		name  string
		marks Marks
		in    []verdict.Verdict
		want  string
	}{
		{"all pass", marks, []verdict.Verdict{pass, accept, pass}, "upto 3 accept; "},
		{"one", marks, []verdict.Verdict{pass}, "one 1 accept; "},
		{"a drop between", marks, []verdict.Verdict{pass, pass, drop, pass}, "upto 2 accept; one 3 drop; one 4 accept; "},
		{"release keeps other bits", marks, []verdict.Verdict{release, pass}, "one 1 repeat mark 0x1040; one 2 accept; "},
		{"cut goes on to the chain", marks, []verdict.Verdict{cut}, "one 1 repeat mark 0x2040; "},
		{"reject cuts", marks, []verdict.Verdict{pass, reject}, "one 1 accept; one 2 repeat mark 0x2040; "},
		{"a side, and back", marks, []verdict.Verdict{pass, side, pass, back}, "one 1 accept; one 2 repeat mark 0x4040; one 3 accept; one 4 repeat mark 0x8040; "},
		{"without marks", Marks{}, []verdict.Verdict{release, cut, reject}, "one 1 accept; one 2 drop; one 3 drop; "},
		{"without marks for sides", testMarks, []verdict.Verdict{side, back}, "upto 2 accept; "},
	} {
		var packets [][]byte
		for i := range tt.in {
			packets = append(packets, build(uint32(i+1), nil, []byte("\x45..."), false))
		}
		told := 0
		s := offline(Config{Marks: tt.marks, Reject: func(*packet.Frame) { told++ }}, packets...)
		i := 0
		for k := range packets { // as deliver does, without sending
			s.packet(s.bufs[k*slot:k*slot+len(packets[k])], 1, func(*packet.Frame) verdict.Verdict { i++; return tt.in[i-1] })
		}
		s.flush()
		if got := verdicts(s.out); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
		if want := bytes.Count([]byte(tt.name), []byte("reject")); tt.name == "reject cuts" && told != want {
			t.Errorf("%s: told %d times", tt.name, told)
		}
	}
}

// TestFrame: the sender's hardware address is put before the packet.
func TestFrame(t *testing.T) {
	hw := []byte{2, 0, 0, 0, 0, 9}
	payload := append([]byte{0x45}, bytes.Repeat([]byte{7}, 30)...)
	s := offline(Config{}, build(1, hw, payload, true), build(2, nil, payload, false))
	var seen int
	s.deliver(2, 99, func(f *packet.Frame) verdict.Verdict {
		seen++
		switch {
		case f.Time != 99 || f.Iface != 5:
			t.Errorf("%+v", f)
		case seen == 1 && (f.Link != packet.LinkEthernet || !bytes.Equal(f.Data[6:12], hw) || f.Data[12] != 8 || !bytes.Equal(f.Data[14:], payload) ||
			f.Len != 14+len(payload) || f.VLAN != 10 || f.VLANTPID != 0x8100):
			t.Errorf("with an address: %+v", f)
		case seen == 2 && (f.Link != packet.LinkRaw || !bytes.Equal(f.Data, payload)):
			t.Errorf("without: %+v", f)
		}
		return verdict.Verdict{}
	})
	if seen != 2 {
		t.Errorf("%d frames", seen)
	}
}

// TestDeliverAllocs: no memory per packet, whatever the verdicts.
func TestDeliverAllocs(t *testing.T) {
	var packets [][]byte
	for i := range batch {
		packets = append(packets, build(uint32(i), []byte{1, 2, 3, 4, 5, 6}, make([]byte, 1400), i%2 == 0))
	}
	s := offline(Config{Marks: Marks{Release: 1, Cut: 2}}, packets...)
	v := []verdict.Verdict{{}, {Action: verdict.Drop}, {Action: verdict.Accept, Scope: verdict.Flow}}
	i := 0
	h := func(*packet.Frame) verdict.Verdict { i++; return v[i%3] }
	if n := testing.AllocsPerRun(100, func() { s.deliver(batch, 1, h) }); n != 0 {
		t.Errorf("%v allocations for %d packets", n, batch)
	}
}

func FuzzDeliver(f *testing.F) {
	f.Add(build(1, []byte{1, 2, 3, 4, 5, 6}, []byte("\x45\x00"), true), uint8(0))
	f.Fuzz(func(t *testing.T, b []byte, action uint8) {
		s := offline(Config{Marks: Marks{Release: 1, Cut: 2}, Reject: func(*packet.Frame) {}}, b)
		s.deliver(1, 1, func(f *packet.Frame) verdict.Verdict {
			return verdict.Verdict{Action: verdict.Action(action % 4), Scope: verdict.Scope(action >> 7)}
		})
	})
}
