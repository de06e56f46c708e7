package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/yamori-net/yamori/internal/api"
)

// nameOf is what people call a device.
func nameOf(d *api.Device) string { return cmp.Or(d.Name, d.Hostname) }

// devices reads the whole list: a home has a few hundred at most.
func (a *asker) devices(ctx context.Context) ([]api.Device, error) {
	list, _, err := collect(a.c.Devices(ctx, api.DeviceQuery{}), 0, nil)
	return list, err
}

// device finds the one device that is meant: by its identity, an address of
// either kind, or its name.
func (a *asker) device(ctx context.Context, s string) (api.Device, error) {
	all, err := a.devices(ctx)
	if err != nil {
		return api.Device{}, err
	}
	found := matching(all, s)
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return api.Device{}, a.errorf("%d devices are meant by %q; name one by its id:\n%s", "%d 台の機器が %q に当てはまります。ID で指定してください：\n%s", len(found), plain(s), candidates(found))
	}
	low := strings.ToLower(s)
	near := slices.DeleteFunc(all, func(d api.Device) bool {
		return low == "" || !strings.Contains(strings.ToLower(d.Name+"\n"+d.Hostname+"\n"+d.ID), low)
	})
	if len(near) > 0 {
		return api.Device{}, a.errorf("no device is %q; did you mean:\n%s", "%q という機器はありません。もしかして：\n%s", plain(s), candidates(near))
	}
	return api.Device{}, a.errorf("no device is %q; yamori devices lists them", "%q という機器はありません。yamori devices で一覧できます", plain(s))
}

// matching finds the devices that s means. An identity or an address means
// one; a name is compared without case, and what a device calls itself counts
// only where no name of the owner fits.
func matching(all []api.Device, s string) []api.Device {
	mac := macForm(s)
	ip, err := netip.ParseAddr(s)
	isIP := err == nil
	fold := func(name string) bool { return name != "" && strings.EqualFold(name, s) }
	for _, fits := range []func(*api.Device) bool{
		func(d *api.Device) bool { return d.ID == s },
		func(d *api.Device) bool {
			return mac != "" && slices.ContainsFunc(d.MACs, func(m api.MAC) bool { return m.Address == mac })
		},
		func(d *api.Device) bool {
			return isIP && slices.ContainsFunc(d.Addresses, func(x string) bool { y, err := netip.ParseAddr(x); return err == nil && y == ip })
		},
		func(d *api.Device) bool { return fold(d.Name) },
		func(d *api.Device) bool { return fold(d.Hostname) },
	} {
		var found []api.Device
		for i := range all {
			if fits(&all[i]) {
				found = append(found, all[i])
			}
		}
		if len(found) > 0 {
			return found
		}
	}
	return nil
}

// macForm brings a hardware address into the form of the list; empty: it is
// none.
func macForm(s string) string {
	s = strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(s, "mac:"), "-", ":"))
	f := strings.Split(s, ":")
	if len(f) != 6 {
		return ""
	}
	for _, x := range f {
		if len(x) != 2 || strings.Trim(x, "0123456789abcdef") != "" {
			return ""
		}
	}
	return s
}

// candidates lists a few devices below an error.
func candidates(list []api.Device) string {
	const most = 8
	var rows [][]string
	for i := range list[:min(len(list), most)] {
		d := &list[i]
		rows = append(rows, []string{"  " + plain(d.ID), plain(nameOf(d)), plain(strings.Join(d.Addresses, " "))})
	}
	var b strings.Builder
	_ = grid(&b, rows)
	if len(list) > most {
		b.WriteString("  …")
	}
	return strings.TrimRight(b.String(), "\n")
}

// names gives the names of all devices by identity, or what else tells them
// apart, for lists that hold identities. Where the list cannot be read there are none.
func (a *asker) names(ctx context.Context) map[string]string {
	out := map[string]string{}
	all, err := a.devices(ctx)
	if err != nil {
		return out
	}
	for i := range all {
		out[all[i].ID] = cmp.Or(nameOf(&all[i]), labelOf(&all[i]))
	}
	return out
}

// labelOf is by what people tell a device apart that has no name: who made it,
// and its address.
func labelOf(d *api.Device) string {
	if len(d.Addresses) == 0 {
		return ""
	}
	made := strings.TrimSpace(d.Maker + " " + d.Model)
	if d.Maker != "" && strings.HasPrefix(strings.ToLower(d.Model), strings.ToLower(d.Maker)) {
		made = d.Model
	}
	return strings.TrimSpace(made + " " + d.Addresses[0])
}

// completion asks the daemon for what an argument may be; when nobody answers
// there is silently nothing.
func (a *asker) completion(most int, f func(ctx context.Context) []cobra.Completion) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, prefix string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if most > 0 && len(args) >= most || a.open() != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), time.Second)
		defer cancel()
		var out []cobra.Completion
		for _, c := range f(ctx) {
			word, _, _ := strings.Cut(c, "\t")
			if strings.HasPrefix(strings.ToLower(word), strings.ToLower(prefix)) && word == plain(word) {
				out = append(out, c)
			}
		}
		return out, cobra.ShellCompDirectiveNoFileComp
	}
}

func choice(word, about string) cobra.Completion {
	return cobra.CompletionWithDesc(word, plain(about))
}

// deviceWords are the identities and the names of the devices.
func (a *asker) deviceWords(ctx context.Context) (out []cobra.Completion) {
	all, err := a.devices(ctx)
	if err != nil {
		return nil
	}
	for i := range all {
		d := &all[i]
		if n := nameOf(d); n != "" && len(matching(all, n)) == 1 {
			out = append(out, choice(n, d.ID))
		}
		out = append(out, choice(d.ID, strings.TrimSpace(nameOf(d)+" "+strings.Join(d.Addresses, " "))))
	}
	return out
}

// completeDevice lets the first most arguments be devices.
func (a *asker) completeDevice(cmd *cobra.Command, most int) {
	cmd.ValidArgsFunction = a.completion(most, a.deviceWords)
}

// deviceFlag adds --device.
func (a *asker) deviceFlag(cmd *cobra.Command, to *string, about string) {
	cmd.Flags().StringVar(to, "device", "", about)
	_ = cmd.RegisterFlagCompletionFunc("device", a.completion(0, a.deviceWords))
}

// deviceID is the identity of the device that a flag names; empty when none
// is given.
func (a *asker) deviceID(ctx context.Context, s string) (string, error) {
	if s == "" {
		return "", nil
	}
	d, err := a.device(ctx, s)
	return d.ID, err
}

// oneOf adds a flag with a closed set of values.
func oneOf(cmd *cobra.Command, to *string, name, about string, values ...string) {
	cmd.Flags().StringVar(to, name, "", about+": "+orList(values))
	_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

func checkOneOf(name, value string, values ...string) error {
	if value != "" && !slices.Contains(values, value) {
		return usage(fmt.Errorf("--%s %q: use %s", name, plain(value), orList(values)))
	}
	return nil
}

// group makes a command of other commands; run, unless nil, is what it does by
// itself.
func group(cmd *cobra.Command, sub ...*cobra.Command) *cobra.Command {
	cmd.AddCommand(sub...)
	for _, c := range sub {
		if c.Args == nil {
			c.Args = cobra.NoArgs
		}
		c.Args = usageArgs(c.Args)
	}
	return cmd
}

var errNothing = errors.New("nothing to change; name what is to be different, see --help")
