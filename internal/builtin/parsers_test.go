package builtin_test

import (
	"runtime"
	"testing"

	"github.com/yamori-net/yamori/internal/builtin"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

// Bounds of what one parser is before its flow has said much, and of what it
// keeps for the next one: an engine has thousands of both.
const (
	mostFresh = 4 << 10
	mostKept  = 40 << 10 // TLS: hellos, two chains and their texts
)

// A new parser is small: what only some flows need is made when they do.
func TestFreshParsers(t *testing.T) {
	if raceEnabled {
		t.Skip("skips all protocols: the race detector changes what is allocated")
	}
	for _, p := range builtin.Protocols() {
		const n = 1000
		keep := make([]proto.Parser, n)
		var a, b runtime.MemStats
		runtime.ReadMemStats(&a)
		for i := range keep {
			keep[i] = p.New()
		}
		runtime.ReadMemStats(&b)
		runtime.KeepAlive(keep)
		size := int(b.TotalAlloc-a.TotalAlloc) / n
		t.Logf("%-12s %5d bytes", p.Name, size)
		if size > mostFresh {
			t.Errorf("%s: a new parser takes %d bytes", p.Name, size)
		}
	}
}

// Reset lets go of what a hostile flow made a parser hold.
func TestParsersKeepLittle(t *testing.T) {
	byName := map[string]proto.Protocol{}
	for _, p := range builtin.Protocols() {
		byName[p.Name] = p
	}
	for _, a := range append(attacks(), datagrams()...) {
		p, ok := byName[a.app]
		if !ok {
			continue
		}
		o := prototest.Options{Conn: proto.Conn{Transport: p.On & (proto.TCP | proto.UDP), ServerPort: a.port}}
		if o.Conn.Transport != proto.UDP {
			o.Conn.Transport = proto.TCP
		}
		says := a.says
		if a.app == "websocket" {
			says = says[2:] // behind the upgrade
		}
		var parts []prototest.Part
		for _, x := range says {
			d := packet.ToServer
			if x.server {
				d = packet.ToClient
			}
			parts = append(parts, prototest.Part{Dir: d, Data: []byte(x.data)})
		}
		ps := p.New()
		sizer, ok := ps.(proto.Sizer)
		if !ok {
			continue // it holds nothing
		}
		most := 0
		o.OnTx = func(proto.Tx, bool) { most = max(most, sizer.Size()) }
		prototest.DriveParser(p, ps, o, parts...)
		most = max(most, sizer.Size())
		ps.Reset()
		t.Logf("%-20s held %7d, keeps %6d", a.name, most, sizer.Size())
		if n := sizer.Size(); n > mostKept {
			t.Errorf("%s: keeps %d bytes", a.name, n)
		}
	}
}
