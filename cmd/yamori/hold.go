package main

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/api/client"
)

func newQuarantine(stdout, stderr *os.File) *cobra.Command {
	var n newEntry
	cmd := &cobra.Command{
		Use:   "quarantine DEVICE",
		Short: "Cut a device off from everything",
		Long: `Quarantine cuts a device off: it reaches nothing but what is never blocked. It
holds in both modes, until its time is over or it is removed.`,
		Example: `  yamori quarantine garden-camera --reason "mines"
  yamori quarantine garden-camera --for 1d
  yamori quarantine list
  yamori quarantine remove garden-camera`,
		Args: cobra.ExactArgs(1),
	}
	a := newAsker(cmd, stdout, stderr)
	a.completeDevice(cmd, 1)
	n.common(cmd)
	cmd.RunE = a.does(func(ctx context.Context, args []string) error {
		d, err := howLong(n.long, a.now)
		if err != nil {
			return err
		}
		return a.hold(ctx, args[0], api.Hold{Reason: n.reason, Seconds: seconds(d)}, a.c.Quarantine)
	})
	kinds := []string{"quarantine"}
	return group(cmd,
		newEntryList(stdout, stderr, "  yamori quarantine list", "No device is quarantined.", "隔離している機器はありません。", kinds, client.Blocks),
		newEntryRemove(stdout, stderr, "remove", "  yamori quarantine remove garden-camera", kinds, client.Blocks))
}

func newPause(stdout, stderr *os.File) *cobra.Command {
	var plan, reason string
	cmd := &cobra.Command{
		Use:   "pause DEVICE [TIME]",
		Short: "Take the internet from a device, for a while or by a schedule",
		Long: `Pause takes the internet from a device; it still reaches the home. TIME is such
as 15m, 1h or until-morning (until seven); without one it holds until pause
resume. A schedule repeats each week, by the home's local time, beside
a pause that holds now. Pausing again prolongs.`,
		Example: `  yamori pause tablet 1h
  yamori pause tablet until-morning
  yamori pause tablet --schedule "mon-fri 21:00-06:00; sat,sun 23:00-08:00"
  yamori pause list
  yamori pause resume tablet`,
		Args: cobra.RangeArgs(1, 2),
	}
	a := newAsker(cmd, stdout, stderr)
	first := a.completion(1, a.deviceWords)
	cmd.ValidArgsFunction = func(c *cobra.Command, args []string, prefix string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) == 1 {
			return []cobra.Completion{"15m", "1h", untilMorning}, cobra.ShellCompDirectiveNoFileComp
		}
		return first(c, args, prefix)
	}
	f := cmd.Flags()
	f.StringVar(&plan, "schedule", "", `when, each week: "mon-fri 21:00-06:00"`)
	f.StringVar(&reason, "reason", "", "why, for the list")
	cmd.RunE = a.does(func(ctx context.Context, args []string) error {
		h := api.Hold{Reason: reason}
		if len(args) == 2 {
			d, err := howLong(args[1], a.now)
			if err == nil && d < time.Second {
				err = usage(errors.New("the time is empty; write 15m, 1h or " + untilMorning + ", or leave it out"))
			}
			if err != nil {
				return err
			}
			h.Seconds = seconds(d)
		}
		if plan != "" {
			if h.Seconds != 0 {
				return usage(errors.New("give a time or a schedule, not both"))
			}
			var err error
			if h.Schedule, err = schedule(plan); err != nil {
				return err
			}
		}
		return a.hold(ctx, args[0], h, a.c.Pause)
	})
	kinds := []string{"pause"}
	return group(cmd,
		newEntryList(stdout, stderr, "  yamori pause list", "No device is paused.", "休止している機器はありません。", kinds, client.Blocks),
		newEntryRemove(stdout, stderr, "resume", "  yamori pause resume tablet", kinds, client.Blocks))
}

func (a *asker) hold(ctx context.Context, name string, h api.Hold, do func(context.Context, string, api.Hold) (api.Entry, error)) error {
	d, err := a.device(ctx, name)
	if err != nil {
		return err
	}
	e, err := do(ctx, d.ID, h)
	if err != nil {
		return err
	}
	return a.added(ctx, &e)
}
