package enforce

import "os"

// Probe looks at what the kernel and the system of the calling thread's network
// namespace offer. It changes nothing that stays.
func Probe() Abilities {
	var a Abilities
	if _, err := run("", "nft", "list", "tables"); err == nil {
		a.NFT = true
		a.NFTQueue = nftQueue()
	}
	a.XTQueue = xtTarget() || xtQueue()
	_, err := os.Stat(sysBridge + bridgeSettings[0])
	a.Bridge = err == nil
	tables, err := run("", "nft", "list", "flowtables")
	if err != nil {
		tables = "" // an nft that does not know of them
	}
	a.judge(tables)
	return a
}

// xtQueue reports whether iptables takes a rule with NFQUEUE, in a chain of its
// own that no packet comes to and that is gone afterwards.
func xtQueue() bool {
	prog := iptablesPrograms()[0]
	if _, err := run("", prog, "--version"); err != nil {
		return false
	}
	const chain = chainName + "_PROBE"
	do := func(args ...string) error {
		_, err := run("", prog, append([]string{"-w", "5", "-t", "mangle"}, args...)...)
		return err
	}
	_, _, had := mangle("ip")
	if do("-N", chain) != nil {
		return false
	}
	err := do("-A", chain, "-j", "NFQUEUE", "--queue-num", "0", "--queue-bypass")
	_, _ = do("-F", chain), do("-X", chain)
	if !had {
		// iptables made the table; it goes again if it is still empty.
		if chains, idle, ok := mangle("ip"); ok && len(idle) == len(chains) {
			_, _ = run("", "nft", "delete", "table", "ip", "mangle")
		}
	}
	return err == nil
}
