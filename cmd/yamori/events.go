package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/app"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/report"
)

// Values of what can be asked of findings.
var (
	verdicts      = []string{"suspect", "likely", "confirmed"}
	actions       = []string{"blocked", "allowed", "would_block"}
	findingStates = []string{"new", "seen", "solved", "ignored"}
)

// eventFilter is what events list and follow may be narrowed by.
type eventFilter struct {
	device, since, until string
	q                    api.FindingQuery
}

func (f *eventFilter) flags(a *asker, cmd *cobra.Command) {
	a.deviceFlag(cmd, &f.device, "only of this device: id, address or name")
	oneOf(cmd, &f.q.Category, "category", "only of this category", event.CategoryNames()...)
	oneOf(cmd, &f.q.Verdict, "verdict", "only this sure", verdicts...)
	oneOf(cmd, &f.q.Action, "action", "only what was", actions...)
	oneOf(cmd, &f.q.State, "state", "only in this state", findingStates...)
	cmd.Flags().StringVar(&f.q.Family, "family", "", "only of this family, such as stratum or mirai")
	cmd.Flags().StringVar(&f.since, "since", "", "not before: a day, a time, today, or how long ago (2h, 7d)")
	cmd.Flags().StringVar(&f.until, "until", "", "before: likewise")
}

// read checks the flags and finds the device.
func (f *eventFilter) read(ctx context.Context, a *asker) (q api.FindingQuery, err error) {
	for _, c := range []struct {
		name, value string
		of          []string
	}{{"category", f.q.Category, event.CategoryNames()}, {"verdict", f.q.Verdict, verdicts}, {"action", f.q.Action, actions}, {"state", f.q.State, findingStates}} {
		if err := checkOneOf(c.name, c.value, c.of...); err != nil {
			return q, err
		}
	}
	q = f.q
	if q.Since, err = when("since", f.since, a.now); err != nil {
		return q, err
	}
	if q.Until, err = when("until", f.until, a.now); err != nil {
		return q, err
	}
	q.Device, err = a.deviceID(ctx, f.device)
	return q, err
}

// fits says whether a live finding is one of those asked for.
func fits(q *api.FindingQuery, f *api.Finding) bool {
	return (q.Device == "" || q.Device == f.Device) && (q.Category == "" || q.Category == f.Category) && (q.Family == "" || q.Family == f.Family) &&
		(q.Verdict == "" || q.Verdict == f.Verdict) && (q.Action == "" || q.Action == f.Action) && (q.State == "" || q.State == f.State) &&
		(q.Since.IsZero() || !f.Last.Before(q.Since)) && (q.Until.IsZero() || f.Time.Before(q.Until))
}

func newEvents(stdout, stderr *os.File) *cobra.Command {
	var f eventFilter
	var follow bool
	var limit int
	cmd := &cobra.Command{
		Use:   "events",
		Short: "List what was found, and say what became of it",
		Long: `Events lists what was found, the latest first; with --follow it goes on as
things happen, until Ctrl-C. -o eve and -o csv write everything that the flags
select, the oldest first, in the form of the exports (see docs/formats).`,
		Example: `  yamori events
  yamori events --device Garden --since 7d
  yamori events --category mining -o eve | jq .alert
  yamori events --follow
  yamori events show 12
  yamori events solved 12`,
		Args: cobra.NoArgs,
	}
	a := newAsker(cmd, stdout, stderr, app.Human, app.JSON, app.EVE, csvOutput)
	f.flags(a, cmd)
	cmd.Flags().BoolVar(&follow, "follow", false, "go on as things happen")
	cmd.Flags().IntVar(&limit, "limit", 50, "at most so many, 0: all (human and json)")
	cmd.RunE = a.does(func(ctx context.Context, _ []string) error {
		if limit < 0 {
			return usage(fmt.Errorf("--limit %d: use 0 for all, or a number above", limit))
		}
		if follow && a.output == csvOutput {
			return usage(fmt.Errorf("--follow writes human, json or eve; for csv leave it out"))
		}
		if (f.q.Verdict != "" || f.q.Family != "") && !follow && (a.output == csvOutput || a.output == app.EVE) {
			return usage(fmt.Errorf("an export cannot be narrowed by --verdict and --family; use -o json, or leave them out"))
		}
		q, err := f.read(ctx, a)
		if err != nil {
			return err
		}
		if a.output == app.Human {
			a.known = a.names(ctx)
		}
		switch {
		case follow:
			return a.follow(ctx, q)
		case a.output == csvOutput, a.output == app.EVE:
			return a.export(ctx, q)
		}
		all, more, err := collect(a.c.Findings(ctx, q), limit, nil)
		if err != nil {
			return err
		}
		if err := list(a, a.findingColumns(), all, "Nothing was found.", "見つかったことはありません。"); err != nil {
			return err
		}
		if more {
			a.notef("There are more; --limit 0 lists all, --since and --until a part.", "ほかにもあります。--limit 0 ですべて、--since と --until で一部を表示します。")
		}
		return nil
	})
	return group(cmd, newEventsShow(stdout, stderr), newEventsState(stdout, stderr, "seen", "Say that you have seen it"),
		newEventsState(stdout, stderr, "solved", "Say that it is solved"), newEventsState(stdout, stderr, "ignore", "Do not show it among what waits for you"),
		newEventsCapture(stdout, stderr), newEventsImport(stdout, stderr))
}

// export writes what the daemon exports, safe for a terminal.
func (a *asker) export(ctx context.Context, q api.FindingQuery) error {
	w := &lineWriter{w: a.out, clean: cleanText}
	if a.output == app.EVE {
		w.clean = cleanJSON
	}
	if err := a.c.Export(ctx, q, a.output, w); err != nil {
		return err
	}
	return w.Flush()
}

// told is a finding as report tells it.
func (a *asker) told(f *api.Finding) *report.Told {
	who := cmp.Or(f.DeviceName, a.known[f.Device], f.Device)
	return &report.Told{Who: who, Code: f.Explain.Code, Category: f.Category, Title: f.Title, Remote: f.Remote, Verdict: f.Verdict, Action: f.Action, Args: f.Explain.Args}
}

func (a *asker) stateWord(s string) string {
	w, ok := map[string][2]string{"new": {"new", "新着"}, "seen": {"seen", "確認済み"}, "solved": {"solved", "解決"}, "ignored": {"ignored", "表示しない"}}[s]
	if !ok {
		return s
	}
	return a.t(w[0], w[1])
}

func (a *asker) actionWord(s string) string {
	w, ok := map[string][2]string{"blocked": {"stopped", "遮断"}, "allowed": {"watched", "見守り"}, "would_block": {"would be stopped", "保護なら遮断"}}[s]
	if !ok {
		return s
	}
	return a.t(w[0], w[1])
}

func (a *asker) findingColumns() []column[api.Finding] {
	return []column[api.Finding]{
		{name: "id", en: "ID", ja: "ID", cell: func(f *api.Finding) string { return f.ID }},
		{name: "last", en: "LAST", ja: "最後", cell: func(f *api.Finding) string { return a.stamp(f.Last) }},
		{name: "count", en: "TIMES", ja: "回数", cell: func(f *api.Finding) string { return strconv.FormatInt(f.Count, 10) }},
		{name: "state", en: "STATE", ja: "状態", cell: func(f *api.Finding) string { return a.stateWord(f.State) }},
		{name: "verdict", en: "SURE", ja: "確かさ", cell: func(f *api.Finding) string { return a.told(f).Sure(a.lang) }},
		{name: "action", en: "DONE", ja: "対応", cell: func(f *api.Finding) string { return a.actionWord(f.Action) }},
		{name: "what", en: "WHAT", ja: "内容", cell: func(f *api.Finding) string { return a.told(f).Happened(a.lang) }},
	}
}

// findingWords are the latest findings, for completion.
func (a *asker) findingWords(ctx context.Context) (out []cobra.Completion) {
	all, _, err := collect(a.c.Findings(ctx, api.FindingQuery{}), 50, nil)
	if err != nil {
		return nil
	}
	for i := range all {
		out = append(out, choice(all[i].ID, all[i].Last.Local().Format(time.DateTime)+" "+a.told(&all[i]).Happened(a.lang)))
	}
	return out
}
