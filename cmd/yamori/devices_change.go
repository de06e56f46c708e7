package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/api/client"
)

// newDevicesSet makes a command that corrects one field.
func newDevicesSet(stdout, stderr *os.File, use, what, short, example string, set func(*api.DeviceChange, *string), values []string) *cobra.Command {
	cmd := &cobra.Command{
		Use:     use + " DEVICE " + what,
		Short:   short,
		Long:    short + ". An empty text ('') takes the correction back.",
		Example: example,
		Args:    cobra.ExactArgs(2),
	}
	a := newAsker(cmd, stdout, stderr)
	first := a.completion(1, a.deviceWords)
	cmd.ValidArgsFunction = func(c *cobra.Command, args []string, prefix string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) == 1 {
			return values, cobra.ShellCompDirectiveNoFileComp
		}
		return first(c, args, prefix)
	}
	cmd.RunE = a.does(func(ctx context.Context, args []string) error {
		if values != nil && args[1] != "" {
			if err := checkOneOf(use, args[1], values...); err != nil {
				return err
			}
		}
		d, err := a.device(ctx, args[0])
		if err != nil {
			return err
		}
		var ch api.DeviceChange
		set(&ch, &args[1])
		if d, err = a.c.ChangeDevice(ctx, d.ID, ch); err != nil {
			return err
		}
		return a.changed(&d)
	})
	return cmd
}

// changed answers with a device after a change.
func (a *asker) changed(d *api.Device) error {
	if ok, err := a.json(d); ok {
		return err
	}
	return a.writeDevice(a.out, d)
}

func newDevicesMerge(stdout, stderr *os.File) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "merge DEVICE OTHER",
		Short: "Say that two entries are one device",
		Long: `Merge makes OTHER a part of DEVICE: its addresses, clues and history. OTHER is
gone afterwards; devices split takes addresses away again.`,
		Example: "  yamori devices merge phone mac:02:00:5e:10:00:02",
		Args:    cobra.ExactArgs(2),
	}
	a := newAsker(cmd, stdout, stderr)
	a.completeDevice(cmd, 2)
	cmd.RunE = a.does(func(ctx context.Context, args []string) error {
		var two [2]api.Device
		for i := range two {
			var err error
			if two[i], err = a.device(ctx, args[i]); err != nil {
				return err
			}
		}
		if two[0].ID == two[1].ID {
			return usage(fmt.Errorf("both are the same device, %s; name another one", plain(two[0].ID)))
		}
		d, err := a.c.MergeDevices(ctx, two[0].ID, two[1].ID)
		if err != nil {
			return err
		}
		return a.changed(&d)
	})
	return cmd
}

func newDevicesSplit(stdout, stderr *os.File) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "split DEVICE MAC…",
		Short:   "Say that some addresses are another device",
		Long:    "Split makes hardware addresses of a device a device of their own, and shows it.",
		Example: "  yamori devices split phone 02:00:5e:10:00:02",
		Args:    cobra.MinimumNArgs(2),
	}
	a := newAsker(cmd, stdout, stderr)
	a.completeDevice(cmd, 1)
	cmd.RunE = a.does(func(ctx context.Context, args []string) error {
		macs := make([]string, len(args)-1)
		for i, s := range args[1:] {
			if macs[i] = macForm(s); macs[i] == "" {
				return usage(fmt.Errorf("%q is no hardware address; write it like 02:00:5e:10:00:02", plain(s)))
			}
		}
		d, err := a.device(ctx, args[0])
		if err != nil {
			return err
		}
		for _, m := range macs {
			if len(matching([]api.Device{d}, m)) == 0 {
				return a.errorf("%s is not an address of %s; yamori devices show lists them", "%s は %s のアドレスではありません。yamori devices show で確認できます", m, plain(d.ID))
			}
		}
		if d, err = a.c.SplitDevice(ctx, d.ID, macs...); err != nil {
			return err
		}
		return a.changed(&d)
	})
	return cmd
}

func newDevicesLook(stdout, stderr *os.File) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "look DEVICE",
		Short: "Ask a device for its description, now",
		Long: `Look asks the device what it is (SSDP, mDNS, device descriptions), once. It must
be allowed first: yamori settings look=on.`,
		Example: "  yamori devices look garden-camera",
		Args:    cobra.ExactArgs(1),
	}
	a := newAsker(cmd, stdout, stderr)
	a.completeDevice(cmd, 1)
	cmd.RunE = a.does(func(ctx context.Context, args []string) error {
		d, err := a.device(ctx, args[0])
		if err != nil {
			return err
		}
		if err := a.c.LookAt(ctx, d.ID); errors.Is(err, api.ErrConflict) {
			return a.errorf("asking devices is switched off; allow it with: yamori settings look=on", "機器への問い合わせは無効です。次で許可できます：yamori settings look=on")
		} else if err != nil {
			return err
		}
		if ok, err := a.json(map[string]string{"device": d.ID, "state": "asked"}); ok {
			return err
		}
		a.sayf("Asked. What it answers stands in: yamori devices show %s", "問い合わせました。結果は次で表示します：yamori devices show %s", plain(d.ID))
		return nil
	})
	return cmd
}

func newDevicesRecord(stdout, stderr *os.File) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "record DEVICE",
		Short: "Show everything that is stored about a device",
		Long: `Record lists everything that is kept about a device, in every part: how much,
since when, and until when. With -o json the records themselves. yamori forget
erases it.`,
		Example: "  yamori devices record garden-camera\n  yamori devices record garden-camera -o json",
		Args:    cobra.ExactArgs(1),
	}
	a := newAsker(cmd, stdout, stderr)
	a.completeDevice(cmd, 1)
	cmd.RunE = a.does(func(ctx context.Context, args []string) error {
		rec, err := a.record(ctx, args[0])
		if err != nil {
			return err
		}
		if ok, err := a.json(&rec); ok {
			return err
		}
		return a.writeRecord(&rec)
	})
	return cmd
}

// record finds what is stored about a device, also one that is on no list any
// more: then by its identity alone.
func (a *asker) record(ctx context.Context, s string) (api.Record, error) {
	d, err := a.device(ctx, s)
	id := d.ID
	if err != nil {
		var refused *client.Error
		if errors.As(err, &refused) || !strings.Contains(s, ":") {
			return api.Record{}, err
		}
		id = s
	}
	rec, rerr := a.c.Record(ctx, id)
	var refused *client.Error
	if err != nil && errors.As(rerr, &refused) && refused.Status == http.StatusNotFound {
		return rec, err // nor is there a record
	}
	return rec, rerr
}

// sectionWords names what is stored about a device.
var sectionWords = map[string][2]string{
	"device": {"identity, name and clues", "名前と手掛かり"}, "findings": {"findings", "見つかったこと"}, "events": {"coming and going", "出入りの記録"},
	"flows": {"connections", "接続"}, "captures": {"captures", "通信の控え"}, "figures": {"figures for reports", "集計"},
	"traffic": {"traffic figures", "通信量"}, "entries": {"entries of the policy", "きまりの項目"}, "audit": {"lines of the audit log", "操作の記録"},
}

func (a *asker) writeRecord(rec *api.Record) error {
	who := strings.TrimSpace(plain(rec.Device.ID) + " " + plain(nameOf(&rec.Device)))
	fmt.Fprintf(a.out, a.t("What is stored about %s\n", "%s について保存されている内容\n"), who)
	rows := [][]string{{a.t("  WHAT", "  内容"), a.t("HOW MANY", "件数"), a.t("SINCE", "いつから"), a.t("FORGOTTEN", "消える日")}}
	for _, s := range rec.Sections {
		w, ok := sectionWords[s.Kind]
		if !ok {
			w = [2]string{s.Kind, s.Kind}
		}
		rows = append(rows, []string{"  " + plain(a.t(w[0], w[1])), fmt.Sprint(s.Count), a.stamp(s.Oldest), a.stamp(s.Until)})
	}
	return grid(a.out, rows)
}
