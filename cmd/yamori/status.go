package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/api/client"
	"github.com/yamori-net/yamori/internal/app"
	"github.com/yamori-net/yamori/internal/config"
	"github.com/yamori-net/yamori/internal/report"
)

func newStatus(stdout, _ *os.File) *cobra.Command {
	var configFile, socket, output, lang string
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Ask the running watch how it is",
		Example: `  yamori status
  yamori status --lang ja
  yamori status -o json | jq .dropped`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if output != app.Human && output != app.JSON {
				return usage(fmt.Errorf("output %q: use human or json", output))
			}
			cfg, err := config.Load(configFile)
			if err != nil {
				return err
			}
			l, err := chosen(lang, cfg)
			if err != nil {
				return err
			}
			at := cmp.Or(socket, cfg.Socket, config.DefaultSocket)
			s, err := app.AskStatus(cmd.Context(), at)
			if err != nil {
				return cured(l, err)
			}
			if output == app.JSON {
				return json.NewEncoder(stdout).Encode(s)
			}
			a := asker{c: client.Unix(at), now: time.Now()}
			a.atHome(cmd.Context())
			s.Since = s.Since.In(a.now.Location())
			tellStatus(stdout, l, &s)
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVarP(&output, "output", "o", app.Human, "human or json")
	f.StringVar(&socket, "socket", "", "Unix socket of the daemon (default "+config.DefaultSocket+")")
	f.StringVar(&configFile, "config", "", "configuration file")
	langFlag(cmd, &lang)
	completeOutput(cmd, app.Human, app.JSON)
	return cmd
}

// tellStatus says how the daemon is.
func tellStatus(w io.Writer, lang report.Lang, s *api.Status) {
	t := report.Daemon(lang)
	say := func(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }
	ago := func(at time.Time) string { return report.For(lang, time.Since(at)) }
	state := "watching"
	if s.Mode == "protect" {
		state = "protecting"
	}
	if !s.Inspecting {
		state = "waiting"
	}
	say(t.Head[state], s.Version, s.Interface, s.Since.Format(time.DateTime), ago(s.Since))
	say(t.Packets, count(s.Packets), report.Size(uint64(s.Bytes)), count(s.Dropped))
	say(t.Flows, count(s.Flows))
	say(t.Devices, count(s.Devices), count(s.Online))
	say(t.Findings, count(s.Findings), count(s.Open))
	say(t.Kept, report.Size(uint64(s.StoreBytes)), report.Size(uint64(s.StoreLimit)))
	if s.Rules+s.RulesFailed > 0 {
		line := fmt.Sprintf(t.Rules, count(s.Rules), ago(s.RulesSince))
		if s.RulesFailed > 0 {
			line += fmt.Sprintf(t.Failed, count(s.RulesFailed))
		}
		say("%s", line+fmt.Sprintf(t.Alerts, count(s.Alerts)))
	}
	tellPrivileges(w, lang, s.Privileges)
	if p := s.Plugin; p != nil {
		say(t.Led, len(p.Led), p.Named)
	}
	if s.RulesRefused != "" {
		say(t.Refused, ago(s.RefusedAt), plain(s.RulesRefused))
	}
	for _, x := range []struct {
		n    int64
		text string
	}{{s.Lost, t.Lost}, {s.Evicted, t.Evicted}, {s.EventsDropped, t.Events}, {s.EventErrors, t.Writes}, {s.Panics, t.Panics}} {
		if x.n > 0 {
			say(x.text, count(x.n))
		}
	}
	for _, p := range s.Problems {
		if p.Code == "rules.refused" {
			continue // told above, with the reason
		}
		what, cure := report.Diagnosis(lang, p.Code, pairs(p.Args))
		say("  ! %s", plain(strings.TrimSpace(cmp.Or(what, p.Code)+" "+cure)))
	}
}

// tellPrivileges says what the process that reads packets may do.
func tellPrivileges(w io.Writer, lang report.Lang, p *api.Privileges) {
	t := report.Daemon(lang)
	switch {
	case p == nil:
	case !p.Parted:
		fmt.Fprintf(w, t.Whole+"\n", p.User)
	default:
		kept := fmt.Sprintf(t.Parted, p.User)
		if p.Landlock > 0 {
			kept += t.Landlock
		}
		if p.Seccomp {
			kept += t.Seccomp
		}
		fmt.Fprintln(w, kept)
		for _, m := range p.Missing {
			fmt.Fprintf(w, "  ! %s\n", plain(report.Explain(lang, m.Code, pairs(m.Args))))
		}
	}
}

func count(n int64) string { return report.Count(uint64(max(n, 0))) }

// langFlag adds --lang to a command that does not ask through an asker.
func langFlag(cmd *cobra.Command, lang *string) {
	cmd.Flags().StringVar(lang, "lang", "", "language of the answer: en or ja (default: from the environment)")
	_ = cmd.RegisterFlagCompletionFunc("lang", cobra.FixedCompletions([]string{"en", "ja"}, cobra.ShellCompDirectiveNoFileComp))
}

// chosen is the language of the flag, else of the configuration or the
// environment.
func chosen(flag string, cfg *config.Config) (report.Lang, error) {
	switch l := report.Lang(flag); l {
	case "":
		return language(cfg), nil
	case report.English, report.Japanese:
		return l, nil
	}
	return "", usage(fmt.Errorf("language %q: use en or ja", flag))
}
