package main

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yamori-net/yamori/internal/app"
	"github.com/yamori-net/yamori/internal/rules"
)

// ruleRow is a line of rules list.
type ruleRow struct {
	SID       uint32 `json:"sid"`
	GID       uint32 `json:"gid"`
	Rev       uint32 `json:"rev"`
	Action    string `json:"action,omitempty"`
	Msg       string `json:"msg,omitempty"`
	Classtype string `json:"classtype,omitempty"`
	State     string `json:"state"` // how it is inspected, "inert", "disabled" or "failed"
	File      string `json:"file"`
	Line      int    `json:"line"`
	Problem   string `json:"problem,omitempty"`
}

// ruleRows lists the rules of a load with their state, by sid.
func ruleRows(l *app.RuleLoad) []ruleRow {
	type key struct{ gid, sid uint32 }
	state := map[key]string{}
	for _, m := range l.Set.Rules() {
		state[key{m.GID, m.SID}] = m.Kind.String()
	}
	failed := map[uint32]string{}
	var unread []*rules.Problem
	known := map[uint32]bool{}
	for _, r := range l.Rules {
		known[r.SID] = true
	}
	for _, p := range l.Problems {
		switch {
		case p.Warning:
		case known[p.SID]:
			failed[p.SID] = p.Reason
		default:
			unread = append(unread, p)
		}
	}
	var rows []ruleRow
	for _, r := range l.Rules {
		row := ruleRow{r.SID, r.GID, r.Rev, r.Action.String(), r.Msg, r.Classtype, state[key{r.GID, r.SID}], r.File, r.Line, ""}
		switch {
		case row.State == "":
			row.State, row.Problem = "failed", failed[r.SID]
		case !r.Enabled:
			row.State = "disabled"
		}
		rows = append(rows, row)
	}
	for _, p := range unread {
		rows = append(rows, ruleRow{SID: p.SID, State: "failed", File: p.File, Line: p.Line, Problem: p.Reason})
	}
	slices.SortStableFunc(rows, func(a, b ruleRow) int { return int(a.SID) - int(b.SID) })
	return rows
}

func newRulesList(stdout io.Writer) *cobra.Command {
	var output, msg string
	var sids []uint
	var rc app.RuleConfig
	cmd := &cobra.Command{
		Use:   "list [flags] FILE…",
		Short: "List rules with their state",
		Long: `List names each rule with its state: how it is inspected (packet, stream, app,
ip_only, protocol, event), inert when it looks at what no protocol here
provides, disabled for rules in comments (with --disabled), or failed with the
reason. Without a file it lists the project's own rules.`,
		Example: `  yamori rules list
  yamori rules list --msg telnet emerging-all.rules
  yamori rules list -o csv --sid 2008983,2008984 /etc/suricata/rules`,
		RunE: func(_ *cobra.Command, args []string) error {
			if !slices.Contains([]string{app.Human, app.JSON, "csv"}, output) {
				return usage(fmt.Errorf("output %q: use human, json or csv", output))
			}
			rc.Files, rc.Builtin = args, len(args) == 0
			l, err := rc.Load()
			if err != nil {
				return err
			}
			rows := slices.DeleteFunc(ruleRows(l), func(r ruleRow) bool {
				return len(sids) > 0 && !slices.Contains(sids, uint(r.SID)) ||
					!strings.Contains(strings.ToLower(r.Msg), strings.ToLower(msg))
			})
			return writeRules(stdout, rows, output)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&output, "output", "o", app.Human, "human, json or csv")
	f.StringVar(&msg, "msg", "", "only rules whose message holds this text")
	f.UintSliceVar(&sids, "sid", nil, "only rules with these sids")
	f.BoolVar(&rc.Disabled, "disabled", false, "also rules in comments")
	ruleFlags(cmd, &rc)
	completeOutput(cmd, app.Human, app.JSON, "csv")
	return cmd
}

func writeRules(w io.Writer, rows []ruleRow, output string) error {
	switch output {
	case app.JSON:
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		if rows == nil {
			rows = []ruleRow{}
		}
		return e.Encode(rows)
	case "csv":
		c := csv.NewWriter(w)
		_ = c.Write([]string{"sid", "gid", "rev", "action", "msg", "classtype", "state", "file", "line", "problem"})
		for _, r := range rows {
			_ = c.Write([]string{strconv.Itoa(int(r.SID)), strconv.Itoa(int(r.GID)), strconv.Itoa(int(r.Rev)), r.Action, r.Msg, r.Classtype,
				r.State, r.File, strconv.Itoa(r.Line), r.Problem})
		}
		c.Flush()
		return c.Error()
	}
	b := bufio.NewWriter(w)
	for _, r := range rows {
		text := r.Msg
		if r.Problem != "" {
			text = strings.TrimPrefix(text+": "+r.Problem, ": ")
		}
		fmt.Fprintf(b, "%9d  rev %-3d  %-6s  %-8s  %s\n", r.SID, r.Rev, r.Action, r.State, text)
	}
	return b.Flush()
}
