package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yamori-net/yamori/internal/app"
	"github.com/yamori-net/yamori/internal/match"
)

// ruleView is what rules show tells.
type ruleView struct {
	ruleRow
	Header     string   `json:"header,omitempty"`
	Options    []string `json:"options,omitempty"`
	Category   string   `json:"category,omitempty"`
	Severity   int      `json:"severity,omitempty"`
	References []string `json:"references,omitempty"`
	Prefilter  string   `json:"prefilter,omitempty"` // as a content, empty: none
	Buffer     string   `json:"prefilter_buffer,omitempty"`
	Problems   []string `json:"problems"`
	Text       string   `json:"text,omitempty"`
}

// readSID reads "2008983" or, with a generator, "1:2008983".
func readSID(s string) (gid, sid uint32, err error) {
	g, n, both := strings.Cut(s, ":")
	if !both {
		g, n = "0", s
	}
	a, err1 := strconv.ParseUint(g, 10, 32)
	b, err2 := strconv.ParseUint(n, 10, 32)
	if err1 != nil || err2 != nil || b == 0 {
		return 0, 0, usage(fmt.Errorf("sid %q: write its number, such as 2008983", s))
	}
	return uint32(a), uint32(b), nil
}

func newRulesShow(stdout io.Writer) *cobra.Command {
	var output string
	var words func() (*rulesText, error)
	rc := app.RuleConfig{Disabled: true}
	cmd := &cobra.Command{
		Use:   "show [flags] SID [FILE…]",
		Short: "Show one rule and how it is inspected",
		Long: `Show prints a rule with its parts, its state, the pattern and buffer it is
filtered by, its references, and what is wrong with it. Without a file it looks
among the project's own rules.`,
		Example: `  yamori rules show 1741001
  yamori rules show 2008983 emerging-all.rules`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if output != app.Human && output != app.JSON {
				return usage(fmt.Errorf("output %q: use human or json", output))
			}
			gid, sid, err := readSID(args[0])
			if err != nil {
				return err
			}
			text, err := words()
			if err != nil {
				return err
			}
			t := &match.Trace{GID: gid, SID: sid}
			rc.Files, rc.Builtin, rc.Trace = args[1:], len(args) == 1, t
			l, err := rc.Load()
			if err != nil {
				return err
			}
			v, err := viewRule(text, l, t)
			if err != nil {
				return err
			}
			if output == app.JSON {
				e := json.NewEncoder(stdout)
				e.SetIndent("", "  ")
				e.SetEscapeHTML(false)
				return e.Encode(v)
			}
			return v.write(stdout, text)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&output, "output", "o", app.Human, "human or json")
	ruleFlags(cmd, &rc)
	completeOutput(cmd, app.Human, app.JSON)
	words = wordsFlag(cmd)
	return cmd
}

func viewRule(text *rulesText, l *app.RuleLoad, t *match.Trace) (*ruleView, error) {
	v := &ruleView{Problems: []string{}}
	found := false
	for _, row := range ruleRows(l) {
		if row.SID == t.SID && (t.GID == 0 || row.GID == t.GID || row.GID == 0) {
			v.ruleRow, found = row, true
			break
		}
	}
	if !found {
		return nil, errNoRule(text, t.SID)
	}
	for _, p := range l.Problems {
		if p.SID == t.SID {
			v.Problems = append(v.Problems, p.Error())
		}
	}
	for _, r := range l.Rules {
		if r.SID != v.SID || r.GID != v.GID {
			continue
		}
		v.Header = fmt.Sprintf("%s %s %s %s %s %s %s", r.Action, r.Proto, r.Src, r.SrcPorts, r.Dir, r.Dst, r.DstPorts)
		v.Text = r.Raw
		for _, o := range r.Options {
			v.Options = append(v.Options, strings.TrimSuffix(o.String(), ";"))
			if o.Name == "reference" {
				v.References = append(v.References, reference(o.Value))
			}
		}
	}
	for _, m := range l.Set.Rules() {
		if m.SID == v.SID && m.GID == v.GID {
			v.Category, v.Severity = m.Category, int(m.Severity)
		}
	}
	if t.Fast != nil {
		v.Prefilter, v.Buffer = contentText(t.Fast), t.FastBuffer
	}
	return v, nil
}

// errNoRule is that no rule has a sid.
func errNoRule(t *rulesText, sid uint32) error {
	if strings.Contains(t.noRule, "%w") {
		return fmt.Errorf(t.noRule, sid, app.ErrNoRule)
	}
	return fmt.Errorf(t.noRule, sid)
}

// reference makes an address of a reference where its kind has one.
func reference(s string) string {
	kind, id, _ := strings.Cut(s, ",")
	switch id = strings.TrimSpace(id); strings.TrimSpace(kind) {
	case "url":
		return "https://" + id
	case "cve":
		return "https://www.cve.org/CVERecord?id=CVE-" + strings.TrimPrefix(id, "CVE-")
	}
	return s
}

func (v *ruleView) write(w io.Writer, t *rulesText) error {
	b := bufio.NewWriter(w)
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(b, "%s%*s %s\n", name, 11-width(name), "", value)
		}
	}
	line("sid", fmt.Sprintf(t.sid, v.SID, v.GID, v.Rev))
	line("msg", v.Msg)
	line(t.state, v.State)
	line(t.file, fmt.Sprintf("%s:%d", v.File, v.Line))
	line(t.header, v.Header)
	for i, o := range v.Options {
		name := ""
		if i == 0 {
			name = t.options
		}
		line(name, o)
	}
	if v.Severity > 0 {
		line(t.className, fmt.Sprintf(t.class, v.Classtype, v.Category, v.Severity))
	}
	switch {
	case v.State == "failed":
	case v.Prefilter == "":
		line(t.prefilter, t.noFast)
	default:
		line(t.prefilter, fmt.Sprintf(t.fast, v.Prefilter, v.Buffer))
	}
	for _, r := range v.References {
		line(t.reference, r)
	}
	for _, p := range v.Problems {
		line(t.problem, p)
	}
	return b.Flush()
}

// contentText writes bytes as a content option does, others than text in hex.
func contentText(b []byte) string {
	var s strings.Builder
	hex := false
	for _, c := range b {
		plain := c >= ' ' && c < 0x7f && !strings.ContainsRune(`"|;\:`, rune(c))
		switch {
		case !plain && !hex, plain && hex:
			s.WriteByte('|')
			hex = !plain
		case !plain:
			s.WriteByte(' ')
		}
		if plain {
			s.WriteByte(c)
		} else {
			fmt.Fprintf(&s, "%02x", c)
		}
	}
	if hex {
		s.WriteByte('|')
	}
	return s.String()
}
