package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yamori-net/yamori/internal/api"
)

var scopes = []string{"read", "act", "admin"}

func (a *asker) tokenColumns() []column[api.Token] {
	return []column[api.Token]{
		{name: "id", en: "ID", ja: "ID", cell: func(t *api.Token) string { return t.ID }},
		{name: "name", en: "NAME", ja: "名前", cell: func(t *api.Token) string { return t.Name }, mostWide: 32},
		{name: "scope", en: "MAY", ja: "権限", cell: func(t *api.Token) string { return t.Scope }},
		{name: "prefix", en: "BEGINS", ja: "先頭", cell: func(t *api.Token) string { return t.Prefix }},
		{name: "expires", en: "UNTIL", ja: "期限", cell: func(t *api.Token) string { return a.stamp(t.Expires) }, csv: func(t *api.Token) string { return rfc(t.Expires) }},
		{name: "used", en: "LAST USED", ja: "最終利用", cell: func(t *api.Token) string { return a.stamp(t.Used) }, csv: func(t *api.Token) string { return rfc(t.Used) }},
	}
}

func newTokens(stdout, stderr *os.File) *cobra.Command {
	cmd := newTokensList(stdout, stderr)
	cmd.Use, cmd.Short = "tokens", "Keys for programs that use the API"
	cmd.Long = `Tokens lists the keys for programs: with read they see the state of the house,
with act they also name, pause and quarantine devices, with admin everything
but users, tokens and backups.`
	cmd.Example = `  yamori tokens
  yamori tokens add "home assistant" --scope read --days 365
  yamori tokens revoke "home assistant"`
	return group(cmd, newTokensList(stdout, stderr), newTokensAdd(stdout, stderr), newTokensRevoke(stdout, stderr))
}

func newTokensList(stdout, stderr *os.File) *cobra.Command {
	cmd := &cobra.Command{Use: "list", Short: "List them", Example: "  yamori tokens list -o csv", Args: cobra.NoArgs}
	a := newAsker(cmd, stdout, stderr, tableOutputs...)
	cmd.RunE = a.does(func(ctx context.Context, _ []string) error {
		all, _, err := collect(a.c.Tokens(ctx), 0, nil)
		if err != nil {
			return err
		}
		return list(a, a.tokenColumns(), all, "There are no tokens.", "トークンはありません。")
	})
	return cmd
}

func newTokensAdd(stdout, stderr *os.File) *cobra.Command {
	var scope string
	var days int
	cmd := &cobra.Command{
		Use: "add NAME", Short: "Make a token", Args: cobra.ExactArgs(1),
		Long:    "Add makes a token and shows it, this once; only its hash is kept.",
		Example: "  yamori tokens add \"home assistant\" --scope read\n  yamori tokens add backup-script --scope admin --days 30 -o json | jq -r .secret",
	}
	a := newAsker(cmd, stdout, stderr)
	oneOf(cmd, &scope, "scope", "what it may do (default read)", scopes...)
	cmd.Flags().IntVar(&days, "days", 365, "how long it lives, 1 to 731")
	cmd.RunE = a.does(func(ctx context.Context, args []string) error {
		if scope == "" {
			scope = "read"
		}
		if err := checkOneOf("scope", scope, scopes...); err != nil {
			return err
		}
		if days < 1 || days > 731 {
			return usage(fmt.Errorf("--days %d: use 1 to 731", days))
		}
		t, err := a.c.AddToken(ctx, api.TokenNew{Name: args[0], Scope: scope, Days: days})
		if err != nil {
			return err
		}
		if ok, err := a.json(&t); ok {
			return err
		}
		a.sayf("%s\nThis is shown once; keep it where only the program reads it. It may %s, until %s.", "%s\n表示は今回限りです。使うプログラムだけが読める場所に保管してください。権限：%s、期限：%s",
			plain(t.Secret), t.Scope, a.stamp(t.Expires))
		return nil
	})
	return cmd
}

func newTokensRevoke(stdout, stderr *os.File) *cobra.Command {
	cmd := &cobra.Command{
		Use: "revoke TOKEN…", Short: "End tokens, named by id, name or how they begin", Args: cobra.MinimumNArgs(1),
		Example: "  yamori tokens revoke \"home assistant\"",
	}
	a := newAsker(cmd, stdout, stderr)
	cmd.ValidArgsFunction = a.completion(0, func(ctx context.Context) (out []cobra.Completion) {
		all, _, err := collect(a.c.Tokens(ctx), 0, nil)
		if err != nil {
			return nil
		}
		for _, t := range all {
			out = append(out, choice(t.ID, t.Name))
		}
		return out
	})
	cmd.RunE = a.does(func(ctx context.Context, args []string) error {
		all, _, err := collect(a.c.Tokens(ctx), 0, nil)
		if err != nil {
			return err
		}
		ids := []string{}
		for _, s := range args {
			id, err := a.tokenOf(all, s)
			if err != nil {
				return err
			}
			ids = append(ids, id)
		}
		for _, id := range ids {
			if err := a.c.DeleteToken(ctx, id); err != nil && !errors.Is(err, api.ErrNotFound) {
				return err
			}
		}
		if ok, err := a.json(map[string][]string{"removed": ids}); ok {
			return err
		}
		a.sayf("Ended: %s", "無効にしました：%s", plain(strings.Join(ids, " ")))
		return nil
	})
	return cmd
}

// tokenOf finds the one token that s means.
func (a *asker) tokenOf(all []api.Token, s string) (string, error) {
	var ids, text []string
	for _, t := range all {
		if t.ID == s {
			return t.ID, nil
		}
		if t.Name == s || t.Prefix == s {
			ids, text = append(ids, t.ID), append(text, fmt.Sprintf("  %s  %s  %s", plain(t.ID), plain(t.Prefix), plain(t.Name)))
		}
	}
	switch len(ids) {
	case 1:
		return ids[0], nil
	case 0:
		return "", a.errorf("there is no token %q; yamori tokens lists them", "%q というトークンはありません。yamori tokens で一覧できます", plain(s))
	}
	return "", a.errorf("%d tokens are called %q; name one by its id:\n%s", "%d 個のトークンが %q に当てはまります。ID で指定してください：\n%s", len(ids), plain(s), strings.Join(text, "\n"))
}
