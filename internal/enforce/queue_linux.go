package enforce

import (
	"encoding/binary"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/google/nftables/xt"
)

// queueMode says by which way packets can reach the queues.
func queueMode(passive bool) string {
	switch {
	case passive || nftQueue():
		return modeNFT
	case xtTarget():
		return modeXT
	}
	return modeIPTables
}

// toQueue adds the target of iptables to the chain "to_queue". The program nft
// has no words for it, the kernel (nft_compat) takes it.
func toQueue(conn *nftables.Conn, table *nftables.Table, c *Config) error {
	conn.AddRule(&nftables.Rule{Table: table, Chain: &nftables.Chain{Name: "to_queue", Table: table}, Exprs: []expr.Any{queueTarget(c)}})
	return conn.Flush()
}

// queueTarget is struct xt_NFQ_info_v3 (linux/netfilter/xt_NFQUEUE.h): the first
// queue, how many, and flags, in the machine's order and filled up to eight
// bytes.
func queueTarget(c *Config) *expr.Target {
	const bypass = 1 // NFQ_FLAG_BYPASS
	info := make(xt.Unknown, 8)
	binary.NativeEndian.PutUint16(info, c.Queue)
	binary.NativeEndian.PutUint16(info[2:], uint16(c.Workers))
	binary.NativeEndian.PutUint16(info[4:], bypass)
	return &expr.Target{Name: "NFQUEUE", Rev: 3, Info: &info}
}

// xtTarget reports whether the kernel takes that target in a table of its own
// making: one that goes again in the transaction it comes in.
func xtTarget() bool {
	conn, err := nftables.New()
	if err != nil {
		return false
	}
	t := conn.AddTable(&nftables.Table{Name: tableName + "_probe", Family: nftables.TableFamilyINet})
	c := conn.AddChain(&nftables.Chain{Name: "to_queue", Table: t})
	conn.AddRule(&nftables.Rule{Table: t, Chain: c, Exprs: []expr.Any{queueTarget(&Config{Workers: 2})}})
	conn.DelTable(t)
	return conn.Flush() == nil
}
