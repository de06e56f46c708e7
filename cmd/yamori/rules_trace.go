package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/yamori-net/yamori/internal/app"
	"github.com/yamori-net/yamori/internal/config"
	"github.com/yamori-net/yamori/internal/match"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/report"
)

// tracePlace is a packet in the output of rules test.
type tracePlace struct {
	Packet uint64 `json:"packet"`
	Time   string `json:"time"`
	Proto  string `json:"proto"`
	Src    string `json:"src"`
	Dest   string `json:"dest"`
}

// traceView is what rules test tells.
type traceView struct {
	SID     uint32       `json:"sid"`
	Msg     string       `json:"msg"`
	Matched uint64       `json:"matched"`
	Matches []tracePlace `json:"matches"` // the first
	Alerts  []tracePlace `json:"alerts"`  // the first
	// Where it came furthest without a match.
	Stage  string      `json:"stage,omitempty"`
	Option string      `json:"option,omitempty"`
	Buffer string      `json:"buffer,omitempty"`
	Data   string      `json:"data,omitempty"`
	Size   int         `json:"size,omitempty"`
	At     *tracePlace `json:"at,omitempty"`
	Why    string      `json:"why,omitempty"`
}

func newRulesTest(stdout io.Writer) *cobra.Command {
	var output string
	var words func() (*rulesText, error)
	var homeNet []string
	rc := app.RuleConfig{Disabled: true}
	cmd := &cobra.Command{
		Use:   "test [flags] SID CAPTURE",
		Short: "Say where a rule matches in a capture, or where it stops",
		Long: `Test inspects a capture with the rules and follows one of them: where it
matched, or how far it came: addresses, flow, protocol, which buffer never came,
which option failed last and on which data. All rules of the files are loaded,
so that those that set flowbits do. Without --rules it takes the project's own.

Exit: 0 the rule alerted, 1 it did not, 2 wrong use.`,
		Example: `  yamori rules test 1741001 capture.pcap
  yamori rules test 2008983 capture.pcap --rules emerging-all.rules`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if output != app.Human && output != app.JSON {
				return usage(fmt.Errorf("output %q: use human or json", output))
			}
			gid, sid, err := readSID(args[0])
			if err != nil {
				return err
			}
			if rc.HomeNet, err = config.Prefixes(homeNet); err != nil {
				return usage(fmt.Errorf("home-net: %w", err))
			}
			text, err := words()
			if err != nil {
				return err
			}
			rc.Builtin = len(rc.Files) == 0
			t, _, err := app.TestRule(cmd.Context(), rc, gid, sid, args[1])
			if t == nil {
				return err
			}
			if output == app.JSON { // what programs read has one language
				text = rulesTexts[report.English]
			}
			v := viewTrace(text, t)
			if output == app.JSON {
				e := json.NewEncoder(stdout)
				e.SetIndent("", "  ")
				e.SetEscapeHTML(false)
				if werr := e.Encode(v); werr != nil {
					return werr
				}
			} else if werr := v.write(stdout, text); werr != nil {
				return werr
			}
			if err == nil && len(t.Alerts) == 0 {
				return &exitCode{code: exitError}
			}
			return err
		},
	}
	f := cmd.Flags()
	f.StringVarP(&output, "output", "o", app.Human, "human or json")
	f.StringArrayVar(&rc.Files, "rules", nil, "rules: a file, pattern or folder (repeatable)")
	f.BoolVar(&rc.Midstream, "midstream", false, "inspect streams whose start was not seen")
	f.StringSliceVar(&homeNet, "home-net", nil, "networks of the home")
	ruleFlags(cmd, &rc)
	completeOutput(cmd, app.Human, app.JSON)
	words = wordsFlag(cmd)
	return cmd
}

func viewPlace(p *match.Place) tracePlace {
	end := func(a packet.Addr, port uint16) string {
		switch {
		case p.Proto != packet.ProtoTCP && p.Proto != packet.ProtoUDP:
			return a.String()
		case a.Is4():
			return a.String() + ":" + strconv.Itoa(int(port))
		}
		return "[" + a.String() + "]:" + strconv.Itoa(int(port))
	}
	proto := map[uint8]string{packet.ProtoTCP: "TCP", packet.ProtoUDP: "UDP", packet.ProtoICMP: "ICMP", packet.ProtoICMPv6: "ICMPv6"}[p.Proto]
	if proto == "" {
		proto = "protocol " + strconv.Itoa(int(p.Proto))
	}
	return tracePlace{p.Packet, time.Unix(0, p.Time).UTC().Format("2006-01-02T15:04:05.000000Z"), proto, end(p.Src, p.SrcPort), end(p.Dst, p.DstPort)}
}

func (p tracePlace) text(t *rulesText) string {
	return fmt.Sprintf(t.packet, p.Packet, p.Time, p.Proto, p.Src, p.Dest)
}

func viewTrace(text *rulesText, t *match.Trace) *traceView {
	v := &traceView{SID: t.SID, Msg: t.Rule.Msg, Matched: t.Matched, Matches: []tracePlace{}, Alerts: []tracePlace{}}
	for i := range t.Matches {
		v.Matches = append(v.Matches, viewPlace(&t.Matches[i]))
	}
	for i := range t.Alerts {
		v.Alerts = append(v.Alerts, viewPlace(&t.Alerts[i]))
	}
	if len(t.Alerts) > 0 {
		return v
	}
	b := &t.Best
	v.Stage, v.Option, v.Buffer, v.Size = b.Stage.String(), b.Option, b.Buffer, b.Size
	if b.Data != nil {
		v.Data = contentText(b.Data)
	}
	if b.Stage != match.NoPacket {
		at := viewPlace(&b.Place)
		v.At = &at
	}
	switch why := text.why[b.Stage]; b.Stage {
	case match.NoPacket:
		v.Why = fmt.Sprintf(why, t.Rule.Proto)
	case match.AtAddress:
		v.Why = fmt.Sprintf(why, cmp.Or(text.parts[b.Option], b.Option))
	case match.AtFlow, match.AtApp, match.AtOption:
		v.Why = fmt.Sprintf(why, b.Option)
	case match.AtBuffer:
		v.Why = fmt.Sprintf(why, b.Buffer)
	case match.AtContent:
		v.Why = fmt.Sprintf(why, b.Buffer, b.Option)
	case match.AtAlert:
		v.Why = why
	}
	return v
}

// shown bounds the places that are written for people.
const shown = 10

func (v *traceView) write(w io.Writer, t *rulesText) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "%d %s\n", v.SID, v.Msg)
	list := func(what string, places []tracePlace) {
		for i, p := range places {
			if i == shown {
				fmt.Fprint(b, t.more)
				break
			}
			fmt.Fprintf(b, what, p.text(t))
		}
	}
	if v.Why == "" {
		fmt.Fprint(b, t.alerts)
		list(t.alert, v.Alerts)
		return b.Flush()
	}
	fmt.Fprintf(b, t.silent, v.Why)
	if v.Matched > 0 {
		list(t.match, v.Matches)
	} else if v.At != nil {
		fmt.Fprintf(b, t.furthest, v.At.text(t))
	}
	if v.Data != "" {
		fmt.Fprintf(b, t.data, v.Buffer, v.Size, v.Data)
	}
	return b.Flush()
}
