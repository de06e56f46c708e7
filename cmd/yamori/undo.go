package main

import (
	"context"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/yamori-net/yamori/internal/api"
)

// newUndo makes the command that takes a change of the policy back: of any
// kind of entry, or of some kinds alone.
func newUndo(stdout, stderr *os.File, kinds ...string) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "undo [CHANGE]",
		Short: "Take the latest change back, or the one named",
		Long: `Undo takes a change of the policy back: what was added goes, what was removed or
replaced comes back, the mode is as before. Without a number it is the latest
change; yamori policy changes lists them.`,
		Example: "  yamori undo\n  yamori undo 17",
		Args:    cobra.MaximumNArgs(1),
	}
	if kinds != nil {
		cmd.Example = "  yamori allow undo"
	}
	a := newAsker(cmd, stdout, stderr)
	mine := func(c *api.PolicyChange) bool {
		return c.What != "undo" && (kinds == nil || slices.Contains(kinds, c.Kind))
	}
	cmd.ValidArgsFunction = a.completion(1, func(ctx context.Context) (out []cobra.Completion) {
		all, _, err := collect(a.c.Changes(ctx), 0, mine)
		if err != nil {
			return nil
		}
		for i := range slices.Backward(all) {
			out = append(out, choice(all[i].ID, a.changeText(&all[i])))
		}
		return out
	})
	cmd.RunE = a.does(func(ctx context.Context, args []string) error {
		all, _, err := collect(a.c.Changes(ctx), 0, func(c *api.PolicyChange) bool { return mine(c) || len(args) == 1 })
		if err != nil {
			return err
		}
		if len(all) == 0 && len(args) == 0 {
			return a.errorf("there is nothing to take back", "取り消せる変更はありません")
		}
		k := len(all) - 1
		if len(args) == 1 {
			if k = slices.IndexFunc(all, func(c api.PolicyChange) bool { return c.ID == args[0] }); k < 0 {
				return a.errorf("there is no change %q that can be taken back; yamori policy changes lists them", "取り消せる変更 %q はありません。yamori policy changes で一覧できます", plain(args[0]))
			}
		}
		done, err := a.c.Undo(ctx, all[k].ID)
		if err != nil {
			return err
		}
		if ok, err := a.json(&done); ok {
			return err
		}
		a.sayf("Taken back: %s", "元に戻しました：%s", plain(a.changeText(&all[k])))
		return nil
	})
	return cmd
}

// changeText says what a change was.
func (a *asker) changeText(c *api.PolicyChange) string {
	w, ok := map[string][2]string{"add": {"added", "追加"}, "remove": {"removed", "解除"}, "mode": {"mode changed", "モード変更"}, "undo": {"taken back", "取り消し"}}[c.What]
	if !ok {
		w = [2]string{c.What, c.What}
	}
	s := a.t(w[0], w[1])
	if k, ok := kindOfEntry[c.Kind]; ok {
		s += a.t(" ("+k[0]+")", "（"+k[1]+"）")
	}
	if c.Entry != "" {
		s += " " + c.Entry
	}
	return s
}
