package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/app"
	"github.com/yamori-net/yamori/internal/report"
)

// latest may be written for the number of the latest event.
const latest = "latest"

// eventID is the number that is meant.
func (a *asker) eventID(ctx context.Context, s string) (string, error) {
	if s != latest {
		return s, nil
	}
	all, _, err := collect(a.c.Findings(ctx, api.FindingQuery{}), 1, nil)
	if err == nil && len(all) == 0 {
		err = a.errorf("nothing was found yet", "まだ何も見つかっていません")
	}
	if err != nil {
		return "", err
	}
	return all[0].ID, nil
}

// noFinding says what to do about a wrong number.
func (a *asker) noFinding(id string, err error) error {
	if errors.Is(err, api.ErrNotFound) {
		return a.errorf("there is no event %q (any more); yamori events lists them", "%q というイベントはありません（すでになくなった可能性があります）。yamori events で一覧できます", plain(id))
	}
	return err
}

func newEventsShow(stdout, stderr *os.File) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "show ID",
		Short:   "Show one event with its evidence and what to do",
		Example: "  yamori events show 12\n  yamori events show latest -o eve",
		Args:    cobra.ExactArgs(1),
	}
	a := newAsker(cmd, stdout, stderr, app.Human, app.JSON, app.EVE)
	cmd.ValidArgsFunction = a.completion(1, a.findingWords)
	cmd.RunE = a.does(func(ctx context.Context, args []string) error {
		id, err := a.eventID(ctx, args[0])
		if err != nil {
			return err
		}
		f, err := a.c.Finding(ctx, id)
		if err != nil {
			return a.noFinding(id, err)
		}
		if a.output == app.EVE {
			return writeJSON(a.out, f.EVE, false)
		}
		if ok, err := a.json(&f); ok {
			return err
		}
		a.known = a.names(ctx)
		a.writeFinding(&f)
		return nil
	})
	return cmd
}

// times says how often.
func (a *asker) times(n int64) string {
	if n == 1 {
		return a.t("once", "1 回")
	}
	return fmt.Sprintf(a.t("%d times", "%d 回"), n)
}

func (a *asker) writeFinding(f *api.Finding) {
	x := a.told(f)
	fmt.Fprintf(a.out, "%s [%s]\n", x.Happened(a.lang), x.Sure(a.lang))
	if from, to := a.stamp(f.Time), a.stamp(f.Last); from == to {
		fmt.Fprintf(a.out, a.t("  %s, ", "  %s、")+a.times(f.Count), from)
	} else {
		fmt.Fprintf(a.out, a.t("  %s to %s, ", "  %s から %s まで、")+a.times(f.Count), from, to)
	}
	if f.Estimated {
		fmt.Fprint(a.out, a.t(" (the clock was not set; the time is estimated)", "（時計が合っていなかったため、時刻は推定です）"))
	}
	fmt.Fprintln(a.out)
	if len(f.Evidence) > 0 {
		fmt.Fprintln(a.out, a.t("  How we know:", "  判断の根拠："))
		said := map[string]bool{}
		for _, e := range f.Evidence {
			if s := report.EvidenceText(a.lang, e.Code, e.Value); !said[s] {
				said[s] = true
				fmt.Fprintf(a.out, "    - %s\n", s)
			}
		}
	}
	fmt.Fprintf(a.out, "  %s\n  %s\n", x.Did(a.lang), x.Do(a.lang))
	rows := [][]string{}
	add := func(en, ja, value string) {
		if value != "" {
			rows = append(rows, []string{"  " + a.t(en, ja), plain(value)})
		}
	}
	add("state", "状態", a.stateWord(f.State)+func() string {
		if f.Until.IsZero() {
			return ""
		}
		return a.t(" until ", "、期限 ") + a.stamp(f.Until)
	}())
	add("note", "メモ", f.Note)
	add("device", "機器", fit(f.Device+" "+f.DeviceName, 100))
	add("category", "分類", report.CategoryName(a.lang, f.Category)+" "+f.Family)
	add("other side", "相手", strings.TrimSpace(f.Remote+" "+f.Country))
	if f.Signature != 0 {
		add("rule", "規則", fmt.Sprint(f.Signature)+" "+f.Title)
	}
	if f.Capture {
		add("capture", "控え", fmt.Sprintf("yamori events capture %s -w event-%s.pcapng", f.ID, f.ID))
	}
	_ = grid(a.out, rows)
}

func newEventsState(stdout, stderr *os.File, use, short string) *cobra.Command {
	var note, until string
	cmd := &cobra.Command{
		Use:     use + " ID…",
		Short:   short,
		Example: "  yamori events " + use + " 12\n  yamori events " + use + " 12 13 --note \"the new camera\"",
		Args:    cobra.MinimumNArgs(1),
	}
	a := newAsker(cmd, stdout, stderr)
	cmd.ValidArgsFunction = a.completion(0, a.findingWords)
	cmd.Flags().StringVar(&note, "note", "", "a note to keep with it")
	if use == "ignore" {
		cmd.Flags().StringVar(&until, "for", "", "how long: 1h, 7d (default: for good)")
		cmd.Example += "\n  yamori events ignore 12 --for 7d"
	}
	state := use
	if use == "ignore" {
		state = "ignored"
	}
	cmd.RunE = a.does(func(ctx context.Context, args []string) error {
		ch := api.FindingChange{State: &state}
		d, err := howLong(until, a.now)
		if err != nil {
			return err
		}
		if d > 0 {
			t := a.now.Add(d).Truncate(time.Second)
			ch.Until = &t
		}
		if cmd.Flags().Changed("note") {
			ch.Note = &note
		}
		out := []api.Finding{}
		for _, s := range args {
			id, err := a.eventID(ctx, s)
			if err != nil {
				return err
			}
			f, err := a.c.ChangeFinding(ctx, id, ch)
			if err != nil {
				return a.noFinding(id, err)
			}
			out = append(out, f)
		}
		return list(a, a.findingColumns(), out, "", "")
	})
	return cmd
}

func newEventsCapture(stdout, stderr *os.File) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:     "capture ID",
		Short:   "Save the packets that prove an event",
		Long:    "Capture saves the packets that prove an event as pcapng, for Wireshark and for\nyamori replay. That you read them stands in the audit log.",
		Example: "  yamori events capture 12 -w event-12.pcapng\n  yamori events capture 12 -w - | tcpdump -r -",
		Args:    cobra.ExactArgs(1),
	}
	a := newAsker(cmd, stdout, stderr)
	cmd.ValidArgsFunction = a.completion(1, a.findingWords)
	cmd.Flags().StringVarP(&file, "write", "w", "", "file to write (\"-\": standard output)")
	cmd.RunE = a.does(func(ctx context.Context, args []string) error {
		if file == "" {
			return usage(fmt.Errorf("name the file to write: -w event-%s.pcapng", plain(args[0])))
		}
		id, err := a.eventID(ctx, args[0])
		if err != nil {
			return err
		}
		n, err := a.save(file, false, func(w *writer) error { return a.c.Capture(ctx, id, w) })
		if errors.Is(err, api.ErrNotFound) {
			return a.errorf("no packets are kept of event %q; yamori events show says when there are some", "イベント %q の通信の控えはありません。控えがある場合は yamori events show に表示されます", plain(id))
		}
		if err != nil || file == "-" {
			return err
		}
		if ok, err := a.json(map[string]any{"file": file, "bytes": n}); ok {
			return err
		}
		a.sayf("Wrote %s (%s).", "%s に保存しました（%s）。", plain(file), report.Size(uint64(n)))
		return nil
	})
	return cmd
}
