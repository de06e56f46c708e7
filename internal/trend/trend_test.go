package trend

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/report"
)

// TestDemo: the demonstration gives the published figures of 2017.
func TestDemo(t *testing.T) {
	r := Make(Demo(DemoFrom, DemoTo))
	near := func(what string, got, want, by float64) {
		t.Helper()
		if math.Abs(got-want) > by {
			t.Errorf("%s: %v, published %v", what, got, want)
		}
	}
	if r.Mining.Count != DemoMining {
		t.Errorf("mining events: %d, published %d", r.Mining.Count, DemoMining)
	}
	near("mining's share", r.Share, DemoMiningShare, 0.005)
	if r.Busiest != "2017-10" {
		t.Errorf("busiest month: %s, published October", r.Busiest)
	}
	if len(r.Months) != 12 {
		t.Fatalf("%d months", len(r.Months))
	}
	near("mining's share in September", r.Months[8].MiningShare, DemoSeptemberShare, 0.005)
	if g := Growth(r.Months[6].Mining, r.Months[8].Mining); g == nil || *g <= DemoQuarterGrowth {
		t.Errorf("September against July: %v, published more than %v", g, DemoQuarterGrowth)
	}
	nine := Make(Demo(DemoFrom, DemoFrom.AddDate(0, 9, 0)))
	iot := 0.0
	for _, s := range nine.Miners {
		if s.Name == "camera" || s.Name == "console" {
			iot += s.Share
		}
	}
	near("cameras and consoles", iot, DemoIoT, 0.001)

	half := Demo(DemoFrom, DemoFrom.AddDate(0, 6, 0))
	half.Rows = only(half.Rows, event.Exploit)
	h := Make(half)
	if h.Total.Count != DemoAttacks {
		t.Errorf("attacks of the first half: %d, published %d", h.Total.Count, DemoAttacks)
	}
	near("outbound", part(h.Outbound, h.Total.Count), DemoOutbound, 0.001)
	for i, c := range demoCountries {
		near(c.code, h.Countries[i].Share, float64(c.pct)/100, 0.001)
	}
	if h.Countries[10].Name != Other || len(h.Countries) != 11 {
		t.Errorf("countries: %+v", h.Countries)
	}
}

var monday = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// TestFigures works out every figure by hand.
func TestFigures(t *testing.T) {
	d := &Data{From: monday, To: monday.AddDate(0, 0, 14), Rows: []Row{
		{Start: monday, Category: event.Mining, Family: "stratum", Kind: "camera", Device: "d1", Name: "Garden", Country: "DE", Network: "AS1", Outbound: true, Blocked: true, Count: 3},
		{Start: monday.AddDate(0, 0, 8), Category: event.Mining, Family: "stratum", Kind: "camera", Device: "d1", Count: 6},
		{Start: monday.AddDate(0, 0, 13), Category: event.Scan, Kind: "unknown", Country: "FR", Count: 1},
		{Start: monday.AddDate(0, 0, 20), Category: event.Scan, Device: "late", Count: 0},
	}, Before: []Row{{Start: monday.AddDate(0, 0, -3), Category: event.Mining, Device: "d1", Kind: "camera", Count: 4}, {Start: monday.AddDate(0, 0, -3), Category: event.Scan, Count: 1}}}
	r := Make(d)
	if r.Total.Count != 10 || *r.Total.Before != 5 || *r.Total.Growth != 1 || r.Mining.Count != 9 || *r.Mining.Growth != 1.25 ||
		r.Share != 0.9 || r.Blocked != 3 || r.Outbound != 3 || r.Busiest != "2026-03" {
		t.Errorf("%+v", r)
	}
	if len(r.Weeks) != 2 || r.Weeks[0].Key != "2026-W10" || r.Weeks[0].Total != 3 || r.Weeks[1].Mining != 6 || *r.Weeks[1].Growth != 1 {
		t.Errorf("weeks %+v", r.Weeks)
	}
	if len(r.Days) != 14 || r.Days[8].Total != 6 || r.Days[1].Total != 0 || r.Days[9].Growth == nil || *r.Days[9].Growth != -1 {
		t.Errorf("days %+v", r.Days)
	}
	if c := r.Categories; len(c) != 2 || c[0].Name != "mining" || c[0].Blocked != 3 || c[1].Growth == nil || *c[1].Growth != 0 {
		t.Errorf("categories %+v", c)
	}
	if c := r.Countries; len(c) != 2 || c[0].Share != 0.75 || c[1].Name != "FR" {
		t.Errorf("countries %+v", c)
	}
	if r.Devices[0].Label != "Garden" || r.Devices[0].Count != 9 {
		t.Errorf("devices %+v", r.Devices)
	}
}

// TestTables: a table with rows of its own is made of them alone.
func TestTables(t *testing.T) {
	d := &Data{From: monday, To: monday.AddDate(0, 2, 0), Coarse: true,
		Rows:   []Row{{Start: monday, Category: event.Mining, Family: "not this", Count: 5}},
		Before: []Row{{Start: monday.AddDate(0, -1, 0), Category: event.Mining, Count: 2}},
		Tables: map[Table]Rows{
			ByFamily:    {Now: []Row{{Family: "stratum", Count: 5, Blocked: true}}, Before: []Row{{Family: "stratum", Count: 2}}},
			ByMiner:     {Now: []Row{{Kind: "camera", Count: 5}}},
			ByDevice:    {Now: []Row{{Device: "d1", Name: "Garden", Count: 5}}},
			ByDirection: {Now: []Row{{Outbound: true, Count: 4}, {Count: 1}}},
		}}
	r := Make(d)
	if r.Outbound != 4 || len(r.Families) != 1 || r.Families[0].Name != "stratum" || *r.Families[0].Growth != 1.5 || r.Families[0].Blocked != 5 {
		t.Errorf("%+v", r.Families)
	}
	if r.Miners[0].Name != "camera" || *r.Miners[0].Before != 0 || r.Miners[0].Growth != nil || r.Devices[0].Label != "Garden" {
		t.Errorf("%+v %+v", r.Miners, r.Devices)
	}
	if len(r.Weeks) != 0 || len(r.Days) != 0 || r.Weeks == nil || len(r.Months) != 3 {
		t.Errorf("%d months, %d weeks, %d days", len(r.Months), len(r.Weeks), len(r.Days))
	}
}

func TestNothing(t *testing.T) {
	for _, d := range []*Data{{From: monday, To: monday}, {From: monday, To: monday.AddDate(0, 1, 0)}, {From: monday, To: monday.AddDate(-1, 0, 0)}, {From: time.Time{}, To: monday}} {
		r := Make(d)
		if r.Share != 0 || r.Total.Growth != nil {
			t.Errorf("%+v", r)
		}
		for _, lang := range []report.Lang{report.English, report.Japanese} {
			var b bytes.Buffer
			if err := WriteText(&b, r, lang); err != nil || !strings.Contains(b.String(), wordsOf(lang).none) {
				t.Errorf("%v %q", err, b.String())
			}
			if err := WriteHTML(&b, r, lang); err != nil {
				t.Error(err)
			}
		}
		if err := WriteCSV(&bytes.Buffer{}, r); err != nil {
			t.Error(err)
		}
	}
}

// TestTop: a table has ten lines and one for the rest, and loses nothing.
func TestTop(t *testing.T) {
	var rows []Row
	for i := range 25 {
		rows = append(rows, Row{Start: monday, Category: event.Scan, Family: string(rune('a' + i)), Count: uint64(i + 1)})
	}
	rows = append(rows, Row{Start: monday, Category: event.Scan, Family: Other, Count: 1000})
	r := Make(&Data{From: monday, To: monday.AddDate(0, 0, 1), Rows: rows, Before: rows})
	var sum, was uint64
	for _, s := range r.Families {
		sum += s.Count
		was += *s.Before
	}
	if len(r.Families) != 11 || r.Families[10].Name != Other || sum != r.Total.Count || was != sum {
		t.Errorf("%d lines, %d of %d, %d before", len(r.Families), sum, r.Total.Count, was)
	}
}

// TestWriters: hostile names stay names in every form.
func TestWriters(t *testing.T) {
	for s, want := range map[string]string{"": "", "=1": "'=1", "\n=1": "'\n=1", "＝1+1": "'＝1+1", "＠x": "'＠x", "a=1": "a=1", "カメラ": "カメラ"} {
		if got := safeCell(s); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
	evil := "=cmd|'/C calc'!A0<script>alert(1)</script>\x1b[31m\n"
	d := &Data{From: monday, To: monday.AddDate(0, 0, 7), Rows: []Row{{Start: monday, Category: event.Mining, Device: "x", Name: evil, Kind: evil, Country: evil, Network: evil, Family: evil, Count: 2}},
		Notes: []string{"note"}, Sources: []string{"source"}}
	r := Make(d)
	for _, lang := range []report.Lang{report.English, report.Japanese} {
		var h, x bytes.Buffer
		if err := WriteHTML(&h, r, lang); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(h.String(), "<script") || !strings.Contains(h.String(), "&lt;script") {
			t.Error("a name is not escaped in HTML")
		}
		for _, bad := range []string{"http://", "https://", "src=", "ZgotmplZ"} {
			if strings.Contains(h.String(), bad) {
				t.Errorf("the page holds %q", bad)
			}
		}
		if err := WriteText(&x, r, lang); err != nil || strings.ContainsAny(x.String(), "\x1b") || !strings.Contains(x.String(), wordsOf(lang).notes) {
			t.Errorf("text: %v %q", err, x.String())
		}
	}
	var c bytes.Buffer
	if err := WriteCSV(&c, r); err != nil {
		t.Fatal(err)
	}
	recs, err := csv.NewReader(&c).ReadAll()
	if err != nil || len(recs) < 10 {
		t.Fatalf("%v, %d records", err, len(recs))
	}
	if l := recs[len(recs)-2:]; l[0][0] != "source" || l[0][1] != "source" || l[1][0] != "note" || l[1][1] != "note" {
		t.Errorf("%q", l)
	}
	for _, rec := range recs[1:] {
		for _, f := range rec[:3] {
			if f != "" && strings.ContainsRune("=+-@", rune(f[0])) {
				t.Errorf("a spreadsheet would run %q", f)
			}
		}
	}
	var j bytes.Buffer
	if err := WriteJSON(&j, r); err != nil {
		t.Fatal(err)
	}
	var back Report
	if err := json.Unmarshal(j.Bytes(), &back); err != nil || back.Devices[0].Label != evil || back.Mining.Count != 2 {
		t.Errorf("%v %+v", err, back.Devices)
	}
	if strings.Contains(j.String(), "null,\n  \"notes") {
		t.Error("a list is null")
	}
}

// TestPad: columns stay columns, whatever the names.
// TestPlotKeys: what is written below a plot does not overlap, and the title says
// what it is.
func TestPlotKeys(t *testing.T) {
	for n := 1; n <= maxDays; n++ {
		r := Make(&Data{From: monday, To: monday.AddDate(0, 0, n), Rows: []Row{{Start: monday, Category: event.Mining, Count: 2}}})
		last := -1000.0
		if len(columns(r.Days).Keys) == 0 {
			t.Fatalf("%d days: no keys", n)
		}
		for _, k := range columns(r.Days).Keys {
			x, err := strconv.ParseFloat(k.At, 64)
			if err != nil || x-last < plotDigit*float64(len(k.Text)) || x+plotDigit*float64(len(k.Text))/2 > plotWidth {
				t.Fatalf("%d days: %q at %s, the one before at %v", n, k.Text, k.At, last)
			}
			last = x
		}
	}
	for days, want := range map[int][]string{20: {english.plotEventsDay, english.byWeek}, 100: {english.plotEvents, english.byWeek}, 400: {english.plotEvents}} {
		var b bytes.Buffer
		if err := WriteHTML(&b, Make(&Data{From: monday, To: monday.AddDate(0, 0, days), Rows: []Row{{Start: monday, Category: event.Mining, Count: 2}}}), report.English); err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(b.String(), w) {
				t.Errorf("a page of %d days has no %q", days, w)
			}
		}
	}
}

// TestBegun: years before the first event are not shown to people; programs get
// all.
func TestBegun(t *testing.T) {
	from := monday.AddDate(-20, 0, 0)
	r := Make(&Data{From: from, To: monday.AddDate(0, 0, 7), Rows: []Row{{Start: monday, Category: event.Scan, Count: 2}}})
	first, _, _ := monthOf(from)
	for _, write := range []func(io.Writer) error{
		func(w io.Writer) error { return WriteText(w, r, report.English) }, func(w io.Writer) error { return WriteHTML(w, r, report.Japanese) },
	} {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		if now, _, _ := monthOf(monday); strings.Contains(b.String(), first) || !strings.Contains(b.String(), now) {
			t.Errorf("%s: %d bytes", first, b.Len())
		}
	}
	if r.Months[0].Key != first || len(begun(r.Months)) > 2 || len(begun(r.Months[:10])) != 10 {
		t.Errorf("%d months, %d shown", len(r.Months), len(begun(r.Months)))
	}
}

func TestPad(t *testing.T) {
	for in, want := range map[string]string{"": "      ", "abc": "abc   ", "abcdef": "abcdef", "abcdefg": "abcde…", "日本": "日本  ", "日本語": "日本語", "日本語x": "日本… ", "a\x1b[m\n": "a[m   "} {
		if got := pad(in, 6); got != want || columnsOf(got) != 6 {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	long := strings.Repeat("Very Long Network Name ", 9)
	d := &Data{From: monday, To: monday.AddDate(0, 0, 7), Rows: []Row{{Start: monday, Category: event.Scan, Count: 9}},
		Tables: map[Table]Rows{ByNetwork: {Now: []Row{{Network: "AS64500", Name: "AS64500 " + long, Count: 5}, {Network: "AS64501", Count: 4}}}}}
	var b bytes.Buffer
	if err := WriteText(&b, Make(d), report.English); err != nil {
		t.Fatal(err)
	}
	at := map[int]bool{}
	for l := range strings.Lines(b.String()) {
		if strings.HasPrefix(l, "  AS645") {
			at[columnsOf(l)] = true
		}
		if columnsOf(strings.TrimSpace(l)) > 80 {
			t.Errorf("%q is wider than a terminal", l)
		}
	}
	if len(at) != 1 {
		t.Errorf("lines of different widths: %v", at)
	}
}

func TestWords(t *testing.T) {
	for _, c := range event.CategoryNames() {
		for _, w := range []*words{&english, &japanese} {
			if w.category[event.Category(c)] == "" {
				t.Errorf("%s has no word for %s", w.lang, c)
			}
		}
	}
	for _, k := range english.kind {
		if k == "" {
			t.Error("empty kind")
		}
	}
	if len(english.kind) != len(japanese.kind) || len(english.kind) != 19 {
		t.Errorf("%d and %d kinds", len(english.kind), len(japanese.kind))
	}
	for n, want := range map[uint64]string{0: "0", 999: "999", 1000: "1,000", 45600000: "45,600,000"} {
		if number(n) != want {
			t.Errorf("%d: %s", n, number(n))
		}
	}
	for v, want := range map[float64]float64{1: 4, 5: 8, 93: 100, 13e6: 20e6, 8e6: 8e6} {
		if nice(v) != want {
			t.Errorf("nice(%v) = %v", v, nice(v))
		}
	}
}

// FuzzBuckets: whatever the times, every event within them is in one month.
func FuzzBuckets(f *testing.F) {
	f.Add(int64(0), int64(86400*400), int64(86400*17), 9*3600)
	f.Add(int64(1e9), int64(2e9), int64(15e8), -7*3600)
	f.Fuzz(func(t *testing.T, from, to, at int64, zone int) {
		if from < -6e10 || to > 2e11 || to-from > 86400*366*5 || to <= from || at < from || at >= to || zone < -86000 || zone > 86000 {
			return
		}
		z := time.FixedZone("x", zone)
		d := &Data{From: time.Unix(from, 0).In(z), To: time.Unix(to, 0).In(z), Rows: []Row{{Start: time.Unix(at, 0), Category: event.Scan, Count: 1}}}
		r := Make(d)
		var n uint64
		for _, b := range r.Months {
			n += b.Total
		}
		if n != 1 {
			t.Errorf("%v … %v at %v: %d", d.From, d.To, d.Rows[0].Start, n)
		}
	})
}

// TestNotesInJapanese: what stands beside the demonstration has words of each
// language.
func TestNotesInJapanese(t *testing.T) {
	for _, s := range append([]string{demoSource}, demo().Notes...) {
		if got := japanese.lines([]string{s}); got[0] == s {
			t.Errorf("not in Japanese: %s", s)
		}
		if got := english.lines([]string{s}); got[0] != s {
			t.Errorf("changed: %s", got[0])
		}
	}
}
