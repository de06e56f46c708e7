package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yamori-net/yamori/internal/api/client"
)

func newBlock(stdout, stderr *os.File) *cobra.Command {
	var n newEntry
	var reject bool
	cmd := &cobra.Command{
		Use:   "block [ADDRESS|NETWORK|NAME] [flags]",
		Short: "Block an address, a network or a name",
		Long: `Block stops traffic with an address, a network or a name (and every name under
it), for all devices or for one. It holds in both modes. To cut a device off,
use quarantine; to take the internet from it, pause.`,
		Example: `  yamori block 203.0.113.9
  yamori block bad.example --device Garden --for 1h
  yamori block 203.0.113.0/24 --port 23 --reason "telnet"
  yamori block list
  yamori block remove 01JD0C6M`,
		Args: cobra.MaximumNArgs(1),
	}
	a := newAsker(cmd, stdout, stderr)
	a.deviceFlag(cmd, &n.device, "for this device alone: id, address or name")
	f := cmd.Flags()
	f.IntVar(&n.port, "port", 0, "this port alone")
	f.BoolVar(&reject, "reject", false, "tell the sender, so that programs fail at once")
	n.common(cmd)
	cmd.RunE = a.does(func(ctx context.Context, args []string) error {
		if len(args) == 0 && n.device == "" {
			return usage(errors.New("say what to block: an address, a network, a name, or --device; see 'yamori block --help'"))
		}
		if len(args) == 1 {
			var err error
			if n.dest, n.host, err = target(args[0]); err != nil {
				return err
			}
		}
		e, err := n.entry(ctx, a)
		if err != nil {
			return err
		}
		e.Kind, e.Reject = "block", reject
		made, err := a.c.AddEntry(ctx, client.Blocks, e)
		if err != nil {
			return err
		}
		return a.added(ctx, &made)
	})
	return group(cmd,
		newEntryList(stdout, stderr, "  yamori block list\n  yamori block list --device Garden -o json", "Nothing is blocked by hand.", "手動で遮断しているものはありません。", nil, client.Blocks),
		newEntryRemove(stdout, stderr, "remove", "  yamori block remove 01JD0C6M", []string{"block"}, client.Blocks))
}

// target tells an address or a network from a name.
func target(s string) (dest, host string, err error) {
	if _, err := netip.ParseAddr(s); err == nil {
		return s, "", nil
	}
	if _, err := netip.ParsePrefix(s); err == nil {
		return s, "", nil
	}
	name := strings.TrimSuffix(strings.TrimPrefix(s, "*."), ".")
	if name == "" || strings.ContainsAny(name, "/:@ *\t") || strings.Contains(name, "..") || digits(name) || name != plain(name) {
		return "", "", usage(fmt.Errorf("%q is no address, network or name; write 203.0.113.9, 203.0.113.0/24 or bad.example, and a port with --port", plain(s)))
	}
	return "", name, nil
}

// digits says that what looks like a name is a mistyped address.
func digits(s string) bool { return strings.Trim(s, "0123456789.") == "" }
