package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/yamori-net/yamori/internal/app"
	"github.com/yamori-net/yamori/internal/trend"
)

const htmlOutput = "html"

func newReport(stdout, stderr *os.File) *cobra.Command {
	var from, to, file string
	var demo bool
	cmd := &cobra.Command{
		Use:   "report",
		Short: "The figures of a month, a year or any period",
		Long: `Report counts what was found in a period, beside the period of the same length
before: by month, category, device, family, country. A period is given by days
(2026-09-04), months (2026-09), years (2026) or how long ago (30d, 12w, 6m, 1y);
without one it is the last thirty days. HTML is one page that loads nothing and
prints. --demo needs no running yamori: it shows the public figures of 2017.`,
		Example: `  yamori report
  yamori report --from 2026-09 --to 2026-10
  yamori report --from 1y -o html -w report.html --lang ja
  yamori report --demo -o csv`,
		Args: cobra.NoArgs,
	}
	a := newAsker(cmd, stdout, stderr, app.Human, app.JSON, htmlOutput, csvOutput)
	f := cmd.Flags()
	f.StringVar(&from, "from", "", "first day, month or year, or how long ago")
	f.StringVar(&to, "to", "", "last day, month or year (default: now)")
	f.StringVarP(&file, "write", "w", "", "file to write instead of standard output")
	f.BoolVar(&demo, "demo", false, "the public figures of 2017, as a demonstration")
	cmd.RunE = a.does(func(ctx context.Context, _ []string) error {
		r, err := a.figures(ctx, from, to, demo)
		if err != nil {
			return err
		}
		write := func(w io.Writer) error {
			switch a.output {
			case app.JSON:
				return trend.WriteJSON(&jsonWriter{w}, r)
			case htmlOutput:
				return trend.WriteHTML(w, r, a.lang)
			}
			safe := &lineWriter{w: w, clean: cleanText}
			if a.output == csvOutput {
				return errors.Join(trend.WriteCSV(safe, r), safe.Flush())
			}
			return errors.Join(trend.WriteText(safe, r, a.lang), safe.Flush())
		}
		if file == "" || file == "-" {
			return write(a.out)
		}
		if _, err := a.save(file, false, func(w *writer) error { return write(w) }); err != nil {
			return err
		}
		a.notef("Wrote %s.", "%s に保存しました。", plain(file))
		return nil
	})
	return cmd
}

// figures asks for a report, or makes the demonstration.
func (a *asker) figures(ctx context.Context, from, to string, demo bool) (*trend.Report, error) {
	now := a.now
	if demo {
		now = trend.DemoTo
	}
	x, y, err := trend.Period(from, to, now)
	if err != nil {
		return nil, usage(err)
	}
	if demo {
		if from == "" {
			x = trend.DemoFrom
		}
		if !x.Before(y) || !x.Before(trend.DemoTo) || !trend.DemoFrom.Before(y) {
			return nil, usage(fmt.Errorf("the demonstration knows the year 2017 alone; leave --from and --to out, or name months of 2017"))
		}
		return trend.Make(trend.Demo(x, y)), nil
	}
	// The gateway counts whole seconds; the end lies after what happened now.
	t, err := a.c.Trends(ctx, x, y.Add(time.Second-1).Truncate(time.Second))
	if err != nil {
		return nil, err
	}
	// The two have the same members.
	b, err := json.Marshal(&t)
	if err != nil {
		return nil, err
	}
	var r trend.Report
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, err
	}
	r.From, r.To = r.From.In(now.Location()), r.To.In(now.Location())
	return &r, nil
}
