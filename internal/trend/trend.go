// Package trend turns counted events into the figures of a threat report for
// one home or for many: events by month and category, the share of mining,
// growth, device kinds, families, countries. It counts nothing itself: rows
// come from the roll-ups of the event store, or from the demonstration data.
package trend

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/yamori-net/yamori/internal/event"
)

// Row counts the events that agree in everything else. Empty strings mean not
// known; they are reported as such, never left out of a total.
type Row struct {
	Start    time.Time // of the bucket, in the owner's zone; the bucket is a day or a month
	Category event.Category
	Family   string
	Kind     string // of the device
	Device   string // identity of the device
	Name     string // of the device as the owner calls it; in ByNetwork, what people call the network
	Country  string // of the remote end, ISO 3166-1 alpha-2
	Network  string // of the remote end: its autonomous system, as "AS64500"
	Blocked  bool
	Outbound bool // begun from inside the home
	Count    uint64
}

// Data is what a report is made of.
type Data struct {
	From, To time.Time // To is exclusive
	Rows     []Row     // within From … To
	// Before holds the rows of the period of the same length that ends at
	// From (see Before), for growth. Nil: nothing is known of it.
	Before []Row
	// Tables holds rows of their own for tables that Rows know too little for:
	// roll-ups keep few things at a time. A table that is absent is made of
	// Rows.
	Tables map[Table]Rows
	// Coarse says that the buckets of Rows are months: there are no weeks and
	// days then.
	Coarse  bool
	Sources []string // where names of countries and networks come from, with licence
	Notes   []string // shown with the figures, such as what is illustrative
	Demo    bool     // the data is a demonstration, and is labelled as one
}

// Table names what a report's table counts by.
type Table uint8

// Tables. Direction tells what left the home.
const (
	ByFamily Table = iota
	ByKind
	ByMiner // by kind of device, of the mining events alone
	ByDevice
	ByCountry
	ByNetwork
	ByDirection
)

// Rows are those of a period and of the one before it.
type Rows struct{ Now, Before []Row }

// rows returns what table t is made of.
func (d *Data) rows(t Table) (now, before []Row) {
	if r, ok := d.Tables[t]; ok {
		if r.Before == nil && d.Before != nil {
			r.Before = []Row{}
		}
		return r.Now, r.Before
	}
	if t == ByMiner {
		return only(d.Rows, event.Mining), only(d.Before, event.Mining)
	}
	return d.Rows, d.Before
}

// Report holds the figures. Its JSON form is documented in docs/reports.md.
type Report struct {
	From       time.Time `json:"from"`
	To         time.Time `json:"to"`
	Demo       bool      `json:"demonstration,omitempty"`
	Total      Figure    `json:"total"`
	Mining     Figure    `json:"mining"`
	Share      float64   `json:"mining_share"` // of all events, 0…1
	Blocked    uint64    `json:"blocked"`
	Outbound   uint64    `json:"outbound"`
	Busiest    string    `json:"busiest_month,omitempty"` // "2017-10"
	Months     []Bucket  `json:"months"`
	Weeks      []Bucket  `json:"weeks"`
	Days       []Bucket  `json:"days"`
	Categories []Share   `json:"categories"`
	Families   []Share   `json:"families"`
	Kinds      []Share   `json:"device_kinds"`
	Miners     []Share   `json:"mining_device_kinds"` // of the mining events alone
	Devices    []Share   `json:"devices"`
	Countries  []Share   `json:"countries"` // of the events whose country is known
	Networks   []Share   `json:"networks"`  // of the events whose network is known
	Sources    []string  `json:"sources"`
	Notes      []string  `json:"notes"`
}

// Figure is a count and how it changed against the period before.
type Figure struct {
	Count  uint64   `json:"count"`
	Before *uint64  `json:"before"` // nil: not known
	Growth *float64 `json:"growth"` // 0.92 is +92 %; nil: not known, or nothing before
}

// Bucket is one month, ISO week or day.
type Bucket struct {
	Key         string                    `json:"key"` // "2017-09", "2017-W36", "2017-09-04"
	Start       time.Time                 `json:"start"`
	Total       uint64                    `json:"total"`
	Mining      uint64                    `json:"mining"`
	MiningShare float64                   `json:"mining_share"`
	Growth      *float64                  `json:"growth"` // of mining, against the bucket before
	Blocked     uint64                    `json:"blocked"`
	Categories  map[event.Category]uint64 `json:"categories"`
}

// Share is one line of a table of parts.
type Share struct {
	Name    string  `json:"name"`            // "" is not known
	Label   string  `json:"label,omitempty"` // what people call it, where that differs
	Share   float64 `json:"share"`           // 0…1 of the table's total
	Blocked uint64  `json:"blocked"`
	Figure
}

// top bounds the lines of a table; the others are added up as Other.
const top = 10

// Other is the name of the line that adds up what a table leaves out.
const Other = "other"

// skip is the key of rows that do not belong in a table.
const skip = "\x00"

// Days and weeks are listed for at most this many buckets: a report over years
// is about months.
const (
	maxDays  = 92
	maxWeeks = 106
)

// Make computes the figures.
func Make(d *Data) *Report {
	r := &Report{From: d.From, To: d.To, Demo: d.Demo, Sources: nonNil(d.Sources), Notes: nonNil(d.Notes)}
	for _, x := range d.Rows {
		r.Total.Count += x.Count
		if x.Blocked {
			r.Blocked += x.Count
		}
		if x.Category == event.Mining {
			r.Mining.Count += x.Count
		}
	}
	now, _ := d.rows(ByDirection)
	for _, x := range now {
		if x.Outbound {
			r.Outbound += x.Count
		}
	}
	r.Share = part(r.Mining.Count, r.Total.Count)
	if d.Before != nil {
		var all, mine uint64
		for _, x := range d.Before {
			all += x.Count
			if x.Category == event.Mining {
				mine += x.Count
			}
		}
		r.Total.against(all)
		r.Mining.against(mine)
	}
	r.Months = buckets(d, monthOf, math.MaxInt)
	r.Weeks, r.Days = []Bucket{}, []Bucket{}
	if !d.Coarse {
		r.Weeks, r.Days = buckets(d, weekOf, maxWeeks), buckets(d, dayOf, maxDays)
	}
	var most uint64
	for _, b := range r.Months {
		if b.Total > most {
			most, r.Busiest = b.Total, b.Key
		}
	}
	r.Categories = shares(d.Rows, d.Before, func(x *Row) string { return string(x.Category) })
	for _, t := range [...]struct {
		to    *[]Share
		table Table
		key   func(*Row) string
	}{
		{&r.Families, ByFamily, func(x *Row) string { return x.Family }},
		{&r.Kinds, ByKind, func(x *Row) string { return x.Kind }},
		{&r.Miners, ByMiner, func(x *Row) string { return x.Kind }},
		{&r.Devices, ByDevice, func(x *Row) string { return x.Device }},
		{&r.Countries, ByCountry, func(x *Row) string { return cmp.Or(x.Country, skip) }},
		{&r.Networks, ByNetwork, func(x *Row) string { return cmp.Or(x.Network, skip) }},
	} {
		now, before := d.rows(t.table)
		*t.to = shares(now, before, t.key)
	}
	now, _ = d.rows(ByDevice)
	label(r.Devices, now, func(x *Row) string { return x.Device })
	if t, ok := d.Tables[ByNetwork]; ok { // elsewhere Name is the device's
		label(r.Networks, t.Now, func(x *Row) string { return x.Network })
	}
	return r
}

// label gives the lines of a table the names that rows have for them.
func label(list []Share, rows []Row, key func(*Row) string) {
	names := map[string]string{}
	for i := range rows {
		if rows[i].Name != "" {
			names[key(&rows[i])] = rows[i].Name
		}
	}
	for i := range list {
		list[i].Label = names[list[i].Name]
	}
}

// Growth returns how a grew to b: 1 is twice as much. Nothing can be said when
// there was nothing.
func Growth(a, b uint64) *float64 {
	if a == 0 {
		return nil
	}
	g := (float64(b) - float64(a)) / float64(a)
	return &g
}

func (f *Figure) against(before uint64) {
	f.Before, f.Growth = &before, Growth(before, f.Count)
}

func part(n, of uint64) float64 {
	if of == 0 {
		return 0
	}
	return float64(n) / float64(of)
}

func only(rows []Row, c event.Category) []Row {
	if rows == nil {
		return nil
	}
	out := []Row{}
	for _, x := range rows {
		if x.Category == c {
			out = append(out, x)
		}
	}
	return out
}

func nonNil(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

// shares adds up rows by key, largest first.
func shares(rows, before []Row, key func(*Row) string) []Share {
	sum := map[string]*Share{}
	var total uint64
	for i := range rows {
		x := &rows[i]
		k := key(x)
		if k == skip {
			continue
		}
		s := sum[k]
		if s == nil {
			s = &Share{Name: k}
			sum[k] = s
		}
		s.Count += x.Count
		total += x.Count
		if x.Blocked {
			s.Blocked += x.Count
		}
	}
	was := map[string]uint64{}
	for i := range before {
		was[key(&before[i])] += before[i].Count
	}
	out := make([]Share, 0, len(sum))
	rest := Share{Name: Other} // rows may bring a part of it
	if s := sum[Other]; s != nil {
		rest = *s
		delete(sum, Other)
	}
	for _, s := range sum {
		out = append(out, *s)
	}
	slices.SortFunc(out, func(a, b Share) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name)) })
	for _, s := range out[min(top, len(out)):] {
		rest.Count += s.Count
		rest.Blocked += s.Blocked
		was[Other] += was[s.Name]
	}
	if out = out[:min(top, len(out)):min(top, len(out))]; rest.Count > 0 {
		out = append(out, rest)
	}
	for i := range out {
		out[i].Share = part(out[i].Count, total)
		if before != nil {
			out[i].against(was[out[i].Name])
		}
	}
	return out
}
