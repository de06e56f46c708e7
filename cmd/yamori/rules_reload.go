package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/yamori-net/yamori/internal/app"
	"github.com/yamori-net/yamori/internal/config"
	"github.com/yamori-net/yamori/internal/report"
)

func newRulesReload(stdout io.Writer) *cobra.Command {
	var configFile, socket, output, lang string
	cmd := &cobra.Command{
		Use:   "reload",
		Short: "Make the running watch load its rules again",
		Long: `Reload makes the running yamori read its rule files again. Packets go on
meanwhile; what flows and hosts are marked with is kept. When a file cannot be
read or the rules need more memory than rules.memory_mb, the old rules stay and
the command ends with the reason.`,
		Example: `  sudo yamori rules reload`,
		Args:    cobra.NoArgs,
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
			s, err := app.AskReload(cmd.Context(), cmp.Or(socket, cfg.Socket, config.DefaultSocket))
			if err != nil {
				return cured(l, err)
			}
			if output == app.JSON {
				return json.NewEncoder(stdout).Encode(s)
			}
			t := report.Daemon(l)
			line := fmt.Sprintf(t.Reloaded, s.Loaded)
			if s.Failed > 0 {
				line += fmt.Sprintf(t.Left, s.Failed)
			}
			_, err = fmt.Fprintln(stdout, line)
			return err
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

// completeOutput offers the values of --output.
func completeOutput(cmd *cobra.Command, values ...string) {
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}
