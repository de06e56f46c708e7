package rules

import (
	"encoding/binary"
	"slices"
)

func (p *parser) keepOptions(o []Option) []Option {
	const block = 4096
	if len(p.optionBlock)+len(o) > cap(p.optionBlock) {
		p.optionBlock = make([]Option, 0, block)
	}
	p.options += len(o)
	n := len(p.optionBlock)
	p.optionBlock = append(p.optionBlock, o...)
	return p.optionBlock[n:len(p.optionBlock):len(p.optionBlock)]
}

func (p *parser) keep(r Rule) {
	const block = 256
	if len(p.ruleBlock) == cap(p.ruleBlock) {
		p.ruleBlock = make([]Rule, 0, block)
	}
	p.ruleBlock = append(p.ruleBlock, r)
	p.rules = append(p.rules, &p.ruleBlock[len(p.ruleBlock)-1])
}

// addresses reads a list, or finds it read before.
func (p *parser) addresses(text string) (Addrs, int, *ValueError) {
	if a, ok := p.addrs[text]; ok {
		return a, 0, nil
	}
	s, off, err := p.al.parse(text)
	if err != nil {
		return Addrs{}, off, err
	}
	a := Addrs{&addrNode{text: text}}
	if !p.al.whole(s) {
		set, key := newAddrSet(s), p.contentKey(s)
		if old := p.addrSets[key]; old == nil {
			p.addrSets[key] = set
		} else if slices.Equal(old.v4, set.v4) && slices.Equal(old.v6, set.v6) {
			set = old
		}
		a.n.set = set
	}
	p.addrs[text] = a
	return a, 0, nil
}

func (p *parser) portList(text string) (Ports, int, *ValueError) {
	if a, ok := p.ports[text]; ok {
		return a, 0, nil
	}
	s, off, err := p.pl.parse(text)
	if err != nil {
		return Ports{}, off, err
	}
	a := Ports{&portNode{text: text}}
	if !p.pl.whole(s) {
		set, key := newPortSet(s), p.contentKey(s)
		if old := p.portSets[key]; old == nil {
			p.portSets[key] = set
		} else if slices.Equal(old.ranges, set.ranges) {
			set = old
		}
		a.n.set = set
	}
	p.ports[text] = a
	return a, 0, nil
}

func (p *parser) contentKey(s sets) uint64 {
	p.hash.Reset()
	var b [32]byte
	for f, ranges := range s {
		p.hash.WriteByte(byte(f))
		for _, x := range ranges {
			for i, n := range [4]uint64{x.lo.hi, x.lo.lo, x.hi.hi, x.hi.lo} {
				binary.BigEndian.PutUint64(b[8*i:], n)
			}
			p.hash.Write(b[:])
		}
	}
	return p.hash.Sum64()
}
