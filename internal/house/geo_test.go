package house

import (
	"bytes"
	"context"
	"encoding/csv"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/device"
	"github.com/yamori-net/yamori/internal/geo"
	"github.com/yamori-net/yamori/internal/geo/geotest"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/report"
	"github.com/yamori-net/yamori/internal/store"
	"github.com/yamori-net/yamori/internal/trend"
)

func places(t *testing.T, kind string, nets map[string]geotest.Map) *geo.DB {
	t.Helper()
	db, err := geo.Open(geotest.Write(t, kind, nets))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func system(n uint32, name string) geotest.Map {
	return geotest.Map{"autonomous_system_number": n, "autonomous_system_organization": name}
}

// TestPlaces: findings are counted by country and network of the other end, IPv4
// and IPv6, whoever began; networks have names; source and licence are named in
// every form.
func TestPlaces(t *testing.T) {
	countries := places(t, "country", map[string]geotest.Map{
		"203.0.113.0/24": {"country_code": "JP"}, "198.51.100.0/24": geotest.Country("DE"), "2001:db8:1::/48": {"country_code": "DE"}, "192.168.0.0/16": {"country_code": "XX"}})
	networks := places(t, "asn", map[string]geotest.Map{
		"203.0.113.0/24": system(64500, "Example Net"), "198.51.100.0/25": system(64501, "<b>Bold</b> Hosting"), "2001:db8:1::/48": system(64501, "<b>Bold</b> Hosting"), "198.51.100.128/25": system(64502, "")})
	v6 := func(s byte) packet.Addr {
		return packet.AddrFrom16([]byte{0x20, 1, 0xd, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, s})
	}
	for _, c := range []struct {
		name        string
		said        string
		sources     []string
		countries   *geo.DB
		networks    *geo.DB
		wantCountry string
		wantNetwork string
	}{
		{"both", "", []string{geotest.Source}, countries, networks, "DE 5, JP 4", "AS64500 Example Net 4, AS64501 <b>Bold</b> Hosting 4, AS64502 1"},
		{"the owner names the source", "Mine, CC BY 4.0 (https://example.net/licence).", []string{"Mine, CC BY 4.0 (https://example.net/licence)."}, countries, networks, "DE 5, JP 4", "AS64500 Example Net 4, AS64501 <b>Bold</b> Hosting 4, AS64502 1"},
		{"networks alone", "", []string{geotest.Source}, nil, networks, "", "AS64500 Example Net 4, AS64501 <b>Bold</b> Hosting 4, AS64502 1"},
		{"countries alone", "", []string{geotest.Source}, countries, nil, "DE 5, JP 4", ""},
		{"neither", "nothing is known, so nothing is named", []string{}, nil, nil, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, err := Open(Config{Store: store.Config{Dir: t.TempDir()}, HomeNet: device.DefaultHome(), Location: time.UTC, Geo: c.countries, Networks: c.networks, GeoSource: c.said,
				Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: time.Now, Version: "test"})
			if err != nil {
				t.Fatal(err)
			}
			defer h.Close()
			joined(h)
			n := uint64(0)
			find := func(src, dst packet.Addr) {
				n++
				ev := mining(h, n)
				ev.Src, ev.Dst = src, dst
				// Each is a finding of its own, not a repeat of the last.
				f := *ev.Finding
				f.SignatureID += uint32(n)
				ev.Finding = &f
				h.Recorder().Event(ev)
			}
			for range 4 {
				find(camIP, pool)
			}
			for i := range byte(2) {
				find(packet.AddrFrom4([]byte{198, 51, 100, 1 + i}), camIP) // from outside
				find(camIP, v6(i))
			}
			find(camIP, packet.AddrFrom4([]byte{198, 51, 100, 200}))
			find(camIP, packet.AddrFrom4([]byte{192, 0, 2, 1}))    // nobody knows it
			find(camIP, packet.AddrFrom4([]byte{192, 168, 1, 50})) // at home
			b := h.Backend(quiet{})
			ctx := context.Background()
			wait(t, "all findings are kept", func() bool {
				l, _, err := b.Findings.Findings(ctx, api.FindingQuery{Category: "mining"}, api.Page{Limit: 50})
				return err == nil && len(l) == int(n)
			})
			if err := h.Store.Flush(ctx); err != nil {
				t.Fatal(err)
			}
			from, to := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
			d, err := h.Figures(ctx, from, to)
			if err != nil {
				t.Fatal(err)
			}
			r := trend.Make(d)
			list := func(l []trend.Share) string {
				var out []string
				for _, s := range l {
					name := s.Name
					if s.Label != "" {
						name = s.Label
					}
					out = append(out, name+" "+number(s.Count))
				}
				return strings.Join(out, ", ")
			}
			if got := list(r.Countries); got != c.wantCountry {
				t.Errorf("countries: %s, want %s", got, c.wantCountry)
			}
			if got := list(r.Networks); got != c.wantNetwork {
				t.Errorf("networks: %s, want %s", got, c.wantNetwork)
			}
			if !slices.Equal(r.Sources, c.sources) || r.Total.Count != n {
				t.Errorf("sources %q, %d events", r.Sources, r.Total.Count)
			}
			// The API says the same.
			tr, err := b.Figures.Trends(ctx, from, to)
			if err != nil || len(tr.Networks) != len(r.Networks) || !slices.Equal(tr.Sources, c.sources) {
				t.Errorf("%+v %v", tr.Networks, err)
			}
			for i, x := range tr.Networks {
				if x.Name != r.Networks[i].Name || x.Label != r.Networks[i].Label || !strings.HasPrefix(x.Name, "AS") || strings.Contains(x.Name, " ") {
					t.Errorf("%+v", x)
				}
			}
			pages(t, r, c.wantNetwork != "")
		})
	}
}

func number(n uint64) string { return string(rune('0' + n)) }

// pages looks at what people read.
func pages(t *testing.T, r *trend.Report, named bool) {
	t.Helper()
	for _, lang := range []report.Lang{report.English, report.Japanese} {
		var page, text bytes.Buffer
		if err := trend.WriteHTML(&page, r, lang); err != nil {
			t.Fatal(err)
		}
		if err := trend.WriteText(&text, r, lang); err != nil {
			t.Fatal(err)
		}
		for _, s := range r.Sources {
			want := s
			if before, _, ok := strings.Cut(s, "https://"); ok {
				want = before + `<a href="https://example.net/licence" rel="noreferrer">https://example.net/licence</a>).`
			}
			if !strings.Contains(page.String(), "<li>"+want+"</li>") || !strings.Contains(text.String(), s) {
				t.Errorf("%s: the source %q is not named", lang, s)
			}
		}
		if strings.Contains(page.String(), "AS64500 Example Net") != named || strings.Contains(text.String(), "AS64500 Example Net") != named || strings.Contains(page.String(), "<b>Bold") {
			t.Errorf("%s: names of networks", lang)
		}
	}
	var b bytes.Buffer
	if err := trend.WriteCSV(&b, r); err != nil {
		t.Fatal(err)
	}
	recs, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if got := slices.ContainsFunc(recs, func(rec []string) bool {
		return rec[0] == "network" && rec[1] == "AS64500" && rec[2] == "AS64500 Example Net" && rec[3] == "4"
	}); got != named {
		t.Error("the name of a network in CSV")
	}
	for _, s := range r.Sources {
		if !slices.ContainsFunc(recs, func(rec []string) bool { return rec[0] == "source" && rec[1] == s }) {
			t.Errorf("the source %q is not in CSV", s)
		}
	}
}

// TestManyNetworks: the names of the largest are known when there are more
// networks than a report lists.
func TestManyNetworks(t *testing.T) {
	h := &House{cfg: Config{Networks: places(t, "asn", map[string]geotest.Map{"203.0.113.0/24": system(64500, "Example Net"), "192.0.2.0/24": system(64501, "Small")})}}
	rows := []trend.Row{{Network: "AS64501", Count: 1}, {Network: "AS0", Count: 9}, {Network: "", Count: 9}, {Network: trend.Other, Count: 9}, {Network: "ASx", Count: 9}}
	for i := range geo.MaxNames {
		rows = append(rows, trend.Row{Network: "AS64600", Count: uint64(i + 2)})
	}
	rows = append(rows, trend.Row{Network: "AS64500", Count: 1 << 40})
	h.nameNetworks(rows)
	for _, r := range rows {
		if want := map[string]string{"AS64500": "AS64500 Example Net"}[r.Network]; r.Name != want {
			t.Errorf("%s (%d): %q, want %q", r.Network, r.Count, r.Name, want)
		}
	}
	h.cfg.Networks = nil
	h.nameNetworks(rows)
	if len(h.sources()) != 0 {
		t.Error("no database names a source")
	}
}
