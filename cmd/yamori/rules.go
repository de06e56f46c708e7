package main

import (
	"bufio"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yamori-net/yamori/internal/app"
	"github.com/yamori-net/yamori/internal/builtin"
	"github.com/yamori-net/yamori/internal/config"
	"github.com/yamori-net/yamori/internal/match"
	"github.com/yamori-net/yamori/internal/rules"
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
	cmd.AddCommand(newRulesCheck(stdout), newRulesList(stdout), newRulesShow(stdout), newRulesTest(stdout),
		newRulesKeywords(stdout), newRulesReload(stdout))
	for _, c := range cmd.Commands() {
		c.Args = usageArgs(c.Args)
	}
	return cmd
}

func newRulesCheck(stdout io.Writer) *cobra.Command {
	var output string
	var words func() (*rulesText, error)
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
			t, err := words()
			if err != nil {
				return err
			}
			rc.Files = args
			l, err := rc.Load()
			if err != nil {
				return err
			}
			if err := writeCheck(stdout, t, l, output); err != nil {
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
	words = wordsFlag(cmd)
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{app.Human, app.JSON}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// ruleFlags adds the flags that every command with rules has.
func ruleFlags(cmd *cobra.Command, rc *app.RuleConfig) {
	f := cmd.Flags()
	f.StringArrayVar(&rc.Vars, "var", nil, "a variable of rules, NAME=value (repeatable)")
	f.StringVar(&rc.Classification, "classification", "", "classification.config (default: built in)")
	f.StringVar(&rc.Thresholds, "threshold-file", "", "threshold.config with suppressions and limits")
	f.StringVar(&rc.Categories, "reputation-categories", "", "categories of the reputation lists, for iprep")
	f.StringArrayVar(&rc.Reputation, "reputation", nil, "a reputation list, for iprep (repeatable)")
	f.StringVar(&rc.CountryDB, "country-db", "", "database of countries in MaxMind's format, for geoip")
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

func writeCheck(w io.Writer, t *rulesText, l *app.RuleLoad, output string) error {
	s := l.Set.Stats()
	// In the order of the lines: rules are read and compiled in two passes.
	slices.SortStableFunc(l.Problems, func(a, b *rules.Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
	})
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
			word = t.warning
		}
		fmt.Fprintf(b, "%s%v\n", word, p)
	}
	fmt.Fprintf(b, t.sum, l.Total, l.Loaded, l.Failed)
	if l.Loaded > 0 {
		fmt.Fprintf(b, t.states,
			s.Packet, s.Stream, s.App, s.IPOnly, s.ProtoOnly, s.Event, s.Inert)
	}
	return b.Flush()
}

func states(s match.Stats) map[string]int {
	return map[string]int{"packet": s.Packet, "stream": s.Stream, "app": s.App, "ip_only": s.IPOnly, "protocol": s.ProtoOnly,
		"event": s.Event, "inert": s.Inert}
}

// keywordRow is a line of rules keywords.
type keywordRow struct {
	Name    string   `json:"name"`
	Aliases []string `json:"aliases,omitempty"`
	Family  string   `json:"family"`
	Doc     string   `json:"doc"`
	Example string   `json:"example,omitempty"`
	Inert   string   `json:"inert,omitempty"` // accepted without effect, and why
}

func newRulesKeywords(stdout io.Writer) *cobra.Command {
	var output string
	var words func() (*rulesText, error)
	cmd := &cobra.Command{
		Use:   "keywords [NAME…]",
		Short: "List the options of the rule language",
		Long: `Keywords lists the options that rules may have, from the table the compiler
itself uses. With names (or families) it tells more of those: an example, and
why an option is accepted without effect.`,
		Example: `  yamori rules keywords
  yamori rules keywords byte_jump
  yamori rules keywords flow`,
		ValidArgsFunction: func(*cobra.Command, []string, string) (names []string, d cobra.ShellCompDirective) {
			for _, k := range match.KeywordsFor(builtin.Protocols()) {
				names = append(names, k.Name)
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if !slices.Contains([]string{app.Human, app.JSON, "csv"}, output) {
				return usage(fmt.Errorf("output %q: use human, json or csv", output))
			}
			t, err := words()
			if err != nil {
				return err
			}
			var rows []keywordRow
			var names []string
			for _, k := range match.KeywordsFor(builtin.Protocols()) {
				names = append(append(names, k.Name), k.Aliases...)
				wanted := func(a string) bool { return a == k.Name || a == k.Family || slices.Contains(k.Aliases, a) }
				if len(args) == 0 || slices.ContainsFunc(args, wanted) {
					rows = append(rows, keywordRow{k.Name, k.Aliases, k.Family, k.Doc, k.Example, k.Inert})
				}
			}
			if len(rows) == 0 {
				cure := t.keywords
				if s := rules.Suggest(args[0], names); s != "" {
					cure = fmt.Sprintf(t.meant, s)
				}
				return fmt.Errorf(t.noOption, args[0], cure)
			}
			return writeKeywords(stdout, t, rows, output, len(args) > 0)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", app.Human, "human, json or csv")
	completeOutput(cmd, app.Human, app.JSON, "csv")
	words = wordsFlag(cmd)
	return cmd
}

func writeKeywords(w io.Writer, t *rulesText, rows []keywordRow, output string, long bool) error {
	switch output {
	case app.JSON:
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(rows)
	case "csv":
		c := csv.NewWriter(w)
		_ = c.Write([]string{"family", "name", "aliases", "doc", "example", "inert"})
		for _, k := range rows {
			_ = c.Write([]string{k.Family, k.Name, strings.Join(k.Aliases, " "), k.Doc, k.Example, k.Inert})
		}
		c.Flush()
		return c.Error()
	}
	b := bufio.NewWriter(w)
	for _, k := range rows {
		fmt.Fprintf(b, "%-12s %-28s %s\n", k.Family, strings.Join(append([]string{k.Name}, k.Aliases...), ", "), k.Doc)
		if !long {
			continue
		}
		if k.Example != "" {
			fmt.Fprintf(b, "%*s%s %s\n", 41-width(t.example), "", t.example, k.Example)
		}
		if k.Inert != "" {
			fmt.Fprintf(b, "%*s%s %s\n", 41-width(t.noEffect), "", t.noEffect, k.Inert)
		}
	}
	return b.Flush()
}
