package app

import (
	"context"
	"strconv"
	"time"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/engine"
	"github.com/yamori-net/yamori/internal/event"
)

// daemon is what the API sees of the running engine.
type daemon struct{ w *Watch }

// Flows lists the connections open now.
func (d daemon) Flows(ctx context.Context) ([]api.Flow, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	list, err := d.w.engine.LiveFlows(ctx)
	if e := d.w.inlineEngine.Load(); e != nil && err == nil {
		var more []engine.LiveFlow
		more, err = e.LiveFlows(ctx)
		list = append(more, list...)
	}
	if err != nil && len(list) == 0 {
		return nil, api.ErrBusy
	}
	out := make([]api.Flow, 0, len(list))
	for _, f := range list {
		out = append(out, api.Flow{ID: strconv.FormatUint(f.ID, 10), Device: f.Device.ID, SrcIP: f.Src.String(), SrcPort: int(f.SrcPort), DestIP: f.Dst.String(), DestPort: int(f.DstPort),
			Proto: string(event.AppendProto(nil, f.Proto)), AppProto: f.AppProto, First: time.Unix(0, f.First), Last: time.Unix(0, f.Last), Sent: int64(f.Bytes[0]), Received: int64(f.Bytes[1])})
	}
	return out, nil
}

// Rules says which are loaded.
func (d daemon) Rules() api.Rules { return apiRules(d.w.rules.Load()) }

// ReloadRules loads them again; the old ones stay when that fails.
func (d daemon) ReloadRules(context.Context) (api.Rules, error) {
	s, err := d.w.ReloadRules()
	if err != nil {
		return api.Rules{}, &api.InvalidError{Field: "rules", Text: err.Error()}
	}
	return apiRules(s), nil
}

// Fill adds what the engine knows to a status.
func (d daemon) Fill(s *api.Status) {
	x := d.w.Status()
	s.Interface, s.Since, s.Inspecting = x.Interface, x.Since, x.Up
	s.Packets, s.Bytes, s.Dropped, s.Flows, s.Findings = int64(x.Packets), int64(x.Bytes), int64(x.Dropped), int64(x.Flows), int64(x.Findings)
	s.EventsDropped += int64(x.EventsDropped)
	s.Workers, s.Alerts, s.EventErrors, s.Lost, s.Evicted, s.Panics = int64(x.Workers), int64(x.Alerts), int64(x.EventErrors), int64(x.Lost), int64(x.Evicted), int64(x.Panics)
	s.Privileges = d.w.privileges()
	s.Plugin = d.w.plugged.status()
	s.Problems = append(s.Problems, d.w.plugged.problems()...)
	_, _, _, q := d.w.keeper.state()
	for _, c := range [...]struct {
		code string
		n    uint64
	}{{"inline.uninspected", q.Uninspected}, {"inline.passed", q.Unseen}} {
		if c.n > 0 {
			s.Problems = append(s.Problems, api.Problem{Code: c.code, Args: []api.Pair{{Name: "what", Value: strconv.FormatUint(c.n, 10)}}})
		}
	}
	s.Problems = append(s.Problems, d.w.reactor.notes()...)
	if r := x.Rules; r != nil {
		s.Rules, s.RulesFailed, s.RulesSince, s.RulesRefused, s.RefusedAt = int64(r.Loaded), int64(r.Failed), r.Since, r.Refused, r.RefusedAt
	}
}

func apiRules(s *RuleStatus) api.Rules {
	out := api.Rules{Problems: []api.RuleProblem{}}
	if s == nil {
		return out
	}
	out.Loaded, out.Failed, out.Inert, out.Memory, out.Since = int64(s.Loaded), int64(s.Failed), int64(s.Inert), int64(s.Memory), s.Since
	for _, p := range s.Problems {
		out.Problems = append(out.Problems, api.RuleProblem{File: p.File, Line: p.Line, Column: p.Col, SID: int64(p.SID), Reason: p.Reason})
	}
	return out
}

// Samples are the engine's figures of /metrics.
func (d daemon) Samples() []api.Sample {
	s := d.w.Status()
	out := []api.Sample{
		{Name: "yamori_packets_total", Labels: []string{"any", "any"}, Value: float64(s.Packets)}, {Name: "yamori_bytes_total", Labels: []string{"any"}, Value: float64(s.Bytes)},
		{Name: "yamori_flows_active", Value: float64(s.Flows)}, {Name: "yamori_capture_drops_total", Value: float64(s.Dropped)},
		{Name: "yamori_panics_total", Labels: []string{"engine"}, Value: float64(s.Panics)}, {Name: "yamori_queue_drops_total", Labels: []string{"events"}, Value: float64(s.EventsDropped)},
	}
	if _, _, _, x := d.w.keeper.state(); x.Unseen > 0 {
		out = append(out, api.Sample{Name: "yamori_fail_open_total", Value: float64(x.Unseen)})
	}
	st := d.w.allStats()
	out = append(out, released(&st)...)
	out = append(out, api.Sample{Name: "yamori_queue_drops_total", Labels: []string{"reactions"}, Value: float64(d.w.reactor.lost.Load())})
	out = append(out, d.w.dns.samples()...)
	if r := s.Rules; r != nil {
		out = append(out, api.Sample{Name: "yamori_rules_loaded", Labels: []string{"all"}, Value: float64(r.Loaded)},
			api.Sample{Name: "yamori_rules_age_seconds", Value: time.Since(r.Since).Seconds()})
	}
	return out
}

// Ready lists what keeps the daemon from inspecting.
func (d daemon) Ready() (out []api.Problem) {
	w := d.w
	add := func(code string) { out = append(out, api.Problem{Code: code, Args: []api.Pair{}}) }
	if w.down.Load() {
		add("interface.down")
	}
	if w.lost != "" {
		add("store.temporary")
	}
	if w.apiDown.Load() {
		add("api.down")
	}
	on, beating, failed, _ := w.keeper.state()
	switch {
	case failed != "":
		add("inline.failed")
	case on && !beating:
		add("inline.passing")
	}
	if w.reactor.troubled() {
		add("acts.failed")
	}
	if r := w.rules.Load(); r != nil && r.Refused != "" {
		add("rules.refused")
	}
	return append(out, w.dns.problems()...)
}
