package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/engine"
	"github.com/yamori-net/yamori/internal/report"
)

// span is the flags of a list that goes back in time.
type span struct {
	since, until string
	limit        int
}

func (s *span) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&s.since, "since", "", "not before: a day, a time, today, or how long ago (2h, 7d)")
	f.StringVar(&s.until, "until", "", "before: likewise")
	f.IntVar(&s.limit, "limit", 50, "at most so many, 0: all")
}

func (s *span) check() error {
	if s.limit < 0 {
		return usage(fmt.Errorf("--limit %d: use 0 for all, or a number above", s.limit))
	}
	return nil
}

func newAuditLog(stdout, stderr *os.File) *cobra.Command {
	var s span
	var actor, action string
	cmd := &cobra.Command{
		Use:   "audit-log",
		Short: "Who changed or read what",
		Long: `Audit-log lists every change, and who read traffic, evidence and backups, the
latest first: a user's name, a token, or the user id of a process at the socket.`,
		Example: `  yamori audit-log
  yamori audit-log --since 7d --actor kenji
  yamori audit-log --action policy.set -o csv`,
		Args: cobra.NoArgs,
	}
	a := newAsker(cmd, stdout, stderr, tableOutputs...)
	s.flags(cmd)
	cmd.Flags().StringVar(&actor, "actor", "", "only by this user, token or uid:number")
	cmd.Flags().StringVar(&action, "action", "", "only this action, such as devices.erase")
	cmd.RunE = a.does(func(ctx context.Context, _ []string) error {
		if err := s.check(); err != nil {
			return err
		}
		since, err := when("since", s.since, a.now)
		if err != nil {
			return err
		}
		until, err := when("until", s.until, a.now)
		if err != nil {
			return err
		}
		all, _, err := collect(a.c.Audit(ctx, actor, action, since, until), s.limit, nil)
		if err != nil {
			return err
		}
		return list(a, []column[api.AuditLine]{
			{name: "time", en: "WHEN", ja: "日時", cell: func(l *api.AuditLine) string { return a.stamp(l.Time) }, csv: func(l *api.AuditLine) string { return rfc(l.Time) }},
			{name: "actor", en: "WHO", ja: "実行者", cell: func(l *api.AuditLine) string { return l.Actor }, mostWide: 24},
			{name: "via", en: "VIA", ja: "経路", cell: func(l *api.AuditLine) string { return strings.TrimSpace(l.Via + " " + l.Addr) }},
			{name: "action", en: "WHAT", ja: "操作", cell: func(l *api.AuditLine) string { return l.Action }},
			{name: "target", en: "ABOUT", ja: "対象", cell: func(l *api.AuditLine) string { return l.Target }, mostWide: 40},
			{name: "outcome", en: "OUTCOME", ja: "結果", cell: func(l *api.AuditLine) string { return l.Outcome }},
			{name: "detail", en: "DETAIL", ja: "詳細", cell: detailText, mostWide: 60},
		}, all, "No such lines.", "記録はありません。")
	})
	return cmd
}

func detailText(l *api.AuditLine) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(l.Detail)) {
		out = append(out, k+"="+l.Detail[k])
	}
	return strings.Join(out, " ")
}

var momentKinds = []string{"finding", "device", "block", "policy", "system"}

func newTimeline(stdout, stderr *os.File) *cobra.Command {
	var s span
	var device, kind string
	cmd := &cobra.Command{
		Use:     "timeline",
		Short:   "What happened, of all kinds, the latest first",
		Example: "  yamori timeline --since today\n  yamori timeline --device Garden --kind device",
		Args:    cobra.NoArgs,
	}
	a := newAsker(cmd, stdout, stderr, tableOutputs...)
	s.flags(cmd)
	a.deviceFlag(cmd, &device, "only of this device: id, address or name")
	oneOf(cmd, &kind, "kind", "only of this kind", momentKinds...)
	cmd.RunE = a.does(func(ctx context.Context, _ []string) error {
		if err := cmp.Or(s.check(), checkOneOf("kind", kind, momentKinds...)); err != nil {
			return err
		}
		since, err := when("since", s.since, a.now)
		if err != nil {
			return err
		}
		until, err := when("until", s.until, a.now)
		if err != nil {
			return err
		}
		id, err := a.deviceID(ctx, device)
		if err != nil {
			return err
		}
		all, _, err := collect(a.c.Timeline(ctx, id, kind, since, until), s.limit, nil)
		if err != nil {
			return err
		}
		names := a.names(ctx)
		return list(a, []column[api.Moment]{
			{name: "time", en: "WHEN", ja: "日時", cell: func(m *api.Moment) string { return a.stamp(m.Time) }, csv: func(m *api.Moment) string { return rfc(m.Time) }},
			{name: "kind", cell: func(m *api.Moment) string { return m.Kind }},
			{name: "device", cell: func(m *api.Moment) string { return m.Device }},
			{name: "code", en: "WHAT", ja: "内容", cell: func(m *api.Moment) string { return a.momentText(m, names) }, csv: func(m *api.Moment) string { return m.Code }},
			{name: "finding", en: "EVENT", ja: "イベント", cell: func(m *api.Moment) string { return m.Finding }},
		}, all, "Nothing happened.", "記録はありません。")
	})
	return cmd
}

// momentText says what happened.
func (a *asker) momentText(m *api.Moment, names map[string]string) string {
	args := map[string]string{}
	for _, p := range m.Args {
		args[p.Name] = p.Value
	}
	who := cmp.Or(names[m.Device], args["name"], m.Device)
	switch m.Code {
	case "device.new":
		return fmt.Sprintf(a.t("%s is here for the first time (%s)", "%s が初めて現れました（%s）"), who, report.KindName(a.lang, args["kind"]))
	case "device.returned":
		return fmt.Sprintf(a.t("%s is back", "%s が戻りました"), who)
	case "device.gone":
		return fmt.Sprintf(a.t("%s is gone", "%s がいなくなりました"), who)
	case "device.kind_changed", "device.changed":
		return fmt.Sprintf(a.t("%s seems to be a %s", "%s は%sのようです"), who, report.KindName(a.lang, args["kind"]))
	}
	if what, ok := strings.CutPrefix(m.Code, "policy."); ok {
		return a.happenedText(what, who, args)
	}
	if m.Kind == "finding" {
		category, _, _ := strings.Cut(m.Code, ".")
		return (&report.Told{Who: who, Code: m.Code, Category: category, Args: args}).Happened(a.lang)
	}
	return strings.TrimSpace(m.Code + " " + who)
}

// happenedText says what was changed of the policy, and by whom.
func (a *asker) happenedText(what, who string, args map[string]string) string {
	s := ""
	switch w := kindOfEntry[args["kind"]]; {
	case args["mode"] != "":
		s = fmt.Sprintf(a.t("mode %s", "モード %s"), args["mode"])
	case what == "add":
		s = fmt.Sprintf(a.t("%s: %s", "%s：%s"), cmp.Or(a.t(w[0], w[1]), args["kind"]), cmp.Or(who, args["entry"]))
	case what == "remove":
		s = fmt.Sprintf(a.t("no longer %s: %s", "%sを解除：%s"), cmp.Or(a.t(w[0], w[1]), args["kind"]), cmp.Or(who, args["entry"]))
	default:
		s = fmt.Sprintf(a.t("taken back: %s %s", "取り消し：%s %s"), cmp.Or(a.t(w[0], w[1]), args["kind"]), cmp.Or(who, args["entry"]))
	}
	if by := args["author"]; by != "" {
		s += fmt.Sprintf(a.t(" (by %s)", "（%s による）"), by)
	}
	return s
}

func newFlows(stdout, stderr *os.File) *cobra.Command {
	var device, proto string
	var limit int
	cmd := &cobra.Command{
		Use:   "flows",
		Short: "Which connections are open now",
		Long:  "Flows lists the connections that are open now. That you read them stands in the\naudit log: they show who talks to whom.",
		Example: `  yamori flows --device Garden
  yamori flows --app-proto stratum -o json`,
		Args: cobra.NoArgs,
	}
	a := newAsker(cmd, stdout, stderr, tableOutputs...)
	a.deviceFlag(cmd, &device, "only of this device: id, address or name")
	cmd.Flags().StringVar(&proto, "app-proto", "", "only what speaks this, such as tls or dns")
	cmd.Flags().IntVar(&limit, "limit", 0, "at most so many, 0: all")
	cmd.RunE = a.does(func(ctx context.Context, _ []string) error {
		if limit < 0 {
			return usage(fmt.Errorf("--limit %d: use 0 for all, or a number above", limit))
		}
		id, err := a.deviceID(ctx, device)
		if err != nil {
			return err
		}
		all, _, err := collect(a.c.Flows(ctx, id, proto), limit, nil)
		if err != nil {
			return err
		}
		names := a.names(ctx)
		end := func(proto, ip string, port int) string {
			if proto != "TCP" && proto != "UDP" && proto != "SCTP" {
				return ip // what stands for its ports are types and codes
			}
			if strings.Contains(ip, ":") {
				ip = "[" + ip + "]"
			}
			return fmt.Sprintf("%s:%d", ip, port)
		}
		return list(a, []column[api.Flow]{
			{name: "id", cell: func(f *api.Flow) string { return f.ID }},
			{name: "device", en: "DEVICE", ja: "機器", cell: func(f *api.Flow) string { return cmp.Or(names[f.Device], f.Device) }, csv: func(f *api.Flow) string { return f.Device }, mostWide: 24},
			{name: "source", en: "FROM", ja: "送信元", cell: func(f *api.Flow) string { return end(f.Proto, f.SrcIP, f.SrcPort) }},
			{name: "destination", en: "TO", ja: "宛先", cell: func(f *api.Flow) string { return end(f.Proto, f.DestIP, f.DestPort) }},
			{name: "host", en: "NAME", ja: "名前", cell: func(f *api.Flow) string { return f.Host }, mostWide: 40},
			{name: "proto", cell: func(f *api.Flow) string { return f.Proto }},
			{name: "app_proto", en: "SPEAKS", ja: "種類", cell: func(f *api.Flow) string {
				if f.AppProto == engine.Unrecognised {
					return a.t("not recognised", "種類不明")
				}
				return cmp.Or(f.AppProto, f.Proto)
			}, csv: func(f *api.Flow) string { return f.AppProto }},
			{name: "sent", en: "SENT", ja: "送信", cell: func(f *api.Flow) string { return report.Size(uint64(max(f.Sent, 0))) }, csv: func(f *api.Flow) string { return fmt.Sprint(f.Sent) }},
			{name: "received", en: "RECEIVED", ja: "受信", cell: func(f *api.Flow) string { return report.Size(uint64(max(f.Received, 0))) }, csv: func(f *api.Flow) string { return fmt.Sprint(f.Received) }},
			{name: "first", en: "SINCE", ja: "開始", cell: func(f *api.Flow) string { return a.stamp(f.First) }, csv: func(f *api.Flow) string { return rfc(f.First) }},
		}, all, "No connection is open.", "開いている接続はありません。")
	})
	return cmd
}
