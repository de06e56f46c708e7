package nfqueue

import (
	"bytes"
	"encoding/hex"
	"testing"
)

// build makes a packet message as the kernel does (nfqnl_build_packet_message).
func build(id uint32, hw, payload []byte, vlan bool) []byte {
	b := begin(nil, msgPacket, 0, 0, 7)
	h := net.AppendUint32(nil, id)
	h = append(h, 0x08, 0x00, 2) // IPv4, FORWARD
	b = attribute(b, attPacketHeader, h...)
	b = attribute32(b, attInDev, 5)
	b = attribute32(b, attMark, 0x40)
	if hw != nil {
		b = attribute(b, attHWAddr, append([]byte{0, 6, 0, 0}, append(hw, 0, 0)...)...)
	}
	if vlan {
		var v []byte
		v = attribute(v, 1, 0x81, 0x00)
		v = attribute(v, 2, 0x00, 0x0a)
		b = attribute(b, attVLAN|0x8000, v...)
	}
	b = attribute32(b, attCapLen, uint32(len(payload)))
	b = attribute(b, attPayload, payload...)
	return end(b, 0)
}

func TestParse(t *testing.T) {
	hw, payload := []byte{2, 0, 0, 0, 0, 9}, []byte("\x45 a packet of some bytes")
	b := build(0x01020304, hw, payload, true)
	var m message
	if !m.parse(b) {
		t.Fatal("not understood")
	}
	if m.id != 0x01020304 || m.proto != 0x0800 || m.hook != 2 || m.mark != 0x40 || m.in != 5 || !bytes.Equal(m.hw, hw) ||
		!bytes.Equal(m.payload, payload) || m.full != len(payload) || m.tpid != 0x8100 || m.vlan != 10 {
		t.Errorf("%+v", m)
	}
	for n := range b {
		m.parse(b[:n]) // no panic
	}
	if m.parse(begin(nil, msgPacket, 0, 0, 1)) {
		t.Error("a message without a packet is taken for one")
	}
}

func TestConfigMessages(t *testing.T) {
	c := Config{Queue: 0x0102}
	if err := c.setDefaults(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range configMessages(&c) {
		if int(host.Uint32(m)) != len(m) || len(m)%4 != 0 {
			t.Errorf("length %d of %d", host.Uint32(m), len(m))
		}
		got = append(got, hex.EncodeToString(m[nlHeader:nlHeader+nfHeader])+" "+hex.EncodeToString(m[nlHeader+nfHeader+attHeader:]))
	}
	want := []string{"00000102 01000000", "00000102 0000ffff02000000", "00000102 00002000", ""}
	for i, w := range want {
		if w != "" && got[i] != w {
			t.Errorf("message %d: %s, want %s", i, got[i], w)
		}
	}
	bad := Config{Marks: Marks{Release: 3, Cut: 2}}
	if bad.setDefaults() == nil {
		t.Error("marks that share bits are taken")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(build(1, []byte{1, 2, 3, 4, 5, 6}, []byte("\x45\x00"), true))
	f.Add(build(1, nil, nil, false))
	f.Fuzz(func(t *testing.T, b []byte) {
		var m message
		if m.parse(b) && m.payload != nil && !bytes.Equal(m.payload, b[m.at:m.at+len(m.payload)]) {
			t.Error("the payload is not where it is said to be")
		}
	})
}

func BenchmarkParse(b *testing.B) {
	p := build(1, []byte{1, 2, 3, 4, 5, 6}, make([]byte, 1400), false)
	var m message
	b.ReportAllocs()
	for b.Loop() {
		m.parse(p)
	}
}

func TestOnlyVerdicts(t *testing.T) {
	one := verdictMessage(nil, msgVerdict, 7, 1, nfAccept, 0, false)
	marked := verdictMessage(nil, msgVerdict, 7, 2, nfDrop, 5, true)
	both := append(append([]byte{}, one...), verdictMessage(nil, msgVerdictBatch, 7, 3, nfAccept, 0, false)...)
	change := func(b []byte, at int, v byte) []byte { b = append([]byte{}, b...); b[at] = v; return b }
	for name, c := range map[string]struct {
		b    []byte
		good bool
	}{
		"one": {one, true}, "marked": {marked, true}, "two": {both, true},
		"nothing":         {nil, false},
		"cut":             {one[:len(one)-1], false},
		"trailing":        {append(append([]byte{}, one...), 0), false},
		"another queue":   {verdictMessage(nil, msgVerdict, 8, 1, nfAccept, 0, false), false},
		"repeat":          {verdictMessage(nil, msgVerdict, 7, 2, nfRepeat, 5, true), true},
		"queue again":     {verdictMessage(nil, msgVerdict, 7, 1, 3, 0, false), false},
		"configuration":   {configMessages(&Config{Queue: 7})[0], false},
		"other subsystem": {change(one, 5, 10), false}, // nf_tables
		"flags":           {change(one, 6, 5), false},
		"attribute":       {change(marked, len(marked)-6, 11), false}, // NFQA_CT
		"second is bad":   {change(both, len(one)+5, 10), false},
	} {
		if got := OnlyVerdicts(c.b, 7); got != c.good {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func FuzzOnlyVerdicts(f *testing.F) {
	f.Add(verdictMessage(nil, msgVerdict, 7, 1, nfAccept, 0, false))
	f.Add(verdictMessage(nil, msgVerdictBatch, 7, 1, nfDrop, 9, true))
	f.Fuzz(func(t *testing.T, b []byte) {
		if OnlyVerdicts(b, 7) && (len(b) < 32 || b[5] != subsysQueue) {
			t.Fatalf("%x passes", b)
		}
	})
}
