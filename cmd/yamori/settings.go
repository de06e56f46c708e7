package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yamori-net/yamori/internal/api"
)

// setting is one of the owner's choices.
type setting struct {
	name, en, ja string
	values       []string // empty: any text
	get          func(*api.Settings) string
	set          func(*api.SettingsChange, string) error
}

func onOff(b bool) string {
	if b {
		return "on"
	}
	return "off"
}

func switchOf(name, en, ja string, get func(*api.Settings) bool, at func(*api.SettingsChange) **bool) setting {
	return setting{name: name, en: en, ja: ja, values: []string{"on", "off"}, get: func(s *api.Settings) string { return onOff(get(s)) },
		set: func(c *api.SettingsChange, v string) error {
			b := v == "on"
			*at(c) = &b
			return nil
		}}
}

// settings are all of them, in the order they are shown.
var settings = []setting{
	{"language", "language of pages and notices", "画面と通知の言語", []string{"auto", "en", "ja"}, func(s *api.Settings) string { return s.Language },
		func(c *api.SettingsChange, v string) error { c.Language = &v; return nil }},
	{"time_zone", "IANA name; empty: the system's", "タイムゾーン（空：システムの設定）", nil, func(s *api.Settings) string { return s.TimeZone },
		func(c *api.SettingsChange, v string) error { c.TimeZone = &v; return nil }},
	switchOf("evidence", "keep a small capture for each finding", "見つかったことの証拠となる通信を少し保存する", func(s *api.Settings) bool { return s.Evidence }, func(c *api.SettingsChange) **bool { return &c.Evidence }),
	switchOf("presence", "keep when devices were at home", "機器の在宅の記録を保存する", func(s *api.Settings) bool { return s.Presence }, func(c *api.SettingsChange) **bool { return &c.Presence }),
	switchOf("names", "browsing history: none is kept in this version", "閲覧の履歴：この版では保存しません", func(s *api.Settings) bool { return s.Names }, func(c *api.SettingsChange) **bool { return &c.Names }),
	switchOf("look", "allow asking devices for their description", "機器への問い合わせを許可する", func(s *api.Settings) bool { return s.Look }, func(c *api.SettingsChange) **bool { return &c.Look }),
}

const retention = "retention."

func newSettings(stdout, stderr *os.File) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "settings [NAME=VALUE…]",
		Short: "Show or change what yamori keeps and how it speaks",
		Long: `Settings shows the owner's choices, or changes those that are named. Retention
is in days by kind of record; no browsing history is kept.`,
		Example: `  yamori settings
  yamori settings language=ja time_zone=Asia/Tokyo
  yamori settings evidence=off retention.findings=90`,
	}
	a := newAsker(cmd, stdout, stderr, tableOutputs...)
	cmd.ValidArgsFunction = func(_ *cobra.Command, _ []string, prefix string) (out []cobra.Completion, _ cobra.ShellCompDirective) {
		for _, s := range settings {
			for _, v := range s.values {
				out = append(out, choice(s.name+"="+v, s.en))
			}
			if s.values == nil {
				out = append(out, choice(s.name+"=", s.en))
			}
		}
		if more, _ := a.completion(0, func(ctx context.Context) (out []cobra.Completion) {
			now, err := a.c.Settings(ctx)
			if err != nil {
				return nil
			}
			for _, k := range slices.Sorted(maps.Keys(now.Retention)) {
				out = append(out, choice(fmt.Sprintf("%s%s=%d", retention, k, now.Retention[k]), "days"))
			}
			return out
		})(cmd, nil, prefix); more != nil {
			out = append(out, more...)
		}
		return out, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
	cmd.RunE = a.does(func(ctx context.Context, args []string) error {
		var ch api.SettingsChange
		for _, arg := range args {
			if err := changeSetting(&ch, arg); err != nil {
				return err
			}
		}
		ask := a.c.Settings
		if len(args) > 0 {
			ask = func(ctx context.Context) (api.Settings, error) { return a.c.ChangeSettings(ctx, ch) }
		}
		now, err := ask(ctx)
		if err != nil {
			return err
		}
		if ok, err := a.json(&now); ok {
			return err
		}
		return a.writeSettings(&now)
	})
	return cmd
}

// changeSetting notes what NAME=VALUE asks for.
func changeSetting(ch *api.SettingsChange, arg string) error {
	name, value, ok := strings.Cut(arg, "=")
	if !ok {
		return usage(fmt.Errorf("%q: write NAME=VALUE, such as language=ja", plain(arg)))
	}
	if kind, ok := strings.CutPrefix(name, retention); ok {
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 || n > 36500 {
			return usage(fmt.Errorf("%s: %q: use 1 to 36500 days", plain(name), plain(value)))
		}
		if ch.Retention == nil {
			ch.Retention = map[string]int{}
		}
		ch.Retention[kind] = n
		return nil
	}
	var names []string
	for _, s := range settings {
		names = append(names, s.name)
		if s.name != name {
			continue
		}
		if len(s.values) > 0 && !slices.Contains(s.values, value) {
			return usage(fmt.Errorf("%s: %q: use %s", name, plain(value), orList(s.values)))
		}
		return s.set(ch, value)
	}
	return usage(fmt.Errorf("there is no setting %q; there are %s and %sKIND", plain(name), strings.Join(names, ", "), retention))
}

// settingLine is a setting as it is listed.
type settingLine struct{ name, value, about string }

func (a *asker) writeSettings(now *api.Settings) error {
	var lines []settingLine
	for _, s := range settings {
		lines = append(lines, settingLine{s.name, s.get(now), a.t(s.en, s.ja)})
	}
	for _, k := range slices.Sorted(maps.Keys(now.Retention)) {
		lines = append(lines, settingLine{retention + k, strconv.Itoa(now.Retention[k]), a.t("days", "日")})
	}
	return list(a, []column[settingLine]{
		{name: "name", en: "NAME", ja: "名前", cell: func(l *settingLine) string { return l.name }},
		{name: "value", en: "VALUE", ja: "値", cell: func(l *settingLine) string { return l.value }},
		{name: "about", en: "ABOUT", ja: "説明", cell: func(l *settingLine) string { return l.about }},
	}, lines, "", "")
}
