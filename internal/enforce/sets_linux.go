package enforce

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
)

// maxElements travel in one message: 256 of 100 bytes are well below the 64 KiB
// of an attribute.
const maxElements = 256

// Put makes entries active; one that is active already gets the new time. They
// are added in one transaction: all or none.
func (t *Table) Put(entries ...Entry) error {
	for i := range entries {
		if err := entries[i].check(); err != nil {
			return err
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.setBusy(true); err != nil {
		return err
	}
	// A kernel before 6.12 does not take a new time for an element that is
	// there: it has to be taken out first. All of them before any is added,
	// because taking out what is not there undoes its transaction.
	there, err := t.there(entries)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if there != nil && !there(&e) {
			continue
		}
		if err := t.delete(e); err != nil {
			return err
		}
	}
	// One message for many elements of a set: the kernel answers each message,
	// and a thousand answers do not fit in the socket's buffer.
	bulk := map[string]*place{}
	send := func(p *place) error {
		if err := t.conn.SetAddElements(p.set, p.elements); err != nil {
			return fmt.Errorf("packet filter: set %s: %w", p.set.Name, err)
		}
		p.elements = nil
		return nil
	}
	for _, e := range entries {
		for _, p := range t.places(&e) {
			for i := range p.elements {
				if !p.elements[i].IntervalEnd && p.timeout {
					p.elements[i].Timeout = e.For
				}
			}
			key := fmt.Sprint(p.set.Table.Family, p.set.Name)
			b := bulk[key]
			if b == nil {
				b = &place{set: p.set}
				bulk[key] = b
			}
			if b.elements = append(b.elements, p.elements...); len(b.elements) >= maxElements {
				if err := send(b); err != nil {
					return err
				}
			}
		}
	}
	for _, b := range bulk {
		if len(b.elements) > 0 {
			if err := send(b); err != nil {
				return err
			}
		}
	}
	if err := t.conn.Flush(); err != nil {
		return fmt.Errorf("packet filter: %w", err)
	}
	return nil
}

// there returns a function that says whether an entry may be active, or nil when
// it costs less to try: taking one out is a transaction, for which the kernel
// waits until all processors have noticed (5 ms).
func (t *Table) there(entries []Entry) (func(*Entry) bool, error) {
	if len(entries) < 8 {
		return nil, nil
	}
	active := map[string]map[string]bool{}
	name := func(p *place) string { return fmt.Sprint(p.set.Table.Family, p.set.Name) }
	for i := range entries {
		for _, p := range t.places(&entries[i]) {
			if active[name(&p)] != nil {
				continue
			}
			el, err := t.conn.GetSetElements(p.set)
			if err != nil {
				return nil, fmt.Errorf("packet filter: list %s: %w", p.set.Name, err)
			}
			keys := make(map[string]bool, len(el))
			for _, x := range el {
				keys[string(x.Key)] = true
			}
			active[name(&p)] = keys
		}
	}
	return func(e *Entry) bool {
		for _, p := range t.places(e) {
			if keys := active[name(&p)]; keys[string(p.elements[0].Key)] {
				return true
			}
		}
		return false
	}, nil
}

// Delete makes entries inactive. One that is not active is no error.
func (t *Table) Delete(entries ...Entry) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, e := range entries {
		e.For = 0
		if err := e.check(); err != nil {
			return err
		}
		if err := t.delete(e); err != nil {
			return err
		}
	}
	if !t.busy {
		return nil
	}
	left, err := t.list()
	if err != nil || len(left) > 0 {
		return err
	}
	return t.setBusy(false)
}

// setBusy makes packets pass the blocks, or spares them that when there are
// none.
func (t *Table) setBusy(on bool) error {
	if t.busy == on {
		return nil
	}
	for _, g := range [...]struct{ gate, to string }{{"gate", "blocks"}, {"gate_local", "cut_local"}} {
		if g.gate == "gate_local" && !t.cfg.Local {
			continue
		}
		c := &nftables.Chain{Name: g.gate, Table: t.inet()}
		t.conn.FlushChain(c)
		if on {
			t.conn.AddRule(&nftables.Rule{Table: t.inet(), Chain: c, Exprs: []expr.Any{&expr.Verdict{Kind: expr.VerdictGoto, Chain: g.to}}})
		}
	}
	if err := t.conn.Flush(); err != nil {
		return fmt.Errorf("packet filter: the way to the blocks: %w", err)
	}
	t.busy = on
	return nil
}

func (t *Table) delete(e Entry) error {
	for _, p := range t.places(&e) {
		if err := t.conn.SetDeleteElements(p.set, p.elements); err != nil {
			return fmt.Errorf("packet filter: %s: %w", e.target(), err)
		}
		if err := t.conn.Flush(); err != nil && !missing(err) {
			return fmt.Errorf("packet filter: %s: %w", e.target(), err)
		}
	}
	return nil
}

// place is a set with the elements that stand for an entry.
type place struct {
	set      *nftables.Set
	elements []nftables.SetElement
	timeout  bool // the set's elements expire by themselves
}

// places says where an entry goes. Elements are made anew for each use: the
// library keeps them until the transaction is sent.
func (t *Table) places(e *Entry) []place {
	one := func(name string, key []byte) []place {
		return []place{{t.sets[name], []nftables.SetElement{{Key: key}}, true}}
	}
	switch e.Kind {
	case Pause:
		if !t.cfg.Bridge { // between ports of a router's own bridge a pause does not hold
			return one("paused", e.MAC)
		}
		return append(one("paused", e.MAC), t.bridged("paused", e.MAC)...)
	case Quarantine:
		return append(one("quarantined", e.MAC), t.bridged("quarantined", e.MAC)...)
	}
	if e.Kind == Cut {
		n := "4"
		if e.From.Addr().Is6() {
			n = "6"
		}
		key := func(a, b netip.AddrPort) nftables.SetElement {
			return nftables.SetElement{Key: concat(a.Addr().AsSlice(), b.Addr().AsSlice(), []byte{e.Proto}, binaryutil.BigEndian.PutUint16(a.Port()), binaryutil.BigEndian.PutUint16(b.Port()))}
		}
		out := []place{{t.sets["cut"+n], []nftables.SetElement{key(e.From, e.To)}, true}}
		if e.From != e.To {
			out = append(out, place{t.sets["cut"+n], []nftables.SetElement{key(e.To, e.From)}, true})
		}
		return out
	}
	n, addr := "4", e.Net.Addr().AsSlice()
	if e.Net.Addr().Is6() {
		n = "6"
	}
	switch {
	case e.Port != 0 && e.MAC != nil:
		return one("blocked_pair_port"+n, concat(e.MAC, addr, []byte{e.Proto}, binaryutil.BigEndian.PutUint16(e.Port)))
	case e.Port != 0:
		return one("blocked_port"+n, concat(addr, []byte{e.Proto}, binaryutil.BigEndian.PutUint16(e.Port)))
	case e.MAC != nil:
		return one("blocked_pair"+n, concat(e.MAC, addr))
	case e.Net.IsSingleIP():
		return one("blocked"+n, addr)
	}
	return []place{{set: t.sets["blocked_net"+n], elements: interval(e.Net)}}
}

// bridged is the same set in the bridge's table, where there is one.
func (t *Table) bridged(name string, key []byte) []place {
	if !t.bridges {
		return nil
	}
	s := *t.sets[name]
	s.Table = &nftables.Table{Name: tableName, Family: nftables.TableFamilyBridge}
	return []place{{&s, []nftables.SetElement{{Key: key}}, true}}
}

// concat joins the fields of a concatenated key, each filled up to 4 bytes.
func concat(fields ...[]byte) (key []byte) {
	for _, f := range fields {
		key = append(key, f...)
		for len(key)%4 != 0 {
			key = append(key, 0)
		}
	}
	return key
}

// interval is a network as the kernel wants it: its first address, and the
// first beyond it. A network that ends with the last address has no second.
func interval(p netip.Prefix) []nftables.SetElement {
	p = p.Masked()
	out := []nftables.SetElement{{Key: p.Addr().AsSlice()}}
	if next := last(p).Next(); next.IsValid() && next.Is4() == p.Addr().Is4() {
		out = append(out, nftables.SetElement{Key: next.AsSlice(), IntervalEnd: true})
	}
	return out
}

func last(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

// SetNever replaces the addresses that are never blocked, SetAllowed those that
// a device in quarantine may reach. Networks may overlap.
func (t *Table) SetNever(nets []netip.Prefix) error { return t.replace("never", nets) }

// SetAllowed is described at SetNever.
func (t *Table) SetAllowed(nets []netip.Prefix) error { return t.replace("allowed", nets) }

func (t *Table) replace(name string, nets []netip.Prefix) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	tables := []*nftables.Table{t.inet()}
	if t.bridges && !t.cfg.Bridge {
		tables = append(tables, &nftables.Table{Name: tableName, Family: nftables.TableFamilyBridge})
	}
	for _, n := range [...]string{"4", "6"} {
		for _, table := range tables {
			s := *t.sets[name+n]
			s.Table = table
			t.conn.FlushSet(&s)
			var el []nftables.SetElement
			for _, p := range disjoint(nets, n == "4") {
				el = append(el, interval(p)...)
			}
			if len(el) == 0 {
				continue
			}
			if err := t.conn.SetAddElements(&s, el); err != nil {
				return fmt.Errorf("packet filter: set %s: %w", s.Name, err)
			}
		}
	}
	if err := t.conn.Flush(); err != nil {
		return fmt.Errorf("packet filter: set %s: %w", name, err)
	}
	return nil
}

// disjoint leaves out what lies within another network: the kernel takes no
// overlaps.
func disjoint(nets []netip.Prefix, v4 bool) (out []netip.Prefix) {
next:
	for i, p := range nets {
		if !p.IsValid() || p.Addr().Is4() != v4 || p.Addr().Zone() != "" {
			continue
		}
		p = p.Masked()
		for j, q := range nets {
			if !q.IsValid() {
				continue
			}
			if q = q.Masked(); i != j && q.Overlaps(p) && (q.Bits() < p.Bits() || q == p && j < i) {
				continue next
			}
		}
		out = append(out, p)
	}
	return out
}

// List returns what is active, with the time left.
func (t *Table) List() ([]Active, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.list()
}

func (t *Table) list() ([]Active, error) {
	var out []Active
	for _, name := range [...]string{"paused", "quarantined", "blocked4", "blocked6", "blocked_port4", "blocked_port6", "blocked_pair4", "blocked_pair6",
		"blocked_pair_port4", "blocked_pair_port6", "blocked_net4", "blocked_net6", "cut4", "cut6"} {
		s := t.sets[name]
		el, err := t.conn.GetSetElements(s)
		if err != nil {
			return nil, fmt.Errorf("packet filter: list %s: %w", name, err)
		}
		out = append(out, read(name, el)...)
	}
	return out, nil
}

// read turns the elements of a set back into entries.
func read(name string, el []nftables.SetElement) (out []Active) {
	var end []byte // the kernel lists intervals from the last to the first
	for _, x := range el {
		a := Active{Entry: Entry{Kind: Block}, Left: x.Expires.Round(time.Millisecond)}
		if x.Timeout > 0 {
			a.For = x.Timeout
		}
		single := func(b []byte) netip.Prefix {
			ip, _ := netip.AddrFromSlice(b)
			return netip.PrefixFrom(ip, ip.BitLen())
		}
		switch name[:min(len(name), 9)] {
		case "paused", "quarantin":
			a.Kind, a.MAC = Pause, x.Key
			if name == "quarantined" {
				a.Kind = Quarantine
			}
		default:
			n := 4
			if name[len(name)-1] == '6' {
				n = 16
			}
			switch name[:len(name)-1] {
			case "blocked":
				a.Net = single(x.Key)
			case "blocked_port":
				a.Net, a.Proto, a.Port = single(x.Key[:n]), x.Key[n], uint16(x.Key[n+4])<<8|uint16(x.Key[n+5])
			case "blocked_pair":
				a.MAC, a.Net = x.Key[:6], single(x.Key[8:8+n])
			case "blocked_pair_port":
				k := x.Key[8+n:]
				a.MAC, a.Net, a.Proto, a.Port = x.Key[:6], single(x.Key[8:8+n]), k[0], uint16(k[4])<<8|uint16(k[5])
			case "cut":
				k := x.Key[2*n:]
				from, _ := netip.AddrFromSlice(x.Key[:n])
				to, _ := netip.AddrFromSlice(x.Key[n : 2*n])
				a.Kind, a.Proto = Cut, k[0]
				a.From = netip.AddrPortFrom(from, uint16(k[4])<<8|uint16(k[5]))
				a.To = netip.AddrPortFrom(to, uint16(k[8])<<8|uint16(k[9]))
				if a.From.Compare(a.To) > 0 {
					continue // the other direction stands for both
				}
			case "blocked_net":
				if x.IntervalEnd {
					end = x.Key
					continue
				}
				a.Net, end = network(x.Key, end), nil
			}
		}
		out = append(out, a)
	}
	return out
}

// network is the one that begins at first and ends before end; nil: with the
// last address.
func network(first, end []byte) netip.Prefix {
	ip, _ := netip.AddrFromSlice(first)
	for bits := range ip.BitLen() + 1 {
		p := netip.PrefixFrom(ip, bits)
		if p.Masked() != p {
			continue
		}
		next := last(p).Next()
		if end == nil && (!next.IsValid() || next.Is4() != ip.Is4()) || end != nil && next.IsValid() && string(next.AsSlice()) == string(end) {
			return p
		}
	}
	return netip.PrefixFrom(ip, ip.BitLen())
}

// Counters reads what was dropped.
func (t *Table) Counters() (c Counters, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	objs, err := t.conn.GetNamedObjects(t.inet())
	if err != nil {
		return c, fmt.Errorf("packet filter: counters: %w", err)
	}
	if t.bridges {
		more, err := t.conn.GetNamedObjects(&nftables.Table{Name: tableName, Family: nftables.TableFamilyBridge})
		if err != nil {
			return c, fmt.Errorf("packet filter: counters of the bridge: %w", err)
		}
		objs = append(objs, more...)
	}
	for _, o := range objs {
		n, ok := o.(*nftables.NamedObj)
		if !ok {
			continue
		}
		packets := counterPackets(n)
		switch n.Name {
		case "cut":
			c.Cut += packets
		case "blocked":
			c.Blocked += packets
		case "paused":
			c.Paused += packets
		case "quarantined":
			c.Quarantined += packets
		case "queued":
			c.Queued += packets
		case "passed":
			c.Passed += packets
		case "uninspected":
			c.Uninspected += packets
		}
	}
	return c, nil
}
