package mining_test

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/builtin"
	"github.com/yamori-net/yamori/internal/detect"
	"github.com/yamori-net/yamori/internal/detect/mining"
	"github.com/yamori-net/yamori/internal/engine"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/seq/seqlog"
)

// TestWires puts every third pair of the first recording on the wire again as other
// implementations of TLS would have it, cut otherwise, and from the middle on:
// nobody who talks like a miner is missed for that alone, and hardly any service
// is called. What all of the recordings give, `minetrain wires` prints.
func TestWires(t *testing.T) {
	all, err := seqlog.Read("testdata/sequences/a.seq.gz")
	if err != nil {
		t.Fatal(err)
	}
	var flows []*seqlog.Flow
	miners := 0
	for _, f := range all {
		if n, _ := strconv.Atoi(strings.TrimPrefix(f.ID, "a-")); n/3%3 != 0 || len(flows) > 0 && flows[len(flows)-1].ID == f.ID {
			continue
		}
		flows = append(flows, f)
		if f.Mining {
			miners++
		}
	}
	seal := func(name string) seqlog.Seal {
		i := slices.IndexFunc(seqlog.Seals, func(s seqlog.Seal) bool { return s.Name == name })
		if i < 0 {
			t.Fatalf("no seal %q", name)
		}
		return seqlog.Seals[i]
	}
	for _, tt := range []struct {
		name   string
		seal   string
		port   uint16
		midway bool
		packet int   // most content of one, 0: as usual
		from   int64 // content before is not in the capture
		tail   bool  // the last byte of each message goes in a record of its own
		snap   int
		found  int // miners, at least
		called int // services but impostors, at most
	}{
		{name: "as recorded", found: 33},
		{name: "ChaCha20", seal: "1.2 ChaCha20-Poly1305", found: 33},
		{name: "CBC", seal: "1.2 AES-CBC SHA-256", found: 30},
		{name: "padded to 16", seal: "1.3 padded to 16 (Mbed TLS)", found: 30},
		{name: "end of line by itself", tail: true, found: 33},
		{name: "packets of 3 bytes", packet: 3, found: 33},
		{name: "packets cut after 96 bytes", snap: 96, found: 33},
		{name: "from the middle on, the server's port above the client's", midway: true, port: 45701, from: 300e9, found: 33},
	} {
		w := seqlog.Wire{Name: "s.lab.example", Seal: seqlog.Seals[0], Segment: tt.packet, Midway: tt.midway}
		if tt.seal != "" {
			w.Seal = seal(tt.seal)
		}
		got := wired(t, &w, flows, max(443, tt.port), tt.snap, func(f *seqlog.Flow) *seqlog.Flow { return changed(f, tt.from, tt.tail) })
		found, called := 0, 0
		for i, f := range flows {
			switch {
			case !got[i] || f.Client == "counter-events" || f.Client == "eth-subscribe": // made to be miners in all but what they say
			case f.Mining:
				found++
			default:
				called++
				t.Logf("%s: %s (%s) is called", tt.name, f.ID, f.Client)
			}
		}
		t.Logf("%s: %d of %d miners, %d of %d services", tt.name, found, miners, called, len(flows)-miners)
		if found < tt.found || called > tt.called {
			t.Errorf("%s: %d miners, %d services; want at least %d, at most %d", tt.name, found, called, tt.found, tt.called)
		}
	}
}

// changed returns what of a flow is in the capture, in records as they are sent.
func changed(f *seqlog.Flow, from int64, tail bool) *seqlog.Flow {
	g := *f
	g.Msgs = nil
	for _, m := range f.Msgs {
		if m.At < from {
			continue
		}
		m.At -= from
		if tail && m.Len > 1 {
			m.Len--
			g.Msgs = append(g.Msgs, m)
			m.Len = 1
		}
		g.Msgs = append(g.Msgs, m)
	}
	return &g
}

// wired runs flows through the whole engine, each from a device of its own, and
// returns which of them are found as mining.
func wired(t *testing.T, w *seqlog.Wire, flows []*seqlog.Flow, port uint16, snap int, change func(*seqlog.Flow) *seqlog.Flow) []bool {
	t.Helper()
	found := make([]bool, len(flows))
	e, err := engine.New(engine.Config{Protocols: builtin.Protocols(), Detectors: []detect.Detector{mining.Sequence()}, Workers: 1,
		Sink: func(int) event.Sink {
			return event.SinkFunc(func(ev *event.Event) {
				if ev.Type == event.Alert && ev.Finding != nil && ev.Finding.Level >= event.Likely {
					a := ev.Src.Netip().As4()
					found[int(a[2])<<8|int(a[3])] = true
				}
			})
		}})
	if err != nil {
		t.Fatal(err)
	}
	w.Server = netip.AddrPortFrom(netip.MustParseAddr("198.18.0.2"), port)
	w.Start = 1e18
	for i, f := range flows {
		w.Client = netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 168, byte(i >> 8), byte(i)}), 40000)
		last := w.Start
		w.Frames(change(f), func(at int64, b []byte) {
			n := len(b)
			if snap > 0 {
				n = min(n, snap)
			}
			e.Workers[0].Handle(&packet.Frame{Time: at, Data: b[:n], Len: len(b), Link: packet.LinkEthernet})
			last = at
		})
		w.Start = last + 1e9
	}
	e.Close()
	return found
}
