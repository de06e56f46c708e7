package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

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
			if !s.Up {
				state = "waiting for"
			}
			fmt.Fprintf(stdout, "Yamori %s is %s %s since %s (%s).\n", s.Version, state, s.Interface,
				s.Since.Format(time.DateTime), time.Since(s.Since).Round(time.Second))
			fmt.Fprintf(stdout, "  packets   %s (%s), %s dropped\n", report.Count(s.Packets), report.Size(s.Bytes), report.Count(s.Dropped))
			fmt.Fprintf(stdout, "  flows     %s open\n", report.Count(uint64(s.Flows)))
			fmt.Fprintf(stdout, "  devices   %d\n", s.Devices)
			fmt.Fprintf(stdout, "  findings  %s\n", report.Count(s.Findings))
			if r := s.Rules; r != nil {
				fmt.Fprintf(stdout, "  rules     %s loaded (%s ago), %s failed, %s alerts\n", report.Count(uint64(r.Loaded)),
					time.Since(r.Since).Round(time.Second), report.Count(uint64(r.Failed)), report.Count(s.Alerts))
				if r.Refused != "" {
					fmt.Fprintf(stdout, "  ! rules refused %s ago, the old ones stay: %s\n", time.Since(r.RefusedAt).Round(time.Second), r.Refused)
				}
			}
			for _, x := range []struct {
				n    uint64
				text string
			}{
				{s.Lost, "times the interface went away"}, {s.Evicted, "flows pushed out because the table was full"},
				{s.EventsDropped, "events dropped because the disk was slow"}, {s.EventErrors, "writes to the event file failed"},
				{s.Panics, "packets made the engine stumble; please report"},
			} {
				if x.n > 0 {
					fmt.Fprintf(stdout, "  ! %s %s\n", report.Count(x.n), x.text)
				}
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
