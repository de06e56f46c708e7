package house

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/geo"
	"github.com/yamori-net/yamori/internal/store"
	"github.com/yamori-net/yamori/internal/trend"
)

type figures struct{ h *House }

// Trends are the figures of a period.
func (x figures) Trends(ctx context.Context, from, to time.Time) (api.Trends, error) {
	d, err := x.h.Figures(ctx, from, to)
	if err != nil {
		return api.Trends{}, err
	}
	// The two have the same members; a test holds them to that.
	b, err := json.Marshal(trend.Make(d))
	if err != nil {
		return api.Trends{}, err
	}
	var out api.Trends
	return out, json.Unmarshal(b, &out)
}

// Figures asks the store for what a report is made of.
func (h *House) Figures(ctx context.Context, from, to time.Time) (*trend.Data, error) {
	if !from.Before(to) {
		return nil, &api.InvalidError{Field: "from", Text: "is not before to"}
	}
	loc := h.zone()
	from, to = from.In(loc), to.In(loc)
	d := &trend.Data{From: from, To: to, Sources: h.sources(), Tables: map[trend.Table]trend.Rows{}}
	// Figures by the day are kept for a while, those by the month for good.
	days, err := h.daysFrom(ctx)
	if err != nil {
		return nil, fmt.Errorf("figures: %w", failed(err))
	}
	start, end := from, to // of what is compared with the time before
	now := []piece{{from, to, store.Month}}
	if d.Coarse = from.Before(days); d.Coarse {
		if start = month(from, 0); month(to, 0).Before(to) {
			end = month(to, 1)
		}
	} else if now, err = h.pieces(ctx, from, to, days); err != nil {
		return nil, fmt.Errorf("figures: %w", failed(err))
	}
	past, err := h.pieces(ctx, trend.Before(start, end), start, days)
	if err != nil {
		return nil, fmt.Errorf("figures: %w", failed(err))
	}
	read := func(pieces []piece, whole bool, where store.Select, fill func(*trend.Row, []string), by ...store.Dim) []trend.Row {
		out := []trend.Row{}
		for _, p := range pieces {
			if err != nil {
				return nil
			}
			if whole && p.bucket == store.Day {
				p.bucket = store.Whole
			}
			var t store.Trend
			if t, err = h.Store.Trends(ctx, store.TrendQuery{From: p.from, To: p.to, Bucket: p.bucket, By: by, Where: where, Top: 1000}); err != nil {
				return nil
			}
			for _, r := range t.Rows {
				x := trend.Row{Start: r.Start, Count: uint64(max(r.Count, 0))}
				fill(&x, r.Keys)
				out = append(out, x)
			}
		}
		return out
	}
	category := func(x *trend.Row, k []string) { x.Category, x.Blocked = event.Category(k[0]), k[1] == "blocked" }
	d.Rows = read(now, false, store.Select{}, category, store.ByCategory, store.ByAction)
	d.Before = read(past, true, store.Select{}, category, store.ByCategory, store.ByAction)
	both := func(t trend.Table, where store.Select, fill func(*trend.Row, string), by store.Dim) {
		f := func(x *trend.Row, k []string) { fill(x, k[0]); x.Blocked = k[1] == "blocked" }
		d.Tables[t] = trend.Rows{Now: read(now, true, where, f, by, store.ByAction), Before: read(past, true, where, f, by, store.ByAction)}
	}
	both(trend.ByFamily, store.Select{}, func(x *trend.Row, k string) { x.Family = k }, store.ByFamily)
	both(trend.ByKind, store.Select{}, func(x *trend.Row, k string) { x.Kind = k }, store.ByKind)
	both(trend.ByMiner, store.Select{Category: event.Mining}, func(x *trend.Row, k string) { x.Kind = k }, store.ByKind)
	both(trend.ByCountry, store.Select{}, func(x *trend.Row, k string) { x.Country = k }, store.ByCountry)
	both(trend.ByNetwork, store.Select{}, func(x *trend.Row, k string) { x.Network = k }, store.ByASN)
	h.nameNetworks(d.Tables[trend.ByNetwork].Now)
	both(trend.ByDirection, store.Select{}, func(x *trend.Row, k string) { x.Outbound = k == store.Outbound.String() }, store.ByDirection)
	names := map[string]string{}
	for _, dev := range h.Devices.Devices() {
		names[dev.ID] = called(&dev)
	}
	both(trend.ByDevice, store.Select{}, func(x *trend.Row, k string) { x.Device, x.Name = k, names[k] }, store.ByDevice)
	if err != nil {
		return nil, fmt.Errorf("figures: %w", failed(err))
	}
	if len(d.Before) == 0 {
		if oldest := h.Store.Health().Oldest; oldest.IsZero() || oldest.After(from) {
			d.Before = nil // nothing is known of it, rather than that nothing was
			for t, r := range d.Tables {
				d.Tables[t] = trend.Rows{Now: r.Now}
			}
		}
	}
	return d, nil
}

// Today counts what was found since midnight where the home is, and of that
// what was blocked; as of the latest roll-up.
func (h *House) Today(ctx context.Context) (found, blocked uint64, err error) {
	now := h.cfg.Now().In(h.zone())
	t, err := h.Store.Trends(ctx, store.TrendQuery{From: now, To: now.Add(time.Nanosecond), Bucket: store.Day, By: []store.Dim{store.ByAction}})
	for _, r := range t.Rows {
		n := uint64(max(r.Count, 0))
		if found += n; r.Keys[0] == "blocked" {
			blocked += n
		}
	}
	return found, blocked, err
}

// asPrefix begins what the store calls an autonomous system: "AS64500".
const asPrefix = "AS"

// nameNetworks gives the rows of the network table what their networks are
// called. The store keeps numbers: names change, and take room.
func (h *House) nameNetworks(rows []trend.Row) {
	number := func(x *trend.Row) uint32 {
		n, err := strconv.ParseUint(strings.TrimPrefix(x.Network, asPrefix), 10, 32)
		if err != nil {
			return 0 // not known, or what is left of many
		}
		return uint32(n)
	}
	// The largest first, in case there are more than are looked for.
	order := slices.SortedStableFunc(slices.Values(rows), func(a, b trend.Row) int { return cmp.Compare(b.Count, a.Count) })
	var numbers []uint32
	for i := range order {
		if n := number(&order[i]); n != 0 {
			numbers = append(numbers, n)
		}
	}
	names := h.cfg.Networks.Names(numbers)
	for i := range rows {
		if s := names[number(&rows[i])]; s != "" {
			rows[i].Name = rows[i].Network + " " + s
		}
	}
}

// sources says where countries and networks come from, with their licences.
func (h *House) sources() []string {
	out := []string{}
	if h.cfg.Networks == nil { // then there is no Geo either
		return out
	}
	if h.cfg.GeoSource != "" {
		return append(out, h.cfg.GeoSource)
	}
	for _, db := range []*geo.DB{h.cfg.Geo, h.cfg.Networks} {
		if s := db.Source(); s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}
