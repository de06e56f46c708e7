package http2

import (
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// Fields without name and value cost three bytes each and take a place in the
// table: evicted ones must not pile up.
func TestTableOfEmptyEntries(t *testing.T) {
	var d decoder
	d.table.reset()
	for range 1000 {
		if err := d.decode([]byte(strings.Repeat("\x40\x00\x00", 1000)), &Tx{}, ignore); err != nil {
			t.Fatal(err)
		}
	}
	live := tableDefault / entryCost
	if n := len(d.table.entries) - d.table.first; n != live {
		t.Errorf("%d entries in the table, want %d", n, live)
	}
	if n := cap(d.table.entries); n > 8*live {
		t.Errorf("memory for %d entries", n)
	}
	if _, _, ok := d.table.get(live); !ok {
		t.Error("the oldest entry is gone")
	}
}

// What is counted for streams is all given back, and Reset keeps little.
func TestSize(t *testing.T) {
	p := newParser()
	idle := p.Size()
	c := &proto.Conn{OnTx: func(proto.Tx, bool) {}, OnAnomaly: func(string) {}}
	long := strings.Repeat("v", 3000)
	b := preface + frame(frHeaders, flEndHeaders, 1, "\x40\x01n\x7f\xb9\x16"+long)
	for i := range 2 * MaxStreams {
		b += frame(frHeaders, flEndHeaders, uint32(3+2*i), "\xbe\xbe")
	}
	if _, err := p.Parse(c, packet.ToServer, []byte(b)); err != nil {
		t.Fatal(err)
	}
	if n := p.Size(); n < MaxStreams*2*len(long) || n > 4*MaxStreams*MaxHead {
		t.Errorf("holds %d bytes", n)
	}
	p.End(c)
	if p.held != 0 {
		t.Errorf("%d bytes of no stream", p.held)
	}
	p.Reset()
	if n := p.Size(); n > idle+8<<10 {
		t.Errorf("keeps %d bytes", n)
	}
}
