package main

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/store"
)

const month = 31 * 24 * time.Hour

var (
	categories = []event.Category{event.Scan, event.Scan, event.Scan, event.Mining, event.Mining, event.Botnet, event.Exploit, event.Bruteforce, event.WebThreat, event.DNS, event.Odd, event.Policy}
	kinds      = []string{"camera", "computer", "phone", "tv", "nas", "recorder", "router", "console", "printer", "unknown"}
	countries  = []string{"US", "CN", "JP", "DE", "RU", "NL", "BR", "IN", "GB", "KR", "FR", "VN"}
	actions    = []string{"allowed", "blocked", "would_block"}
)

// generator makes up a month of findings of a home with 50 devices. The same
// number gives the same findings.
type generator struct {
	n     int
	start time.Time
	rnd   *rand.Rand
	eve   event.EVE
	bytes int64
	lines int64
}

func newGenerator(n int) *generator {
	return &generator{n: n, start: time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC), rnd: rand.New(rand.NewPCG(1, 2))}
}

func (g *generator) device(i int) string { return fmt.Sprintf("mac:02:00:5e:00:00:%02x", i%50) }

func (g *generator) lineBytes() float64 { return float64(g.bytes) / float64(max(g.lines, 1)) }

func (g *generator) batch(from, n int) []store.Finding {
	out := make([]store.Finding, 0, n)
	for i := from; i < from+n; i++ {
		out = append(out, g.finding(i))
	}
	return out
}

func (g *generator) finding(i int) store.Finding {
	r := g.rnd
	d := r.IntN(50)
	cat := categories[r.IntN(len(categories))]
	remote := netip.AddrFrom4([4]byte{198, byte(18 + i>>23&1), byte(i >> 15), byte(i >> 7)})
	ev := event.Event{
		Time: g.start.UnixNano() + int64(month)/int64(g.n)*int64(i), Type: event.Alert, FlowID: r.Uint64() >> 1, HasAddr: true, Proto: packet.ProtoTCP,
		Src: packet.AddrOf(netip.AddrFrom4([4]byte{192, 168, 1, byte(10 + d)})), Dst: packet.AddrOf(remote), SrcPort: uint16(32768 + r.IntN(28000)), DstPort: uint16(1 + r.IntN(9999)),
		SrcMAC: packet.MAC{2, 0, 0x5e, 0, 0, byte(d)}, DstMAC: packet.MAC{2, 0, 0x5e, 0, 1, 1}, HasMAC: true, Iface: "br-lan", AppProto: "stratum",
		Finding: &event.Finding{Category: cat, Family: fmt.Sprintf("family-%d", r.IntN(40)), Detector: string(cat), Level: event.Level(1 + r.IntN(3)), Confidence: float64(r.IntN(1000)) / 1000,
			SignatureID: uint32(1000 + i&127), Signature: "Yamori " + string(cat) + " finding", Severity: uint8(1 + r.IntN(3)), Action: actions[r.IntN(3)],
			Evidence: []event.Evidence{{Code: "stratum.login", Value: fmt.Sprintf("agent XMRig/6.%d.%d", r.IntN(30), r.IntN(9)), Weight: 4.5}, {Code: "flow.shape", Value: fmt.Sprint(r.IntN(1_000_000)), Weight: 1.25}},
			Code:     string(cat) + ".seen", Args: []event.Arg{{Name: "pool", Value: remote.String()}}, Device: event.DeviceRef{ID: g.device(d), Kind: kinds[d%len(kinds)], Name: fmt.Sprintf("thing %d", d)}},
	}
	c := r.IntN(len(countries))
	f := store.FindingOf(&g.eve, &ev, store.Where{Direction: store.Direction(1 + r.IntN(3)), Remote: remote, Country: countries[c], ASN: uint32(64496 + c*3 + r.IntN(3))})
	g.bytes += int64(len(f.EVE))
	g.lines++
	return f
}
