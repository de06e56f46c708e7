package pcapfile

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
)

type newFunc func(io.Writer, packet.LinkType, int) (*Writer, error)

var writers = map[string]newFunc{"ng": NewWriter, "pcap": NewPcapWriter}

func TestWriterRoundTrip(t *testing.T) {
	eth := strings.Repeat("d", 6) + strings.Repeat("s", 6)
	for name, create := range writers {
		t.Run(name, func(t *testing.T) {
			for _, c := range []struct {
				what string
				snap int
				in   packet.Frame
				want got
			}{
				{"plain", 0, packet.Frame{Time: 1_000_000_007, Data: []byte("abcde"), Len: 1500, Link: 1}, got{1_000_000_007, "abcde", 1500, 1, 0}},
				{"empty", 0, packet.Frame{Link: 1}, got{0, "", 0, 1, 0}},
				{"no length", 0, packet.Frame{Data: []byte("abcd"), Link: 1}, got{0, "abcd", 4, 1, 0}},
				{"cut", 3, packet.Frame{Data: []byte("abcd"), Len: 4, Link: 1}, got{0, "abc", 4, 1, 0}},
				{"before 1970", 0, packet.Frame{Time: -5, Link: 1}, got{0, "", 0, 1, 0}},
				{"tag", 0, packet.Frame{Data: []byte(eth + "\x08\x00hi"), Len: 90, Link: 1, VLANTPID: 0x8100, VLAN: 0x2007},
					got{0, eth + "\x81\x00\x20\x07\x08\x00hi", 94, 1, 0}},
				{"tag cut within", 14, packet.Frame{Data: []byte(eth + "\x08\x00hi"), Len: 16, Link: 1, VLANTPID: 0x8100, VLAN: 7},
					got{0, eth + "\x81\x00", 20, 1, 0}},
				{"tag cut before", 5, packet.Frame{Data: []byte(eth + "\x08\x00hi"), Len: 16, Link: 1, VLANTPID: 0x8100, VLAN: 7},
					got{0, "ddddd", 20, 1, 0}},
				{"tag of a short frame", 0, packet.Frame{Data: []byte("abc"), Len: 3, Link: 1, VLANTPID: 0x8100}, got{0, "abc", 3, 1, 0}},
			} {
				var out bytes.Buffer
				w, err := create(&out, 1, c.snap)
				if err != nil {
					t.Fatal(err)
				}
				for range 2 {
					if err := w.Write(&c.in); err != nil {
						t.Fatal(err)
					}
				}
				if err := w.Flush(); err != nil {
					t.Fatal(err)
				}
				all, err := drain(NewReader("x", &out))
				if err != nil || !equal(all, []got{c.want, c.want}) {
					t.Errorf("%s: %v, %v\nwant twice %v", c.what, all, err, c.want)
				}
			}
		})
	}
}

func TestWriterLinkTypes(t *testing.T) {
	var out bytes.Buffer
	w, _ := NewWriter(&out, 1, 0)
	for i := range maxLinks {
		for range 2 {
			if err := w.Write(&packet.Frame{Data: []byte("a"), Link: packet.LinkType(1 + i)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Write(&packet.Frame{Link: 999}); !errors.Is(err, ErrLinkType) {
		t.Errorf("one link type too many: %v", err)
	}
	w.Flush()
	all, err := drain(NewReader("x", &out))
	if err != nil || len(all) != 2*maxLinks || all[127].link != 64 || all[127].iface != 63 {
		t.Errorf("%d frames, %v", len(all), err)
	}
	w, _ = NewPcapWriter(&out, 1, 0)
	if err := w.Write(&packet.Frame{Link: 101}); !errors.Is(err, ErrLinkType) {
		t.Errorf("second link type in a pcap: %v", err)
	}
}

type full struct{ room int }

var errFull = errors.New("disk full")

func (f *full) Write(p []byte) (int, error) {
	if f.room < len(p) {
		return f.room, errFull
	}
	f.room -= len(p)
	return len(p), nil
}

func TestWriterError(t *testing.T) {
	for name, create := range writers {
		w, err := create(&full{1000}, 1, 0)
		for i := 0; err == nil && i < 100; i++ {
			err = w.Write(&packet.Frame{Link: 1, Data: make([]byte, 9000), VLANTPID: 0x8100})
		}
		if err != errFull || w.Flush() != errFull {
			t.Errorf("%s: %v, then %v", name, err, w.Flush())
		}
	}
}

func TestWriterAllocs(t *testing.T) {
	for name, create := range writers {
		w, _ := create(io.Discard, 1, 0)
		f := packet.Frame{Link: 1, Data: make([]byte, 901), VLANTPID: 0x8100}
		if n := testing.AllocsPerRun(1000, func() { w.Write(&f) }); n != 0 {
			t.Errorf("%s: %v allocations per packet", name, n)
		}
	}
}
