package main

import (
	"context"
	"errors"
	"os"

	"github.com/spf13/cobra"

	"github.com/yamori-net/yamori/internal/api/client"
	"github.com/yamori-net/yamori/internal/device"
	"github.com/yamori-net/yamori/internal/event"
)

func newAllow(stdout, stderr *os.File) *cobra.Command {
	var n newEntry
	var mining bool
	cmd := &cobra.Command{
		Use:   "allow [DEVICE] [flags]",
		Short: "Allow something, for a while or for good",
		Long: `Allow makes an exception: what fits all that is given is recorded, but neither
told nor blocked. With --mining it says that mining is your own: of a device, at
a pool, or for a wallet. What is blocked by hand stays blocked.`,
		Example: `  yamori allow Garden --category scan --for 1h
  yamori allow Garden --dest 203.0.113.0/24 --reason "maker's cloud"
  yamori allow --rule 2008983 --for 1d
  yamori allow --mining desktop
  yamori allow --mining --wallet 48edfHu7V9Z84YzzMa6fUueoELZ9ZRXq9VetWzYGzKt52XU5xvqgzYnDK9URnRoJMk1j8nLwEVsaSWJ4fhdUyZijBGUicoD
  yamori allow list
  yamori allow undo`,
		Args: cobra.MaximumNArgs(1),
	}
	a := newAsker(cmd, stdout, stderr)
	a.completeDevice(cmd, 1)
	f := cmd.Flags()
	f.BoolVar(&mining, "mining", false, "mining is my own: of DEVICE, --pool or --wallet")
	f.StringVar(&n.dest, "dest", "", "address or network of the other end")
	f.StringVar(&n.host, "host", "", "its name, or any name under it (with a device)")
	f.IntVar(&n.port, "port", 0, "its port")
	f.StringVar(&n.rule, "rule", "", "only what this rule finds: SID or GID:SID")
	f.StringVar(&n.family, "family", "", "only findings of this family, such as stratum")
	f.StringVar(&n.pool, "pool", "", "pool, as host, host:port or address:port")
	f.StringVar(&n.wallet, "wallet", "", "wallet")
	oneOf(cmd, &n.category, "category", "only findings of this category", event.CategoryNames()...)
	oneOf(cmd, &n.kind, "kind", "all devices of this kind", device.Kinds()...)
	n.common(cmd)
	cmd.RunE = a.does(func(ctx context.Context, args []string) error {
		if len(args) == 1 {
			n.device = args[0]
		}
		rest := n.dest + n.host + n.rule + n.family + n.category + n.kind
		switch {
		case mining && (rest != "" || n.port != 0):
			return usage(errors.New("--mining goes with a device, --pool and --wallet alone; leave the others out"))
		case mining && n.device+n.pool+n.wallet == "":
			return usage(errors.New("say what is yours: a device, --pool or --wallet"))
		case !mining && n.device+n.pool+n.wallet+rest == "":
			return usage(errors.New("say what to allow: a device, --dest, --host, --rule, --category, --family or --kind; an exception for everything would switch detection off"))
		}
		if err := checkOneOf("kind", n.kind, device.Kinds()...); err != nil {
			return err
		}
		e, err := n.entry(ctx, a)
		if err != nil {
			return err
		}
		to := client.Exceptions
		if mining {
			to = client.Consents
		}
		made, err := a.c.AddEntry(ctx, to, e)
		if err != nil {
			return err
		}
		return a.added(ctx, &made)
	})
	return group(cmd,
		newEntryList(stdout, stderr, "  yamori allow list\n  yamori allow list -o csv", "Nothing is allowed by exception.", "例外として許可しているものはありません。", nil, client.Exceptions, client.Consents),
		newEntryRemove(stdout, stderr, "remove", "  yamori allow remove 01JD0C6M", nil, client.Exceptions, client.Consents),
		newUndo(stdout, stderr, "exception", "consent"))
}
