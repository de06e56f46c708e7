package match

import (
	"cmp"

	"github.com/yamori-net/yamori/internal/rules"
)

// order is what rules are sorted by inside of one packet: actions first, then
// who sets what others read, then priority, then as written.
type order struct {
	flowbits, flowint, xbits uint8
}

// Ranks of order's fields.
const (
	rankSets = iota // before everybody that reads
	rankSetsReads
	rankReads
	rankNone
)

func rank(sets, reads bool) uint8 {
	switch {
	case sets && reads:
		return rankSetsReads
	case sets:
		return rankSets
	case reads:
		return rankReads
	}
	return rankNone
}

// actionRank is Suricata's default action-order: pass, drop, reject, alert.
func actionRank(a rules.Action) int {
	switch a {
	case rules.Pass:
		return 0
	case rules.Drop:
		return 1
	case rules.Alert:
		return 3
	}
	return 2
}

func compareOrder(a, b *compiler) int {
	return cmp.Or(
		cmp.Compare(actionRank(a.r.Action), actionRank(b.r.Action)),
		cmp.Compare(a.order.flowbits, b.order.flowbits),
		cmp.Compare(a.order.flowint, b.order.flowint),
		cmp.Compare(a.order.xbits, b.order.xbits),
		cmp.Compare(a.m.Severity, b.m.Severity),
	)
}
