package match

import (
	"github.com/yamori-net/yamori/internal/match/inspect"
	"github.com/yamori-net/yamori/internal/match/mpm"
)

// nameBuffers hold a whole name or fingerprint each, of which rules ask mostly
// whether it is one of many, or ends with one: such rules are found by hash.
// The number is the length of every value, where all have the same: hexadecimal
// MD5, SHA-1 with colons, and the three parts of JA4.
var nameBuffers = map[string]int{
	"tls.sni": -1, "dns.query": -1, "http.host": -1, "http.host.raw": -1, "tls.cert_serial": -1,
	"ja3.hash": 32, "ja3s.hash": 32, "tls.cert_fingerprint": 20*3 - 1, "ja4.hash": 10 + 1 + 12 + 1 + 12,
}

// nameFilter is the names that values of a buffer are looked up among.
type nameFilter struct {
	name mpm.Name
	ok   bool
}

// nameOf returns the name that every match of the list on a name's buffer
// equals, or ends with; false when nothing says so. Of several contents that do
// the longest counts.
func (c *compiler) nameOf(l *list) (f nameFilter) {
	size, is := nameBuffers[l.name] // of the buffer, where it is known
	if c.b.opt.plainNames || !is || c.out.flags&traced != 0 {
		return f
	}
	dotted := len(l.chain.steps) == 1 && l.chain.keys[0] == "dotprefix"
	if !dotted && !l.chain.empty() {
		return f
	}
	if dotted && size > 0 {
		size++
	}
	for i := range l.steps {
		if s := &l.steps[i]; s.Kind == inspect.Size && !s.Negated && s.Min == s.Max {
			size = int(min(s.Min, inspect.MaxPattern+1))
		}
	}
	for _, k := range c.contents {
		if k.l != l || k.sub || k.step().Negated || len(k.step().Pattern) <= len(f.name.Bytes) {
			continue
		}
		if m, ok := nameMode(l.steps, k.i, size); ok {
			s := k.step()
			f = nameFilter{mpm.Name{Bytes: s.Pattern, NoCase: s.NoCase, Mode: m}, true}
		}
	}
	if f.ok && dotted {
		f.ok = undot(&f.name)
	}
	return f
}

// undot makes a name of values behind a dot one of the values themselves; false
// when no value is such.
func undot(n *mpm.Name) bool {
	dot := n.Bytes[0] == '.'
	switch {
	case n.Mode == mpm.Exact && !dot:
		return false
	case n.Mode == mpm.Suffix && dot:
		n.Mode = mpm.Domain
	}
	if dot {
		n.Bytes = n.Bytes[1:]
	}
	return true
}

// better reports that a name tells as much as the pattern that would be chosen
// without names.
func (f *nameFilter) better(p *mpm.Pattern) bool {
	return f.ok && (f.name.Mode == mpm.Exact || len(f.name.Bytes)+1 >= len(p.Bytes))
}

// nameMode says how the content steps[i] binds the value: as a whole, or as its
// end. size is that of the value, or negative.
func nameMode(steps []inspect.Step, i, size int) (mpm.Mode, bool) {
	s := &steps[i]
	if size == len(s.Pattern) {
		return mpm.Exact, true // there is no other place for it
	}
	ends := s.EndsWith
	if i+1 < len(steps) {
		// isdataat:!1,relative: nothing follows.
		n := &steps[i+1]
		ends = ends || n.Kind == inspect.IsDataAt && n.Relative && n.Negated && n.Bytes.Var == "" && n.Bytes.Value == 1
	}
	if !ends {
		return 0, false
	}
	if offset, depth := bounds(s); !s.Distance.Set && !s.Within.Set && offset == 0 && depth == len(s.Pattern) {
		return mpm.Exact, true
	}
	return mpm.Suffix, true
}
