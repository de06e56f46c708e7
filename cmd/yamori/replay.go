package main

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yamori-net/yamori/internal/app"
	"github.com/yamori-net/yamori/internal/builtin"
	"github.com/yamori-net/yamori/internal/config"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/report"
)

func newReplay(stdout, stderr *os.File) *cobra.Command {
	var (
		output, configFile, lang string
		homeNet, failOn, events  []string
		workers                  int
		flows, quiet, noBuiltin  bool
		rc                       app.RuleConfig
	)
	cmd := &cobra.Command{
		Use:   "replay [flags] FILE…",
		Short: "Read captures and give an account of them",
		Long: `Replay reads pcap and pcapng captures (also compressed with gzip or zstd; "-"
is standard input) as one stretch of traffic and gives an account of what
happened in them. A damaged capture is read as far as possible; the command
then ends with an error that says where the damage is.

Exit: 0 done, 1 error, 2 wrong use, 3 with --fail-on when such a finding was made.`,
		Example: `  yamori replay capture.pcap
  yamori replay -o eve --flows capture.pcap | jq .
  zcat old.pcap.gz | yamori replay -o json -
  yamori replay -o eve --rules emerging-all.rules capture.pcap
  yamori replay --fail-on mining nightly.pcapng`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := config.Load(configFile)
			if err != nil {
				return err
			}
			rc := replayRules(rc, cfg)
			r := &app.Replay{Files: args, Output: output, Workers: workers, Flows: flows,
				Lang: report.Lang(lang), Stdout: stdout, Stderr: stderr,
				Rules: rc, NoBuiltin: noBuiltin, Limits: cfg.Limits, Log: slog.New(slog.NewTextHandler(stderr, nil))}
			if !slices.Contains([]string{app.Human, app.JSON, app.EVE}, output) {
				return usage(fmt.Errorf("output %q: use human, json or eve", output))
			}
			if lang == "" {
				r.Lang = language(cfg)
			} else if r.Lang != report.English && r.Lang != report.Japanese {
				return usage(fmt.Errorf("language %q: use en or ja", lang))
			}
			if workers < 1 || workers > 64 {
				return usage(fmt.Errorf("workers %d: use 1 to 64", workers))
			}
			if len(homeNet) > 0 {
				if r.HomeNet, err = config.Prefixes(homeNet); err != nil {
					return usage(fmt.Errorf("home-net: %w", err))
				}
			} else {
				r.HomeNet, _ = config.Prefixes(cfg.HomeNet) // checked by Load
			}
			if r.Events, err = eventTypes(events); err != nil {
				return usage(err)
			}
			for _, c := range failOn {
				if !event.KnownCategory(event.Category(c)) {
					return usage(fmt.Errorf("fail-on %q: use one of %s", c, strings.Join(event.CategoryNames(), ", ")))
				}
			}
			r.Progress = !quiet && app.IsTerminal(stderr)
			s, err := r.Run(cmd.Context())
			if err != nil {
				if errors.Is(err, os.ErrNotExist) {
					err = fmt.Errorf("%w; check the name, or use - for standard input", err)
				}
				return err
			}
			for _, f := range s.Findings {
				if slices.Contains(failOn, string(f.Category)) {
					return &exitCode{code: exitFound}
				}
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVarP(&output, "output", "o", app.Human, "human, json (one summary object) or eve (one event a line)")
	f.BoolVar(&flows, "flows", false, "with -o eve: also write a record for each flow")
	f.StringSliceVar(&events, "events", nil, "with -o eve: event types to write (default tls,quic,dns,http,anomaly; \"all\")")
	f.StringSliceVar(&homeNet, "home-net", nil, "networks of the home, e.g. 192.168.1.0/24 (default: private addresses)")
	f.StringVar(&configFile, "config", "", "configuration file")
	f.IntVar(&workers, "workers", 1, "workers; more are faster on long captures")
	f.StringSliceVar(&failOn, "fail-on", nil, "exit 3 when a finding of these categories is made")
	f.StringArrayVar(&rc.Files, "rules", nil, "rules in Suricata's language: a file, pattern or folder (repeatable)")
	f.BoolVar(&rc.Midstream, "midstream", false, "let rules inspect streams whose start was not seen")
	f.BoolVar(&rc.Payload, "payload", false, "with -o eve: alerts of rules tell the payload and the packet")
	f.BoolVar(&noBuiltin, "no-builtin", false, "rules only, no built-in detections")
	ruleFlags(cmd, &rc)
	f.StringVar(&lang, "lang", "", "language of the account: en or ja (default: from the environment)")
	f.BoolVarP(&quiet, "quiet", "q", false, "no progress")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{app.Human, app.JSON, app.EVE}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("lang", cobra.FixedCompletions([]string{"en", "ja"}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("fail-on", cobra.FixedCompletions(event.CategoryNames(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// replayRules are the rules of the flags, or those of the configuration when
// no flag names any.
func replayRules(flags app.RuleConfig, cfg *config.Config) app.RuleConfig {
	if len(flags.Files) > 0 {
		return flags
	}
	rc := app.ConfiguredRules(cfg)
	rc.MaxMemory = 0 // a bound of the daemon
	rc.Midstream = rc.Midstream || flags.Midstream
	rc.Payload = flags.Payload
	rc.Vars = append(rc.Vars, flags.Vars...)
	rc.Classification = cmp.Or(flags.Classification, rc.Classification)
	rc.Thresholds = cmp.Or(flags.Thresholds, rc.Thresholds)
	rc.Data = flags.Data
	return rc
}

// eventTypes checks the names given to --events.
func eventTypes(names []string) ([]event.Type, error) {
	known := builtin.EventTypes()
	var out []event.Type
	for _, n := range names {
		switch {
		case n == "all":
			return known, nil
		case slices.Contains(known, event.Type(n)):
			out = append(out, event.Type(n))
		default:
			var s []string
			for _, k := range known {
				s = append(s, string(k))
			}
			return nil, fmt.Errorf("event type %q: use all, or some of %s", n, strings.Join(s, ", "))
		}
	}
	return out, nil
}

// language is the account's: as configured, else the environment's.
func language(cfg *config.Config) report.Lang {
	if cfg.Language != "" {
		return report.Lang(cfg.Language)
	}
	for _, v := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if s := os.Getenv(v); s != "" {
			return report.LangFromLocale(s)
		}
	}
	return report.English
}
