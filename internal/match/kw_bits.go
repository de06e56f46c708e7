package match

import (
	"math"
	"slices"
	"strings"

	"github.com/yamori-net/yamori/internal/rules"
)

var bitsKeywords = []Keyword{
	{Name: "flowbits", Family: "flow", Doc: "marks on the flow: set, unset, toggle, isset, isnotset, noalert", Example: `content:"x"; flowbits:set,seen;`, Setup: setupFlowbits},
	{Name: "flowint", Family: "flow", Doc: "counters on the flow", Example: `flowint:n,+,1; flowint:n,>,3;`, Setup: setupFlowint},
	{Name: "noalert", Family: "meta", Doc: "match without alert", Example: `content:"x"; noalert;`, Setup: func(c *compiler, o rules.Option) error {
		c.out.flags |= noAlert
		return nil
	}},
	{Name: "alert", Family: "meta", Doc: "alert again after noalert", Example: `content:"x"; alert;`, Setup: func(c *compiler, o rules.Option) error {
		c.out.flags &^= noAlert
		c.out.flags |= withAlert
		return nil
	}},
}

// Kinds of names.
const (
	kindFlowbit = iota
	kindFlowint
	kindXbit
	kindHostbit
	nKinds
)

// names numbers what rules name. The same name keeps its number as long as the
// table lives.
type names struct {
	of    [nKinds]map[string]uint32
	base  [nKinds]uint32 // number of the first
	since uint32         // generation of the set that began the table
}

func newNames() *names {
	n := &names{}
	for i := range n.of {
		n.of[i] = map[string]uint32{}
	}
	return n
}

func (n *names) id(kind int, name string) uint32 {
	if id, ok := n.of[kind][name]; ok {
		return id
	}
	id := n.base[kind] + uint32(len(n.of[kind]))
	n.of[kind][strings.Clone(name)] = id
	return id
}

func (n *names) count(kind int) int { return len(n.of[kind]) }

func setupFlowbits(c *compiler, o rules.Option) error {
	p := split(unquote(o.Value))
	op := strings.Clone(strings.ToLower(p[0])) // kept by functions below: not the file's text
	if op == "noalert" {
		c.out.flags |= noAlert
		return nil
	}
	if len(p) != 2 || p[1] == "" {
		return fail("flowbits needs an operation and a name")
	}
	var ids []uint32
	for _, n := range rules.SplitList(nil, p[1], '|') {
		if n == "" || strings.ContainsAny(n, " \t") {
			return fail("%q is no name of a flowbit", p[1])
		}
		ids = append(ids, c.b.set.names.id(kindFlowbit, n))
	}
	switch op {
	case "isset", "isnotset":
	default:
		if len(ids) > 1 {
			return fail("flowbits:%s takes one name", op)
		}
	}
	c.notPlain()
	c.out.flags |= needFlow
	id := ids[0]
	switch op {
	case "set", "unset", "toggle":
		c.sets = true
		c.out.posts = append(c.out.posts, func(c *ctx) {
			if fs := c.flowState(); fs != nil {
				switch op {
				case "set":
					fs.setBit(id)
				case "unset":
					fs.clearBit(id)
				default:
					if fs.bit(id) {
						fs.clearBit(id)
					} else {
						fs.setBit(id)
					}
				}
			}
		})
	case "isset":
		c.reads = true
		c.cond(func(c *ctx) bool {
			return c.fs != nil && slices.ContainsFunc(ids, c.fs.bit)
		})
	case "isnotset":
		c.reads = true
		c.cond(func(c *ctx) bool {
			return c.fs == nil || slices.ContainsFunc(ids, func(id uint32) bool { return !c.fs.bit(id) })
		})
	default:
		return fail("flowbits does not know %q", p[0])
	}
	c.order.flowbits = rank(c.sets, c.reads)
	return nil
}

// setupFlowint reads "name, op, value or other name".
func setupFlowint(c *compiler, o rules.Option) error {
	p := split(unquote(o.Value))
	if len(p) < 2 {
		return fail("flowint needs a name, an operation and a value")
	}
	id := c.b.set.names.id(kindFlowint, p[0])
	c.notPlain()
	c.out.flags |= needFlow
	switch op := strings.Clone(strings.ToLower(p[1])); op {
	case "isset", "isnotset", "notset":
		want := op == "isset"
		c.order.flowint = max(c.order.flowint, rankReads)
		c.cond(func(c *ctx) bool {
			_, ok := c.fs.int(id)
			return ok == want
		})
		return nil
	case "+", "-", "=":
		if len(p) != 3 {
			return fail("flowint needs a value")
		}
		value, err := c.intValue(p[2])
		if err != nil {
			return err
		}
		c.order.flowint = rankSets
		c.out.posts = append(c.out.posts, func(c *ctx) {
			v, ok := value(c)
			fs := c.flowState()
			if !ok || fs == nil {
				return
			}
			old, _ := fs.int(id)
			switch op {
			case "+":
				v = old + v
			case "-":
				v = old - v
			}
			fs.setInt(id, v)
		})
		return nil
	case "<", ">", "<=", ">=", "==", "!=":
		if len(p) != 3 {
			return fail("flowint needs a value")
		}
		value, err := c.intValue(p[2])
		if err != nil {
			return err
		}
		c.order.flowint = rankReads
		c.cond(func(c *ctx) bool {
			a, ok := c.fs.int(id)
			b, ok2 := value(c)
			if !ok || !ok2 {
				return false
			}
			switch op {
			case "<":
				return a < b
			case ">":
				return a > b
			case "<=":
				return a <= b
			case ">=":
				return a >= b
			case "==":
				return a == b
			}
			return a != b
		})
		return nil
	}
	return fail("flowint does not know %q", p[1])
}

func (c *compiler) intValue(v string) (func(*ctx) (uint32, bool), error) {
	if v != "" && '0' <= v[0] && v[0] <= '9' {
		n, err := rules.ParseUint(v, math.MaxUint32)
		if err != nil {
			return nil, err
		}
		return func(*ctx) (uint32, bool) { return uint32(n), true }, nil
	}
	if v == "" {
		return nil, fail("flowint needs a value")
	}
	id := c.b.set.names.id(kindFlowint, v)
	return func(c *ctx) (uint32, bool) { return c.fs.int(id) }, nil
}
