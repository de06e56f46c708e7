package main

import (
	"context"
	"maps"
	"os"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/yamori-net/yamori/internal/app"
)

func newForget(stdout, stderr *os.File) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "forget DEVICE",
		Short: "Erase everything that is stored about a device",
		Long: `Forget shows what is stored about a device, asks, and erases all of it: clues and
names, findings and captures, its entries of the policy. It cannot be taken
back. A device that is still there is seen anew with its next packet.`,
		Example: `  yamori forget old-phone
  yamori forget mac:02:00:5e:10:00:02 --yes -o json`,
		Args: cobra.ExactArgs(1),
	}
	a := newAsker(cmd, stdout, stderr)
	a.completeDevice(cmd, 1)
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	cmd.RunE = a.does(func(ctx context.Context, args []string) error {
		rec, err := a.record(ctx, args[0])
		if err != nil {
			return err
		}
		if a.output == app.Human {
			if err := a.writeRecord(&rec); err != nil {
				return err
			}
		}
		if err := a.sure(ctx, yes, "Erase all of it? It cannot be taken back.", "すべて消去しますか？ 元には戻せません。"); err != nil {
			return err
		}
		done, err := a.c.Erase(ctx, rec.Device.ID)
		if err != nil {
			return err
		}
		if ok, err := a.json(&done); ok {
			return err
		}
		left := done.Counts["left"]
		delete(done.Counts, "left")
		rows := [][]string{}
		for _, k := range slices.Sorted(maps.Keys(done.Counts)) {
			w, ok := sectionWords[k]
			if !ok {
				w = [2]string{k, k}
			}
			rows = append(rows, []string{"  " + plain(a.t(w[0], w[1])), strconv.FormatInt(done.Counts[k], 10)})
		}
		a.sayf("Erased:", "消去しました：")
		if err := grid(a.out, rows); err != nil {
			return err
		}
		if left > 0 {
			a.sayf("  ! %d entries of the policy that are about more than this device still name it; see yamori allow list and yamori block list.",
				"  ! ほかの対象も含むきまりの項目 %d 件に、この機器の名前が残っています。yamori allow list と yamori block list で確認してください。", left)
		}
		return nil
	})
	return cmd
}
