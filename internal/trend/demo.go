package trend

import (
	"time"

	"github.com/yamori-net/yamori/internal/event"
)

// The public figures of 2017 about attacks on homes, which the demonstration
// reproduces. Source: Trend Micro's statements about the detection log of its
// Smart Home Network (press releases and reports of July 2017 to February
// 2018), as far as they could be read.
const (
	// DemoMining is the mining events of 2017, DemoMiningShare their share of
	// all events; October was the busiest month.
	DemoMining      = 45_600_000
	DemoMiningShare = 0.49
	// DemoSeptemberShare is mining's share in September 2017, and
	// DemoQuarterGrowth what mining grew by at least from July to September.
	DemoSeptemberShare = 0.59
	DemoQuarterGrowth  = 0.90
	// DemoAttacks is the attacks of January to June that passed home routers,
	// DemoOutbound the share of them that left the home.
	DemoAttacks  = 1_800_000
	DemoOutbound = 0.08
	// DemoIoT is the share of web cameras and game consoles among what sent
	// mining traffic in January to September.
	DemoIoT = 0.06
)

// demoCountries are the shares of the attacks of the first half of 2017, in
// per cent; the other 30 are not named.
var demoCountries = [...]struct {
	code string
	pct  uint64
}{{"US", 28}, {"CN", 7}, {"GB", 7}, {"HK", 5}, {"CA", 5}, {"AU", 4}, {"SE", 4}, {"NL", 4}, {"TW", 3}, {"RU", 3}}

// demoMining is the mining events by month, in thousands. The sum, September
// against July, and October's being the largest are published; how the rest
// spreads over the months is illustrative.
var demoMining = [12]uint64{900, 1000, 1200, 1500, 1900, 2400, 3400, 4800, 6600, 9300, 6700, 5900}

// demoTotal is all events by month, in thousands: 45.6 million are 49 % of
// their sum, and 6.6 million are 59 % of September's.
var demoTotal = [12]uint64{4500, 4700, 4900, 5300, 5800, 6300, 7400, 8900, 11186, 13700, 10600, 9775}

// demoOther spreads what is neither mining nor an attack of the first half.
// Illustrative.
var demoOther = [...]struct {
	cat    event.Category
	family string
	share  uint64 // per cent
}{{event.Scan, "port-scan", 34}, {event.Bruteforce, "default-password", 31}, {event.Botnet, "mirai", 19}, {event.Flood, "blacknurse", 9}, {event.WebThreat, "web-injection", 7}}

// demoKinds spreads mining over device kinds: cameras and consoles make 6 %,
// which is published; the rest is illustrative.
var demoKinds = [...]struct {
	kind  string
	share uint64 // per cent
}{{"computer", 82}, {"phone", 7}, {"tablet", 3}, {"nas", 2}, {"camera", 5}, {"console", 1}}

// Demo returns the demonstration data of 2017, cut to the months that begin
// within from … to; what comes before from is there to compare with.
func Demo(from, to time.Time) *Data {
	all := demo()
	d := &Data{From: from, To: to, Demo: true, Sources: all.Sources, Notes: all.Notes}
	before := Before(from, to)
	for _, r := range all.Rows {
		switch {
		case !r.Start.Before(from) && r.Start.Before(to):
			d.Rows = append(d.Rows, r)
		case !r.Start.Before(before) && r.Start.Before(from):
			d.Before = append(d.Before, r)
		}
	}
	return d
}

// What is said beside the demonstration.
const (
	demoSource       = "Trend Micro, detection log of Smart Home Network, 2017 (published totals)"
	demoPublished    = "Published: 45.6 million mining events in 2017, 49 % of all; October the busiest month; 59 % of September's events; more than +90 % from July to September; 6 % of mining devices were cameras and consoles (January to September); 1.8 million attacks in January to June, 8 % of them outbound, and their ten countries."
	demoIllustrative = "Illustrative: how the months share the totals, the families, the kinds of the other devices, the categories of the events that are not mining, what was blocked."
)

// DemoFrom and DemoTo bound the year of the demonstration.
var (
	DemoFrom = time.Date(2017, 1, 1, 0, 0, 0, 0, time.UTC)
	DemoTo   = time.Date(2018, 1, 1, 0, 0, 0, 0, time.UTC)
)

func demo() *Data {
	d := &Data{
		Sources: []string{demoSource},
		Notes:   []string{demoPublished, demoIllustrative},
	}
	for m := range 12 {
		start := time.Date(2017, time.Month(m+1), 1, 0, 0, 0, 0, time.UTC)
		mine := demoMining[m] * 1000
		left := mine
		for i, k := range demoKinds {
			n := mine * k.share / 100
			if i == len(demoKinds)-1 {
				n = left
			}
			left -= n
			d.add(Row{Start: start, Category: event.Mining, Family: "stratum", Kind: k.kind, Outbound: true}, n)
		}
		rest := demoTotal[m]*1000 - mine
		if m < 6 {
			attacks := uint64(DemoAttacks / 6)
			rest -= attacks
			d.attacks(start, attacks)
		}
		left = rest
		for i, o := range demoOther {
			n := rest * o.share / 100
			if i == len(demoOther)-1 {
				n = left
			}
			left -= n
			d.add(Row{Start: start, Category: o.cat, Family: o.family, Kind: "unknown", Blocked: true}, n)
		}
	}
	return d
}

// attacks spreads n attacks over the countries, 8 % of each outbound.
func (d *Data) attacks(start time.Time, n uint64) {
	row := Row{Start: start, Category: event.Exploit, Family: "web-exploit", Kind: "router", Blocked: true}
	both := func(c string, n uint64) {
		row.Country = c
		out := n * 8 / 100
		row.Outbound = true
		d.add(row, out)
		row.Outbound = false
		d.add(row, n-out)
	}
	left := n
	for _, c := range demoCountries {
		both(c.code, n*c.pct/100)
		left -= n * c.pct / 100
	}
	both(Other, left) // countries that are not named
}

func (d *Data) add(r Row, n uint64) {
	if r.Count = n; n > 0 {
		d.Rows = append(d.Rows, r)
	}
}
