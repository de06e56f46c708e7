package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/report"
)

// entries reads lists of the policy; of kinds alone, when there are some.
func (a *asker) entries(ctx context.Context, device string, kinds []string, lists ...string) ([]api.Entry, error) {
	out := []api.Entry{}
	for _, l := range lists {
		some, _, err := collect(a.c.Entries(ctx, l, device), 0, func(e *api.Entry) bool { return len(kinds) == 0 || slices.Contains(kinds, e.Kind) })
		if err != nil {
			return nil, err
		}
		out = append(out, some...)
	}
	return out, nil
}

var kindOfEntry = map[string][2]string{
	"exception": {"allowed", "許可"}, "consent": {"own mining", "自分の採掘"}, "block": {"blocked", "遮断"}, "quarantine": {"quarantined", "隔離"},
	"pause": {"paused", "休止"}, "never": {"never blocked", "遮断しない"}, "action": {"decides", "判断"},
}

// entryColumns are the columns of a list of entries. names are the devices'.
func (a *asker) entryColumns(names map[string]string) []column[api.Entry] {
	return []column[api.Entry]{
		{name: "id", en: "ID", ja: "ID", cell: func(e *api.Entry) string { return e.ID }},
		{name: "kind", en: "KIND", ja: "種類", cell: func(e *api.Entry) string {
			w, ok := kindOfEntry[e.Kind]
			if !ok {
				return e.Kind
			}
			return a.t(w[0], w[1])
		}, csv: func(e *api.Entry) string { return e.Kind }},
		{name: "about", en: "WHAT", ja: "対象", cell: func(e *api.Entry) string { return a.about(e, names) }, mostWide: 60},
		{name: "until", en: "UNTIL", ja: "期限", cell: func(e *api.Entry) string { return a.untilText(e) }, csv: func(e *api.Entry) string { return rfc(e.Until) }},
		{name: "active", cell: func(e *api.Entry) string { return strconv.FormatBool(e.Active) }},
		{name: "hits", en: "USED", ja: "適用", cell: func(e *api.Entry) string { return strconv.FormatInt(e.Hits, 10) }},
		{name: "author", en: "BY", ja: "設定者", cell: func(e *api.Entry) string { return e.Author }, mostWide: 16},
		{name: "reason", en: "REASON", ja: "理由", cell: a.reasonText, csv: func(e *api.Entry) string { return e.Reason }, mostWide: 40},
		{name: "created", cell: func(e *api.Entry) string { return rfc(e.Created) }},
	}
}

// about says what an entry is about.
func (a *asker) about(e *api.Entry, names map[string]string) string {
	s, out := &e.Scope, []string{}
	if s.Device != "" {
		out = append(out, cmp.Or(names[s.Device], s.Device))
	}
	if s.Kind != "" {
		out = append(out, report.KindName(a.lang, s.Kind))
	}
	for _, v := range []string{s.Dest, s.Host} {
		if v != "" {
			out = append(out, "→ "+v)
		}
	}
	if s.Port != 0 {
		out = append(out, a.t("port ", "ポート ")+strconv.Itoa(s.Port))
	}
	if s.SID != 0 {
		out = append(out, a.t("rule ", "規則 ")+ruleText(s))
	}
	if s.Category != "" {
		out = append(out, report.CategoryName(a.lang, s.Category))
	}
	if s.Family != "" {
		out = append(out, s.Family)
	}
	if s.Pool != "" {
		out = append(out, a.t("pool ", "プール ")+s.Pool)
	}
	if s.Wallet != "" {
		out = append(out, a.t("wallet ", "ウォレット ")+fit(s.Wallet, 20))
	}
	if e.At != "" {
		out = append(out, a.t("from ", "基準：")+e.At)
	}
	if len(out) == 0 {
		return a.t("everything", "すべて")
	}
	return strings.Join(out, " ")
}

func ruleText(s *api.Scope) string {
	if s.GID > 1 {
		return fmt.Sprintf("%d:%d", s.GID, s.SID)
	}
	return strconv.FormatInt(s.SID, 10)
}

func (a *asker) untilText(e *api.Entry) string {
	switch {
	case e.Schedule != nil:
		s := a.scheduleText(e.Schedule)
		if e.Active {
			s += a.t(" (now)", "（いま）")
		}
		return s
	case e.Fixed:
		return a.t("fixed", "固定")
	case e.Until.IsZero():
		return a.t("removed", "解除まで")
	}
	return a.stamp(e.Until)
}

// added answers with an entry that was made.
func (a *asker) added(ctx context.Context, e *api.Entry) error {
	if ok, err := a.json(e); ok {
		return err
	}
	return list(a, a.entryColumns(a.names(ctx)), []api.Entry{*e}, "", "")
}

// newEntryList makes a command that lists entries.
func newEntryList(stdout, stderr *os.File, example, noneEN, noneJA string, kinds []string, lists ...string) *cobra.Command {
	var device string
	cmd := &cobra.Command{Use: "list", Short: "List them, with how often each decided", Example: example, Args: cobra.NoArgs}
	a := newAsker(cmd, stdout, stderr, tableOutputs...)
	a.deviceFlag(cmd, &device, "only of this device: id, address or name")
	cmd.RunE = a.does(func(ctx context.Context, _ []string) error {
		id, err := a.deviceID(ctx, device)
		if err != nil {
			return err
		}
		all, err := a.entries(ctx, id, kinds, lists...)
		if err != nil {
			return err
		}
		return list(a, a.entryColumns(a.names(ctx)), all, noneEN, noneJA)
	})
	return cmd
}

// newEntryRemove makes a command that ends entries, by their ids or by the
// device they are about.
func newEntryRemove(stdout, stderr *os.File, use, example string, kinds []string, lists ...string) *cobra.Command {
	cmd := &cobra.Command{
		Use: use + " ID…", Short: "End them",
		Long:    "Entries are named by their id, as the list shows it, or by the device they are\nabout: then all of this kind about that device end. yamori undo takes it back.",
		Example: example, Args: cobra.MinimumNArgs(1),
	}
	a := newAsker(cmd, stdout, stderr)
	cmd.ValidArgsFunction = a.completion(0, func(ctx context.Context) (out []cobra.Completion) {
		all, err := a.entries(ctx, "", kinds, lists...)
		if err != nil {
			return nil
		}
		names := a.names(ctx)
		for i := range all {
			if !all[i].Fixed {
				out = append(out, choice(all[i].ID, a.about(&all[i], names)))
			}
		}
		return out
	})
	cmd.RunE = a.does(func(ctx context.Context, args []string) error {
		type place struct{ list, id string }
		var gone []place
		for _, s := range args {
			found := false
			device := ""
			for _, l := range lists {
				all, err := a.entries(ctx, "", kinds, l)
				if err != nil {
					return err
				}
				for _, e := range all {
					if e.ID == s {
						found = true
						gone = append(gone, place{l, e.ID})
					}
				}
			}
			if !found {
				d, err := a.device(ctx, s)
				if err != nil {
					return a.errorf("%q is neither an entry of this list nor a device: %w", "%q はこの一覧の項目でも機器でもありません：%w", plain(s), err)
				}
				device = d.ID
			}
			for _, l := range lists {
				if device == "" {
					break
				}
				all, err := a.entries(ctx, device, kinds, l)
				if err != nil {
					return err
				}
				for _, e := range all {
					if !e.Fixed {
						found = true
						gone = append(gone, place{l, e.ID})
					}
				}
			}
			if !found {
				return a.errorf("there is nothing of this kind about %q; see %s list", "%q についての項目はありません。%s list で一覧できます", plain(s), cmd.Parent().CommandPath())
			}
		}
		ids := []string{}
		for _, p := range gone {
			if err := a.c.RemoveEntry(ctx, p.list, p.id); err != nil && !errors.Is(err, api.ErrNotFound) {
				return err
			}
			ids = append(ids, p.id)
		}
		if ok, err := a.json(map[string][]string{"removed": ids}); ok {
			return err
		}
		a.sayf("Ended: %s", "解除しました：%s", plain(strings.Join(ids, " ")))
		a.sayf("yamori undo takes the last one back.", "最後のものは yamori undo で元に戻せます。")
		return nil
	})
	return cmd
}

// newEntry is what the flags of an entry say.
type newEntry struct {
	device, dest, host, rule, category, family, kind, pool, wallet string
	port                                                           int
	long, reason                                                   string
}

func (n *newEntry) common(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&n.long, "for", "", "how long: 15m, 1h, 2d, 1w, "+untilMorning+" (default: until it is removed)")
	f.StringVar(&n.reason, "reason", "", "why, for the list")
	_ = cmd.RegisterFlagCompletionFunc("for", cobra.FixedCompletions([]string{"15m", "1h", "1d", "1w", untilMorning}, cobra.ShellCompDirectiveNoFileComp))
}

// entry makes the request; the device is looked up.
func (n *newEntry) entry(ctx context.Context, a *asker) (e api.EntryNew, err error) {
	d, err := howLong(n.long, a.now)
	if err != nil {
		return e, err
	}
	if err := checkOneOf("category", n.category, event.CategoryNames()...); err != nil {
		return e, err
	}
	if n.port < 0 || n.port > 65535 {
		return e, usage(fmt.Errorf("--port %d: use 1 to 65535", n.port))
	}
	e = api.EntryNew{Reason: n.reason, Seconds: seconds(d), Scope: api.Scope{Kind: n.kind, Dest: n.dest, Host: n.host, Port: n.port,
		Category: n.category, Family: n.family, Pool: n.pool, Wallet: n.wallet}}
	if n.rule != "" {
		if e.Scope.GID, e.Scope.SID, err = ruleID(n.rule); err != nil {
			return e, err
		}
	}
	e.Scope.Device, err = a.deviceID(ctx, n.device)
	return e, err
}

// seconds rounds up: nothing ends before its time.
func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }

// ruleID reads "2008983" or "1:2008983".
func ruleID(s string) (gid, sid int64, err error) {
	g, n, both := strings.Cut(s, ":")
	if !both {
		g, n = "0", s
	}
	x, err1 := strconv.ParseUint(g, 10, 32)
	y, err2 := strconv.ParseUint(n, 10, 32)
	if err1 != nil || err2 != nil || y == 0 {
		return 0, 0, usage(fmt.Errorf("--rule %q: write the number of a rule, such as 2008983 or 1:2008983", plain(s)))
	}
	return int64(x), int64(y), nil
}

// reasonText is why an entry is there: what somebody wrote, or what the program
// says of its own.
func (a *asker) reasonText(e *api.Entry) string {
	own := map[string]string{"this gateway": "このゲートウェイ", "resolves names": "名前解決に使用", "router": "ルーター", "switched off over MQTT": "MQTT からの操作"}
	if ja := own[e.Reason]; ja != "" {
		return a.t(e.Reason, ja)
	}
	return e.Reason
}
