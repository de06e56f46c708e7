package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/api/client"
	"github.com/yamori-net/yamori/internal/device"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/policy"
)

func newPolicy(stdout, stderr *os.File) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "policy [watch|protect]",
		Short: "Show or set whether findings may block",
		Long: `Policy shows the mode, or sets it: in mode watch findings are told, in mode
protect they also block, from the level on that docs/policy.md and the entries
of policy actions say. What is blocked by hand holds in both. yamori protect
tries protection first, and takes it back when nobody confirms it.`,
		Example: `  yamori policy
  yamori policy protect
  yamori policy never add 192.168.1.53 --reason "the home's DNS"
  yamori policy actions add never --category scan --device desktop
  yamori policy changes`,
		ValidArgs: []cobra.Completion{"watch", "protect"},
		Args:      cobra.MaximumNArgs(1),
	}
	a := newAsker(cmd, stdout, stderr)
	cmd.RunE = a.does(func(ctx context.Context, args []string) error {
		ask := a.c.Policy
		if len(args) == 1 {
			if args[0] != "watch" && args[0] != "protect" {
				return usage(fmt.Errorf("mode %q: use watch or protect", plain(args[0])))
			}
			ask = func(ctx context.Context) (api.Policy, error) { return a.c.SetMode(ctx, args[0]) }
		}
		p, err := ask(ctx)
		if err != nil {
			return err
		}
		if ok, err := a.json(&p); ok {
			return err
		}
		a.policyText(&p, len(args) == 1)
		if len(args) == 0 {
			return a.ownBlocks(ctx)
		}
		return nil
	})
	return group(cmd, newNever(stdout, stderr), newActions(stdout, stderr), newChanges(stdout, stderr))
}

// policyText says what the mode means; fresh: it was set just now, and the
// daemon may still be on its way into the packets'.
func (a *asker) policyText(p *api.Policy, fresh bool) {
	if p.Mode != "protect" {
		a.sayf("Mode watch: findings are told, nothing is blocked by itself.", "見守りモード：見つかったことを知らせ、自動では遮断しません。")
		return
	}
	a.sayf("Mode protect: findings may block.", "保護モード：見つかった脅威を遮断することがあります。")
	if !p.Until.IsZero() {
		a.sayf("It is on trial until %s; keep it with: yamori protect --confirm", "%s まで試しています。続けるには yamori protect --confirm を実行してください。", p.Until.Local().Format(time.TimeOnly))
	}
	switch {
	case fresh || p.Inline:
	case p.Acts == "after":
		a.sayf("Nothing is inspected in line: flows are cut once something is found in them.", "経路上での検査はせず、脅威を見つけた後に接続を切ります。")
	case p.Acts == "reset":
		a.sayf("On a mirror port: connections in which something is found are reset, which may come too late.", "ミラーポートで監視中です。脅威を見つけた接続にリセットを送りますが、間に合わないこともあります。")
	default:
		a.sayf("But yamori does not stand in the packets' way, so that nothing is blocked; yamori doctor says why.", "ただし、通信の経路上で検査していないため、実際には遮断されません。yamori doctor で理由を確認できます。")
	}
}

// ownBlocks lists what findings block for a time.
func (a *asker) ownBlocks(ctx context.Context) error {
	all, err := a.entries(ctx, "", nil, client.Blocks)
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(e api.Entry) bool { return e.Author != policy.Itself })
	if len(all) == 0 {
		return nil
	}
	a.sayf("Findings block for a time (end one with: yamori block remove ID):", "見つかった脅威により、次を一時的に遮断しています（解除は yamori block remove ID）：")
	return list(a, a.entryColumns(a.names(ctx)), all, "", "")
}

func newChanges(stdout, stderr *os.File) *cobra.Command {
	cmd := &cobra.Command{Use: "changes", Short: "List the latest changes that yamori undo takes back", Example: "  yamori policy changes", Args: cobra.NoArgs}
	a := newAsker(cmd, stdout, stderr, tableOutputs...)
	cmd.RunE = a.does(func(ctx context.Context, _ []string) error {
		all, _, err := collect(a.c.Changes(ctx), 0, nil)
		if err != nil {
			return err
		}
		return list(a, []column[api.PolicyChange]{
			{name: "id", en: "ID", ja: "ID", cell: func(c *api.PolicyChange) string { return c.ID }},
			{name: "at", en: "WHEN", ja: "日時", cell: func(c *api.PolicyChange) string { return a.stamp(c.At) }, csv: func(c *api.PolicyChange) string { return rfc(c.At) }},
			{name: "what", en: "WHAT", ja: "内容", cell: a.changeText, csv: func(c *api.PolicyChange) string { return c.What }},
			{name: "kind", cell: func(c *api.PolicyChange) string { return c.Kind }},
			{name: "entry", cell: func(c *api.PolicyChange) string { return c.Entry }},
			{name: "author", en: "BY", ja: "実行者", cell: func(c *api.PolicyChange) string { return c.Author }},
		}, all, "Nothing can be taken back.", "元に戻せる変更はありません。")
	})
	return cmd
}

// parent makes a command that only holds others; without one it lists.
func parent(listing *cobra.Command, use, short, long, example string, sub ...*cobra.Command) *cobra.Command {
	listing.Use, listing.Short, listing.Long, listing.Example = use, short, long, example
	return group(listing, sub...)
}

func newNever(stdout, stderr *os.File) *cobra.Command {
	noneEN, noneJA := "Nothing is on the list.", "登録はありません。"
	var n newEntry
	add := &cobra.Command{
		Use: "add [ADDRESS|NETWORK|NAME]", Short: "Add to the list", Args: cobra.MaximumNArgs(1),
		Example: "  yamori policy never add 192.168.1.53 --reason \"the home's DNS\"\n  yamori policy never add --device printer",
	}
	a := newAsker(add, stdout, stderr)
	a.deviceFlag(add, &n.device, "this device: id, address or name")
	add.Flags().IntVar(&n.port, "port", 0, "this port alone")
	n.common(add)
	add.RunE = a.does(func(ctx context.Context, args []string) (err error) {
		if len(args) == 0 && n.device == "" {
			return usage(errors.New("say what is never to be blocked: an address, a network, a name, or --device"))
		}
		if len(args) == 1 {
			if n.dest, n.host, err = target(args[0]); err != nil {
				return err
			}
		}
		return a.addEntry(ctx, client.Never, &n, "")
	})
	return parent(newEntryList(stdout, stderr, "", noneEN, noneJA, nil, client.Never), "never", "What is never blocked, whatever else says so",
		"Never lists what is never blocked, at either end. The gateway itself and the home's\nDNS and DHCP servers are on the list by themselves and stay there.",
		"  yamori policy never\n  yamori policy never add 192.168.1.53\n  yamori policy never remove 01JD0C6M",
		newEntryList(stdout, stderr, "  yamori policy never list", noneEN, noneJA, nil, client.Never), add,
		newEntryRemove(stdout, stderr, "remove", "  yamori policy never remove 01JD0C6M", nil, client.Never))
}

// addEntry adds what the flags say to a list.
func (a *asker) addEntry(ctx context.Context, to string, n *newEntry, at string) error {
	e, err := n.entry(ctx, a)
	if err != nil {
		return err
	}
	e.At = at
	made, err := a.c.AddEntry(ctx, to, e)
	if err != nil {
		return err
	}
	return a.added(ctx, &made)
}

// levelsOf are from where an action entry blocks.
var levelsOf = []string{"never", "likely", "confirmed"}

func newActions(stdout, stderr *os.File) *cobra.Command {
	noneEN, noneJA := "You have changed nothing; the table in docs/policy.md says what findings do.", "既定の表（docs/policy.md）だけが有効です。"
	var n newEntry
	add := &cobra.Command{
		Use: "add never|likely|confirmed", Short: "Say from which level on findings block", Args: cobra.ExactArgs(1), ValidArgs: levelsOf,
		Example: "  yamori policy actions add confirmed --category scan\n  yamori policy actions add never --category tunnel --device desktop",
	}
	a := newAsker(add, stdout, stderr)
	a.deviceFlag(add, &n.device, "of this device: id, address or name")
	f := add.Flags()
	oneOf(add, &n.category, "category", "of this category", event.CategoryNames()...)
	oneOf(add, &n.kind, "kind", "of devices of this kind", device.Kinds()...)
	f.StringVar(&n.family, "family", "", "of this family, such as stratum")
	f.StringVar(&n.rule, "rule", "", "of this rule: SID or GID:SID")
	n.common(add)
	add.RunE = a.does(func(ctx context.Context, args []string) error {
		if err := checkOneOf("level", args[0], levelsOf...); err != nil {
			return err
		}
		if err := checkOneOf("kind", n.kind, device.Kinds()...); err != nil {
			return err
		}
		return a.addEntry(ctx, client.Actions, &n, args[0])
	})
	return parent(newEntryList(stdout, stderr, "", noneEN, noneJA, nil, client.Actions), "actions", "From which level on findings block in mode protect",
		"Actions lists the owner's entries beside the table of docs/policy.md; the most\nspecific one decides.",
		"  yamori policy actions\n  yamori policy actions add confirmed --category scan\n  yamori policy actions remove 01JD0C6M",
		newEntryList(stdout, stderr, "  yamori policy actions list", noneEN, noneJA, nil, client.Actions), add,
		newEntryRemove(stdout, stderr, "remove", "  yamori policy actions remove 01JD0C6M", nil, client.Actions))
}
