package main

import "errors"

// ref is what a node's branch leads to: nothing (0), a node (its index + 1), or
// with isLeaf set the offset of a record in the data section.
type ref uint32

const isLeaf ref = 1 << 31

// maxNodes keeps indices within a ref, and with the data below 2³².
const maxNodes = 1 << 28

var (
	errOrder = errors.New("networks must come in ascending order, IPv4 first, and must not overlap")
	errNodes = errors.New("the database would have more than 2²⁸ nodes")
	errEmpty = errors.New("no network was given")
)

// tree is a search tree made of networks in ascending order. Only the nodes on
// the way to the last network are still open: what lies to the left of it is
// final, so neighbours with the same record become one network, and equal
// subtrees are written once.
type tree struct {
	nodes [][2]ref // children before their parents
	same  map[[2]ref]ref
	open  [128][2]ref // by depth
	depth int         // open nodes; also the length of the last network
	last  u128
}

// add puts a leaf at the network of this many bits. Its host bits are zero.
func (t *tree) add(addr u128, bits int, leaf ref) error {
	if bits < 1 || bits > 128 {
		return errOrder
	}
	if t.depth > 0 {
		c := t.last.common(addr)
		if c >= min(t.depth, bits) || addr.bit(c) == 0 {
			return errOrder
		}
		if err := t.close(c + 1); err != nil {
			return err
		}
	}
	for d := t.depth; d < bits; d++ {
		t.open[d] = [2]ref{}
	}
	t.open[bits-1][addr.bit(bits-1)] = leaf
	t.depth, t.last = bits, addr
	return nil
}

// close makes the open nodes below depth final.
func (t *tree) close(depth int) error {
	for ; t.depth > depth; t.depth-- {
		d := t.depth - 1
		n := t.open[d]
		r := n[0]
		if n[0] != n[1] || r != 0 && r&isLeaf == 0 {
			var err error
			if r, err = t.put(n); err != nil {
				return err
			}
		}
		t.open[d-1][t.last.bit(d-1)] = r
	}
	return nil
}

// put writes a node, unless there is one like it.
func (t *tree) put(n [2]ref) (ref, error) {
	if r, ok := t.same[n]; ok {
		return r, nil
	}
	if len(t.nodes) >= maxNodes {
		return 0, errNodes
	}
	if t.same == nil {
		t.same = map[[2]ref]ref{}
	}
	t.nodes = append(t.nodes, n)
	r := ref(len(t.nodes))
	t.same[n] = r
	return r, nil
}

// finish closes what is open. The root is the last node.
func (t *tree) finish() error {
	if t.depth == 0 {
		return errEmpty
	}
	if err := t.close(1); err != nil {
		return err
	}
	t.nodes = append(t.nodes, t.open[0])
	t.depth = 0
	return nil
}
