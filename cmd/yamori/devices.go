package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/device"
	"github.com/yamori-net/yamori/internal/report"
)

func newDevices(stdout, stderr *os.File) *cobra.Command {
	cmd := newDevicesList(stdout, stderr, "devices")
	cmd.Short = "List and correct the devices of the home"
	cmd.Long = `Devices lists what is in the home, the latest seen first, and corrects what is
thought of a device. Wherever a device is asked for, it may be named by its id,
a hardware or IP address, or its name. What the owner says holds for good.`
	cmd.Example = `  yamori devices
  yamori devices --kind camera -o csv
  yamori devices show garden-camera
  yamori devices name garden-camera "Garden"
  yamori devices kind Garden camera`
	return group(cmd, newDevicesList(stdout, stderr, "list"), newDevicesShow(stdout, stderr),
		newDevicesSet(stdout, stderr, "name", "NAME", "Call a device something",
			"  yamori devices name mac:02:00:5e:10:00:01 \"Garden\"\n  yamori devices name Garden ''        what it calls itself again",
			func(c *api.DeviceChange, v *string) { c.Name = v }, nil),
		newDevicesSet(stdout, stderr, "kind", "KIND", "Say what a device is",
			"  yamori devices kind Garden camera\n  yamori devices kind Garden ''        what it seems to be again",
			func(c *api.DeviceChange, v *string) { c.Kind = v }, device.Kinds()),
		newDevicesSet(stdout, stderr, "person", "PERSON", "Say whose a device is",
			"  yamori devices person tablet Hanako",
			func(c *api.DeviceChange, v *string) { c.Person = v }, nil),
		newDevicesSet(stdout, stderr, "os", "SYSTEM", "Say which system a device runs",
			"  yamori devices os tablet \"LineageOS 21\"\n  yamori devices os tablet ''           what it seems to run again",
			func(c *api.DeviceChange, v *string) { c.OS = v }, nil),
		newDevicesSet(stdout, stderr, "maker", "MAKER", "Say who made a device",
			"  yamori devices maker Garden Reolink",
			func(c *api.DeviceChange, v *string) { c.Maker = v }, nil),
		newDevicesSet(stdout, stderr, "model", "MODEL", "Say which model a device is",
			"  yamori devices model Garden \"RLC-810A\"",
			func(c *api.DeviceChange, v *string) { c.Model = v }, nil),
		newDevicesMerge(stdout, stderr), newDevicesSplit(stdout, stderr), newDevicesLook(stdout, stderr), newDevicesRecord(stdout, stderr))
}

func newDevicesList(stdout, stderr *os.File, use string) *cobra.Command {
	var q api.DeviceQuery
	var online, offline bool
	cmd := &cobra.Command{
		Use:   use,
		Short: "List the devices of the home",
		Example: `  yamori devices list --online
  yamori devices list --person Hanako -o json`,
		Args: cobra.NoArgs,
	}
	a := newAsker(cmd, stdout, stderr, tableOutputs...)
	cmd.RunE = a.does(func(ctx context.Context, _ []string) error {
		if err := checkOneOf("kind", q.Kind, device.Kinds()...); err != nil {
			return err
		}
		if online != offline {
			q.Online = &online
		}
		all, _, err := collect(a.c.Devices(ctx, q), 0, nil)
		if err != nil {
			return err
		}
		return list(a, a.deviceColumns(), all, "No devices.", "機器はありません。")
	})
	f := cmd.Flags()
	oneOf(cmd, &q.Kind, "kind", "only of this kind", device.Kinds()...)
	f.StringVar(&q.Person, "person", "", "only of this person")
	f.StringVar(&q.Text, "match", "", "only with this text in name, maker, model or id")
	f.BoolVar(&online, "online", false, "only those that are here now")
	f.BoolVar(&offline, "offline", false, "only those that are away")
	return cmd
}

func (a *asker) deviceColumns() []column[api.Device] {
	return []column[api.Device]{
		{name: "id", en: "ID", ja: "ID", cell: func(d *api.Device) string { return d.ID }},
		{name: "name", en: "NAME", ja: "名前", cell: nameOf, mostWide: 32},
		{name: "kind", en: "WHAT", ja: "種類", cell: func(d *api.Device) string { return a.kindText(d) }, csv: func(d *api.Device) string { return d.Kind }, mostWide: 40},
		{name: "os", cell: func(d *api.Device) string { return d.OS }},
		{name: "maker", cell: func(d *api.Device) string { return d.Maker }},
		{name: "model", cell: func(d *api.Device) string { return d.Model }},
		{name: "confidence", cell: func(d *api.Device) string { return strconv.FormatFloat(d.Confidence, 'f', 2, 64) }},
		{name: "person", en: "WHOSE", ja: "持ち主", cell: func(d *api.Device) string { return d.Person }, mostWide: 16},
		{name: "addresses", en: "ADDRESS", ja: "アドレス", cell: firstAddress, csv: func(d *api.Device) string { return strings.Join(d.Addresses, " ") }},
		{name: "state", en: "STATE", ja: "状態", cell: a.deviceState, csv: func(d *api.Device) string { return map[bool]string{true: "online", false: "offline"}[d.Online] }},
		{name: "last", en: "LAST SEEN", ja: "最後", cell: func(d *api.Device) string { return a.stamp(d.Last) }, csv: func(d *api.Device) string { return rfc(d.Last) }},
	}
}

// kindText says what a device is, for people.
func (a *asker) kindText(d *api.Device) string {
	s := report.KindText(&device.Device{Kind: d.Kind, Confidence: d.Confidence, Maker: d.Maker, Model: d.Model}, a.lang)
	if unknown := report.KindName(a.lang, device.Unknown); s == "" || d.Kind != "" && d.Kind != device.Unknown {
		return cmp.Or(s, unknown)
	} else if a.lang == report.Japanese {
		return unknown + s
	} else {
		return unknown + " " + s
	}
}

func firstAddress(d *api.Device) string {
	if len(d.Addresses) == 0 {
		return "-"
	}
	s := d.Addresses[0]
	if n := len(d.Addresses) - 1; n > 0 {
		s += fmt.Sprintf(" (+%d)", n)
	}
	return s
}

func (a *asker) deviceState(d *api.Device) string {
	s := a.t("away", "不在")
	if d.Online {
		s = a.t("here", "在宅")
	}
	if d.Quarantine != "" {
		s += a.t(", quarantined", "・隔離中")
	}
	if d.Pause != "" {
		s += a.t(", paused", "・休止中")
	}
	return s
}

func newDevicesShow(stdout, stderr *os.File) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "show DEVICE",
		Short:   "Show what is known of a device, and why",
		Example: "  yamori devices show garden-camera\n  yamori devices show 192.168.1.7 -o json",
		Args:    cobra.ExactArgs(1),
	}
	a := newAsker(cmd, stdout, stderr)
	a.completeDevice(cmd, 1)
	cmd.RunE = a.does(func(ctx context.Context, args []string) error {
		d, err := a.device(ctx, args[0])
		if err != nil {
			return err
		}
		if d, err = a.c.Device(ctx, d.ID); err != nil {
			return err
		}
		if ok, err := a.json(&d); ok {
			return err
		}
		return a.writeDevice(a.out, &d)
	})
	return cmd
}

// writeDevice writes what is known of a device, and why.
func (a *asker) writeDevice(w io.Writer, d *api.Device) error {
	rows := [][]string{}
	add := func(en, ja, value string) {
		if value != "" {
			rows = append(rows, []string{"  " + a.t(en, ja), plain(value)})
		}
	}
	corrected := func(field, value string) string {
		if value != "" && slices.Contains(d.Corrected, field) {
			value += a.t(" (as you said)", "（ご指定）")
		}
		return value
	}
	add("name", "名前", corrected("name", nameOf(d)))
	add("what", "種類", corrected("kind", a.kindText(d)))
	if d.Kind != "" && d.Kind != device.Unknown && !slices.Contains(d.Corrected, "kind") {
		add("sure", "確かさ", fmt.Sprintf("%.0f %%", 100*d.Confidence))
	}
	for _, f := range [...][2]string{{"maker", d.Maker}, {"model", d.Model}} { // else a part of what it is
		if slices.Contains(d.Corrected, f[0]) {
			add(f[0], map[string]string{"maker": "メーカー", "model": "型番"}[f[0]], corrected(f[0], f[1]))
		}
	}
	add("system", "OS", corrected("os", d.OS))
	add("whose", "持ち主", corrected("person", d.Person))
	add("calls itself", "自称", d.Hostname)
	for _, m := range d.MACs {
		s := m.Address
		if m.Random {
			s += a.t(" (private: chosen by the device)", "（プライベートアドレス）")
		}
		add("hardware", "MAC", s)
	}
	add("addresses", "アドレス", strings.Join(d.Addresses, " "))
	add("state", "状態", a.deviceState(d))
	add("first seen", "最初", a.stamp(d.First))
	add("last seen", "最後", a.stamp(d.Last))
	if _, err := fmt.Fprintln(w, plain(d.ID)); err != nil {
		return err
	}
	if err := grid(w, rows); err != nil {
		return err
	}
	if len(d.Clues) == 0 {
		return nil
	}
	fmt.Fprintln(w, a.t("  why it is thought so:", "  そう判断した理由："))
	rows = rows[:0]
	for _, c := range d.Clues {
		rows = append(rows, []string{"    " + strconv.FormatFloat(c.Weight, 'f', 1, 64), plain(cmp.Or(report.Explain(a.lang, c.Code, nil), c.Code)), fit(plain(c.Value), 80)})
	}
	return grid(w, rows)
}
