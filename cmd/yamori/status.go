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
	"github.com/yamori-net/yamori/internal/app"
	"github.com/yamori-net/yamori/internal/config"
	"github.com/yamori-net/yamori/internal/report"
)

func newStatus(stdout, _ *os.File) *cobra.Command {
	var configFile, socket, output string
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Ask the running watch how it is",
		Example: `  yamori status
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
			s, err := app.AskStatus(cmd.Context(), cmp.Or(socket, cfg.Socket, config.DefaultSocket))
			if err != nil {
				return err
			}
			if output == app.JSON {
				return json.NewEncoder(stdout).Encode(s)
			}
			state := "watching"
			if s.Mode == "protect" {
				state = "protecting"
			}
			if !s.Inspecting {
				state = "waiting for"
			}
			fmt.Fprintf(stdout, "Yamori %s is %s %s since %s (%s).\n", s.Version, state, s.Interface,
				s.Since.Format(time.DateTime), time.Since(s.Since).Round(time.Second))
			fmt.Fprintf(stdout, "  packets   %s (%s), %s dropped\n", count(s.Packets), report.Size(uint64(s.Bytes)), count(s.Dropped))
			fmt.Fprintf(stdout, "  flows     %s open\n", count(s.Flows))
			fmt.Fprintf(stdout, "  devices   %d, %d of them online\n", s.Devices, s.Online)
			fmt.Fprintf(stdout, "  findings  %s, %s of them wait for you\n", count(s.Findings), count(s.Open))
			fmt.Fprintf(stdout, "  kept      %s of %s\n", report.Size(uint64(s.StoreBytes)), report.Size(uint64(s.StoreLimit)))
			if s.Rules+s.RulesFailed > 0 {
				fmt.Fprintf(stdout, "  rules     %s loaded (%s ago), %s failed, %s alerts\n", count(s.Rules),
					time.Since(s.RulesSince).Round(time.Second), count(s.RulesFailed), count(s.Alerts))
			}
			tellPrivileges(stdout, s.Privileges)
			if p := s.Plugin; p != nil {
				fmt.Fprintf(stdout, "  plug-in   %d of %d named devices come by\n", len(p.Led), p.Named)
			}
			if s.RulesRefused != "" {
				fmt.Fprintf(stdout, "  ! rules refused %s ago, the old ones stay: %s\n", time.Since(s.RefusedAt).Round(time.Second), s.RulesRefused)
			}
			for _, x := range []struct {
				n    int64
				text string
			}{
				{s.Lost, "times the interface went away"}, {s.Evicted, "flows pushed out because the table was full"},
				{s.EventsDropped, "events dropped because the disk was slow"}, {s.EventErrors, "writes to the event file failed"},
				{s.Panics, "packets made the engine stumble; please report"},
			} {
				if x.n > 0 {
					fmt.Fprintf(stdout, "  ! %s %s\n", count(x.n), x.text)
				}
			}
			for _, p := range s.Problems {
				if p.Code == "rules.refused" {
					continue // told above, with the reason
				}
				what, cure := report.Diagnosis(report.English, p.Code, pairs(p.Args))
				fmt.Fprintf(stdout, "  ! %s\n", plain(strings.TrimSpace(cmp.Or(what, p.Code)+" "+cure)))
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVarP(&output, "output", "o", app.Human, "human or json")
	f.StringVar(&socket, "socket", "", "Unix socket of the daemon (default "+config.DefaultSocket+")")
	f.StringVar(&configFile, "config", "", "configuration file")
	return cmd
}

// explained is the sentence of a problem.
func explained(p api.Problem) string {
	args := map[string]string{}
	for _, a := range p.Args {
		args[a.Name] = a.Value
	}
	return report.Explain(report.English, p.Code, args)
}

// tellPrivileges says what the process that reads packets may do.
func tellPrivileges(w io.Writer, p *api.Privileges) {
	switch {
	case p == nil:
	case !p.Parted:
		fmt.Fprintf(w, "  rights    one process with all it was started with, user %s\n", p.User)
	default:
		kept := "none; user " + p.User
		if p.Landlock > 0 {
			kept += ", files by Landlock"
		}
		if p.Seccomp {
			kept += ", system calls filtered"
		}
		fmt.Fprintf(w, "  rights    %s\n", kept)
		for _, m := range p.Missing {
			fmt.Fprintf(w, "  ! %s\n", explained(m))
		}
	}
}

func count(n int64) string { return report.Count(uint64(max(n, 0))) }
