package house

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/event"
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
	loc := h.cfg.Location
	from, to = from.In(loc), to.In(loc)
	before := from.Add(from.Sub(to))
	d := &trend.Data{From: from, To: to, Sources: []string{}, Tables: map[trend.Table]trend.Rows{}}
	if h.cfg.Geo != nil && h.cfg.GeoSource != "" {
		d.Sources = append(d.Sources, h.cfg.GeoSource)
	}
	// Figures by the day are kept for a while, those by the month for good.
	bucket := store.Day
	if keep := h.settings.retention().Days; h.cfg.Now().Sub(from) > keep-48*time.Hour {
		bucket, d.Coarse = store.Month, true
	}
	var err error
	read := func(a, b time.Time, bucket store.Bucket, where store.Select, fill func(*trend.Row, []string), by ...store.Dim) (out []trend.Row) {
		if err != nil {
			return nil
		}
		var t store.Trend
		if t, err = h.Store.Trends(ctx, store.TrendQuery{From: a, To: b, Bucket: bucket, By: by, Where: where, Top: 1000}); err != nil {
			return nil
		}
		out = []trend.Row{}
		for _, r := range t.Rows {
			x := trend.Row{Start: r.Start, Count: uint64(max(r.Count, 0))}
			fill(&x, r.Keys)
			out = append(out, x)
		}
		return out
	}
	category := func(x *trend.Row, k []string) { x.Category, x.Blocked = event.Category(k[0]), k[1] == "blocked" }
	d.Rows = read(from, to, bucket, store.Select{}, category, store.ByCategory, store.ByAction)
	d.Before = read(before, from, store.Whole, store.Select{}, category, store.ByCategory, store.ByAction)
	both := func(t trend.Table, where store.Select, fill func(*trend.Row, string), by store.Dim) {
		f := func(x *trend.Row, k []string) { fill(x, k[0]); x.Blocked = k[1] == "blocked" }
		d.Tables[t] = trend.Rows{Now: read(from, to, store.Whole, where, f, by, store.ByAction), Before: read(before, from, store.Whole, where, f, by, store.ByAction)}
	}
	both(trend.ByFamily, store.Select{}, func(x *trend.Row, k string) { x.Family = k }, store.ByFamily)
	both(trend.ByKind, store.Select{}, func(x *trend.Row, k string) { x.Kind = k }, store.ByKind)
	both(trend.ByMiner, store.Select{Category: event.Mining}, func(x *trend.Row, k string) { x.Kind = k }, store.ByKind)
	both(trend.ByCountry, store.Select{}, func(x *trend.Row, k string) { x.Country = k }, store.ByCountry)
	both(trend.ByNetwork, store.Select{}, func(x *trend.Row, k string) {
		if x.Network = k; k == "0" {
			x.Network = ""
		} else if k != "" && k != store.Other {
			x.Network = "AS" + k
		}
	}, store.ByASN)
	both(trend.ByDirection, store.Select{}, func(x *trend.Row, k string) { x.Outbound = k == store.Outbound.String() }, store.ByDirection)
	names := map[string]string{}
	for _, dev := range h.Devices.Devices() {
		names[dev.ID] = dev.Name
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
