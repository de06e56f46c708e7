package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/app"
	"github.com/yamori-net/yamori/internal/config"
	"github.com/yamori-net/yamori/internal/report"
)

// diagnosis is the answer of the doctor as JSON.
type diagnosis struct {
	OK     bool        `json:"ok"` // no failure
	Checks []diagnosed `json:"checks"`
}

type diagnosed struct {
	app.Check
	Text string `json:"text"`
	Cure string `json:"cure,omitempty"`
}

func newDoctor(stdout, _ *os.File) *cobra.Command {
	var configFile, socket, output, lang string
	var all bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Look for what keeps yamori from working, and say what helps",
		Long: `Doctor looks at the configuration and the files it names, at the machine
(interface, forwarding, clock, disk, memory, port 53), at what the kernel's packet
filter offers and what hides traffic from it (flow offload), and asks the running
daemon. It changes nothing. As root it sees more.

It exits with 1 when something does not work; warnings and notes do not count.`,
		Example: `  sudo yamori doctor
  sudo yamori doctor --all --lang ja
  sudo yamori doctor -o json | jq '.checks[] | select(.level == "failure")'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if output != app.Human && output != app.JSON {
				return usage(fmt.Errorf("output %q: use human or json", output))
			}
			if lang != "" && lang != string(report.English) && lang != string(report.Japanese) {
				return usage(fmt.Errorf("--lang %q: use en or ja", lang))
			}
			d := app.Doctor{}
			cfg, bad := config.Load(configFile) // told as one of the checks
			if d.Config, d.Problem = cfg, bad; bad != nil {
				d.Config, cfg = nil, &config.Config{}
			}
			d.Socket = cmp.Or(socket, cfg.Socket, config.DefaultSocket)
			l := cmp.Or(report.Lang(lang), language(cfg))
			out := diagnosis{OK: true, Checks: []diagnosed{}}
			for _, c := range d.Examine(cmd.Context()) {
				x := diagnosed{Check: c}
				x.Text, x.Cure = report.Diagnosis(l, c.Code, pairs(c.Args))
				x.Text = cmp.Or(x.Text, c.Code)
				out.OK = out.OK && c.Level != app.LevelFailure
				out.Checks = append(out.Checks, x)
			}
			var err error
			if output == app.JSON {
				err = json.NewEncoder(stdout).Encode(&out)
			} else {
				tellDiagnosis(stdout, l, &out, all)
			}
			if err == nil && !out.OK {
				return &exitCode{exitError, nil}
			}
			return err
		},
	}
	f := cmd.Flags()
	f.StringVarP(&output, "output", "o", app.Human, "human or json")
	f.StringVar(&socket, "socket", "", "Unix socket of the daemon (default "+config.DefaultSocket+")")
	f.StringVar(&configFile, "config", "", "configuration file")
	f.StringVar(&lang, "lang", "", "language of the answer: en or ja (default: from the environment)")
	f.BoolVar(&all, "all", false, "also say what is well")
	completeOutput(cmd, app.Human, app.JSON)
	return cmd
}

// tellDiagnosis says what was found, the worst first.
func tellDiagnosis(w *os.File, l report.Lang, d *diagnosis, all bool) {
	words := map[string][2]string{app.LevelFailure: {"FAILURE", "障害"}, app.LevelWarning: {"warning", "注意"}, app.LevelNote: {"note", "情報"}, app.LevelOK: {"ok", "正常"}}
	pick := func(en, ja string) string {
		if l == report.Japanese {
			return ja
		}
		return en
	}
	n := 0
	for _, level := range [...]string{app.LevelFailure, app.LevelWarning, app.LevelNote, app.LevelOK} {
		if level == app.LevelOK && !all {
			continue
		}
		for _, c := range d.Checks {
			if c.Level != level {
				continue
			}
			n++
			fmt.Fprintf(w, "%s  %s\n", pick(words[level][0], words[level][1]), plain(c.Text))
			if c.Cure != "" {
				fmt.Fprintf(w, "    → %s\n", plain(c.Cure))
			}
		}
	}
	if n == 0 {
		fmt.Fprintln(w, pick("All is well.", "問題はありません。"))
	}
}

// pairs are arguments by name.
func pairs(list []api.Pair) map[string]string {
	out := map[string]string{}
	for _, p := range list {
		out[p.Name] = p.Value
	}
	return out
}
