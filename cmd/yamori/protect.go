package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/yamori-net/yamori/internal/app"
	"github.com/yamori-net/yamori/internal/config"
	"github.com/yamori-net/yamori/internal/enforce"
	"github.com/yamori-net/yamori/internal/report"
)

// trialTime is how long protection is tried before it is taken back.
const trialTime = time.Minute

// startTime is how long the daemon may take to stand in the packets' way.
const startTime = 15 * time.Second

func newProtect(stdout, stderr *os.File) *cobra.Command {
	var confirm bool
	var trial time.Duration
	cmd := &cobra.Command{
		Use:   "protect",
		Short: "Stop what is found, on trial until you confirm it",
		Long: `Protect lets the running daemon stand in the packets' way and stop what it
finds. It is tried for a minute: unless you confirm it in that time, everything
goes back to watching, so that a mistake cannot lock you out.

"yamori policy watch" ends protection; "yamori unhook" takes every rule out of
the kernel when the daemon cannot.`,
		Example: `  sudo yamori protect
  sudo yamori protect --confirm`,
		Args: cobra.NoArgs,
	}
	a := newAsker(cmd, stdout, stderr)
	cmd.RunE = a.does(func(ctx context.Context, _ []string) error {
		if trial < 5*time.Second || trial > time.Hour {
			return usage(fmt.Errorf("a trial of %v: choose between 5s and 1h", trial))
		}
		if confirm {
			return keepProtect(ctx, a)
		}
		p, err := a.c.Policy(ctx)
		if err != nil {
			return err
		}
		if p.Mode == "protect" && p.Until.IsZero() {
			if ok, err := a.json(&p); ok {
				return err
			}
			a.sayf("Protection is on already.", "保護モードはすでに有効です。")
			return nil
		}
		if p, err = a.c.TryMode(ctx, trial); err != nil {
			return err
		}
		for end := time.Now().Add(min(startTime, trial)); !p.Inline && p.Acts != "after" && p.Acts != "reset"; {
			if time.Now().After(end) {
				_, err := a.c.SetMode(ctx, "watch")
				return errors.Join(a.errorf("the daemon cannot stand in the packets' way, so it only watches as before; its log says why (yamori status)", "経路上に入れないため、これまでどおり見守りだけを続けます。理由はログと yamori status で確認できます"), err)
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(200 * time.Millisecond):
			}
			if p, err = a.c.Policy(ctx); err != nil {
				return err
			}
		}
		if ok, err := a.json(&p); ok {
			return err
		}
		if !isTerminal(os.Stdin) {
			a.sayf("Protection is on trial for %s. Confirm it in that time with: yamori protect --confirm", "保護モードを %s 試しています。その間に yamori protect --confirm で確定してください。", report.For(a.lang, trial))
			return nil
		}
		a.sayf("Protection is on trial for %s. Does the internet still work, on this and on other devices?\nPress Enter to keep it; do nothing, and everything goes back.",
			"保護モードを %s 試しています。この機器やほかの機器でインターネットは使えますか？\n続けるには Enter を押してください。何もしなければ元に戻ります。", report.For(a.lang, trial))
		ctx, cancel := context.WithDeadline(ctx, p.Until.Add(-time.Second))
		defer cancel()
		if _, err := readLine(ctx); err != nil {
			a.sayf("Not confirmed: back to watching.", "確定されなかったため、見守りモードに戻ります。")
			return nil
		}
		return keepProtect(ctx, a)
	})
	cmd.Flags().BoolVar(&confirm, "confirm", false, "keep protection for good")
	cmd.Flags().DurationVar(&trial, "trial", trialTime, "how long to try before going back")
	return cmd
}

func keepProtect(ctx context.Context, a *asker) error {
	p, err := a.c.SetMode(ctx, "protect")
	if err != nil {
		return err
	}
	if ok, err := a.json(&p); ok {
		return err
	}
	a.sayf("Protection stays on. End it with: yamori policy watch", "保護モードを続けます。終えるには yamori policy watch を実行してください。")
	return nil
}

func newUnhook(stdout, _ *os.File) *cobra.Command {
	var configFile, lang string
	cmd := &cobra.Command{
		Use:   "unhook",
		Short: "Take everything of yamori out of the kernel's packet filter",
		Long: `Unhook removes the rules, sets and chains of yamori and puts settings of bridges
back, also after a crash and when nothing else works. It needs no daemon. One
that runs and protects puts its rules back: stop it first.`,
		Example: "  sudo yamori unhook",
		Args:    cobra.NoArgs,
		RunE: func(_ *cobra.Command, _ []string) error {
			cfg, err := config.Load(configFile)
			if err != nil {
				return err
			}
			l, err := chosen(lang, cfg)
			if err != nil {
				return err
			}
			if err := enforce.Unhook(cfg.Inline.State); err != nil {
				return err
			}
			a := asker{out: stdout, lang: l, output: app.Human}
			a.sayf("Nothing of yamori is left in the packet filter.", "パケットフィルターにヤモリの設定は残っていません。")
			return nil
		},
	}
	cmd.Flags().StringVar(&configFile, "config", "", "configuration file")
	langFlag(cmd, &lang)
	return cmd
}
