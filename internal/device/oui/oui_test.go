package oui

import (
	"bytes"
	"compress/gzip"
	"runtime"
	"testing"
)

func TestMaker(t *testing.T) {
	tests := []struct {
		mac  [6]byte
		want string
	}{
		{[6]byte{0x00, 0x00, 0x00, 1, 2, 3}, "XEROX"},
		{[6]byte{0x00, 0x17, 0x88, 1, 2, 3}, "Philips Lighting"},
		{[6]byte{0xb8, 0x27, 0xeb, 1, 2, 3}, "Raspberry Pi Foundation"},
		{[6]byte{0xc8, 0x5c, 0xe2, 0x7a, 0xbc, 0xde}, "SYNERGY SYSTEMS AND SOLUTIONS"}, // MA-M, the example of the source
		{[6]byte{0xba, 0x27, 0xeb, 1, 2, 3}, ""},                                       // locally administered
		{[6]byte{0x01, 0x00, 0x5e, 1, 2, 3}, ""},                                       // a group
		{[6]byte{0xfc, 0xff, 0xff, 0xff, 0xff, 0xff}, ""},
	}
	for _, tt := range tests {
		if got := Maker(tt.mac); got != tt.want {
			t.Errorf("%x: %q, want %q", tt.mac, got, tt.want)
		}
	}
}

// The table that ships stays small on disk and in memory.
func TestSize(t *testing.T) {
	if n := len(packed); n > 700_000 {
		t.Errorf("the file has %d bytes", n)
	}
	var a, b runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&a)
	tab, err := unpack(packed)
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	runtime.ReadMemStats(&b)
	if n := int64(b.HeapAlloc) - int64(a.HeapAlloc); n > 2<<20 {
		t.Errorf("the table takes %d bytes", n)
	} else {
		t.Logf("%d + %d + %d blocks in %d bytes", len(tab.prefix[0]), len(tab.prefix[1]), len(tab.prefix[2]), n)
	}
	for i, list := range tab.prefix {
		for k := 1; k < len(list); k++ {
			if list[k] <= list[k-1] {
				t.Fatalf("table %d is not sorted at %d", i, k)
			}
		}
	}
}

func TestNoAllocs(t *testing.T) {
	m := [6]byte{0x00, 0x17, 0x88, 1, 2, 3}
	Maker(m)
	if n := testing.AllocsPerRun(100, func() { Maker(m) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// A damaged file is refused, whatever is wrong with it.
func FuzzUnpack(f *testing.F) {
	f.Add([]byte(Magic + "\x01\x01a\x00\x00\x01\x05\x00"))
	f.Add([]byte(Magic + "\x01\x01a\x01\x05\x01\x00\x00"))
	f.Add([]byte("OUI0"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var z bytes.Buffer
		w := gzip.NewWriter(&z)
		_, _ = w.Write(raw)
		_ = w.Close()
		tab, err := unpack(z.Bytes())
		if err != nil {
			return
		}
		tab.find([6]byte{0, 0, 5, 0, 0, 0})
	})
}

func BenchmarkMaker(b *testing.B) {
	m := [6]byte{0x00, 0x17, 0x88, 1, 2, 3}
	for b.Loop() {
		Maker(m)
	}
}
