package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yamori-net/yamori/internal/app"
	"github.com/yamori-net/yamori/internal/config"
	"github.com/yamori-net/yamori/internal/match"
)

func newRules(stdout, stderr *os.File) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rules",
		Short: "Check and explain rules in Suricata's language",
		Example: `  yamori rules check emerging-all.rules
  yamori rules list --msg telnet emerging-all.rules
  yamori rules show 2008983 emerging-all.rules
  yamori rules test 2008983 capture.pcap --rules emerging-all.rules
  yamori rules keywords
  yamori rules reload`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newRulesCheck(stdout), newRulesKeywords(stdout), newRulesReload(stdout))
	for _, c := range cmd.Commands() {
		c.Args = usageArgs(c.Args)
	}
	return cmd
}

func newRulesCheck(stdout io.Writer) *cobra.Command {
	var output string
	var rc app.RuleConfig
	var homeNet []string
	cmd := &cobra.Command{
		Use:   "check [flags] FILE…",
		Short: "Load rules and say what is wrong with them",
		Long: `Check loads rules (files, patterns or folders) and names every problem with its
file, line and column, and the cure where one is known. A rule that cannot be
loaded never stops the others.

Exit: 0 all rules load, 1 some do not, 2 wrong use.`,
		Example: `  yamori rules check emerging-all.rules
  yamori rules check -o json --disabled '/etc/suricata/rules/*.rules'`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if output != app.Human && output != app.JSON {
				return usage(fmt.Errorf("output %q: use human or json", output))
			}
			var err error
			if rc.HomeNet, err = config.Prefixes(homeNet); err != nil {
				return usage(fmt.Errorf("home-net: %w", err))
			}
			rc.Files = args
			l, err := rc.Load()
			if err != nil {
				return err
			}
			if err := writeCheck(stdout, l, output); err != nil {
				return err
			}
			if l.Failed > 0 {
				return &exitCode{code: 1}
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVarP(&output, "output", "o", app.Human, "human or json")
	f.BoolVar(&rc.Disabled, "disabled", false, "also check rules in comments")
	f.StringSliceVar(&homeNet, "home-net", nil, "networks of the home")
	ruleFlags(cmd, &rc)
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{app.Human, app.JSON}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// ruleFlags adds the flags that every command with rules has.
func ruleFlags(cmd *cobra.Command, rc *app.RuleConfig) {
	f := cmd.Flags()
	f.StringArrayVar(&rc.Vars, "var", nil, "a variable of rules, NAME=value (repeatable)")
	f.StringVar(&rc.Classification, "classification", "", "classification.config (default: built in)")
	f.StringVar(&rc.Thresholds, "threshold-file", "", "threshold.config with suppressions and limits")
	f.StringVar(&rc.Data, "data-dir", "", "folder of the files that rules name (default: beside the rules)")
}

type checkProblem struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	SID     uint32 `json:"sid"`
	Reason  string `json:"reason"`
	Cure    string `json:"cure,omitempty"`
	Warning bool   `json:"warning,omitempty"`
}

func writeCheck(w io.Writer, l *app.RuleLoad, output string) error {
	s := l.Set.Stats()
	if output == app.JSON {
		out := struct {
			Total    int            `json:"total"`
			Loaded   int            `json:"loaded"`
			Failed   int            `json:"failed"`
			States   map[string]int `json:"states"`
			Memory   int            `json:"memory"`
			Problems []checkProblem `json:"problems"`
		}{l.Total, l.Loaded, l.Failed, states(s), s.Memory, []checkProblem{}}
		for _, p := range l.Problems {
			out.Problems = append(out.Problems, checkProblem{p.File, p.Line, p.Col, p.SID, p.Reason, p.Cure, p.Warning})
		}
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(out)
	}
	b := bufio.NewWriter(w)
	for _, p := range l.Problems {
		word := ""
		if p.Warning {
			word = "warning: "
		}
		fmt.Fprintf(b, "%s%v\n", word, p)
	}
	fmt.Fprintf(b, "%d rules: %d load, %d do not.\n", l.Total, l.Loaded, l.Failed)
	fmt.Fprintf(b, "Of those that load, %d look at packets, %d at streams, %d at transactions, %d at addresses alone,\n%d at the protocol recognised, %d at events; %d cannot match here.\n",
		s.Packet, s.Stream, s.App, s.IPOnly, s.ProtoOnly, s.Event, s.Inert)
	return b.Flush()
}

func states(s match.Stats) map[string]int {
	return map[string]int{"packet": s.Packet, "stream": s.Stream, "app": s.App, "ip_only": s.IPOnly, "protocol": s.ProtoOnly,
		"event": s.Event, "inert": s.Inert}
}

func newRulesKeywords(stdout io.Writer) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:     "keywords",
		Short:   "List the options of the rule language",
		Example: `  yamori rules keywords | grep http`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch output {
			case app.Human, "csv", app.JSON:
			default:
				return usage(fmt.Errorf("output %q: use human, json or csv", output))
			}
			type row struct {
				Name    string   `json:"name"`
				Aliases []string `json:"aliases,omitempty"`
				Family  string   `json:"family"`
				Doc     string   `json:"doc"`
				Example string   `json:"example,omitempty"`
				Inert   string   `json:"inert,omitempty"`
			}
			b := bufio.NewWriter(stdout)
			var rows []row
			for _, k := range match.Keywords() {
				switch output {
				case app.Human:
					fmt.Fprintf(b, "%-12s %-28s %s\n", k.Family, strings.Join(append([]string{k.Name}, k.Aliases...), ", "), k.Doc)
				case "csv":
					fmt.Fprintf(b, "%s,%s,%q,%q\n", k.Family, k.Name, k.Doc, k.Example)
				default:
					rows = append(rows, row{k.Name, k.Aliases, k.Family, k.Doc, k.Example, k.Inert})
				}
			}
			if output == app.JSON {
				e := json.NewEncoder(b)
				e.SetIndent("", "  ")
				if err := e.Encode(rows); err != nil {
					return err
				}
			}
			return b.Flush()
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", app.Human, "human, json or csv")
	return cmd
}
