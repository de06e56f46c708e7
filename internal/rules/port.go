package rules

import (
	"strconv"
	"strings"
)

// Ports is a list of ports as a rule writes it. The zero value is any. Values
// with equal text from one load are ==.
type Ports struct{ n *portNode }

type portNode struct {
	text string
	set  *PortSet
}

// PortSet is an immutable set of ports. Lists of one load with equal content
// have the same PortSet, however they are written; nil is everything.
type PortSet struct{ ranges []PortRange }

// PortRange is a range of ports, both ends included.
type PortRange struct{ Lo, Hi uint16 }

// Any reports whether the list holds every port.
func (p Ports) Any() bool { return p.n == nil || p.n.set == nil }

// Set is the content of the list; nil is everything.
func (p Ports) Set() *PortSet {
	if p.n == nil {
		return nil
	}
	return p.n.set
}

// Contains reports whether the list holds the port.
func (p Ports) Contains(port uint16) bool { return p.n == nil || p.n.set.Contains(port) }

// String is the list as written.
func (p Ports) String() string {
	if p.n == nil {
		return "any"
	}
	return p.n.text
}

// Contains reports whether s holds the port. A nil set holds all.
func (s *PortSet) Contains(port uint16) bool {
	if s == nil {
		return true
	}
	lo, hi := 0, len(s.ranges)
	for lo < hi {
		m := int(uint(lo+hi) >> 1)
		switch r := s.ranges[m]; {
		case port < r.Lo:
			hi = m
		case port > r.Hi:
			lo = m + 1
		default:
			return true
		}
	}
	return false
}

// Ranges returns the ranges, sorted and apart; they must not be changed.
func (s *PortSet) Ranges() []PortRange {
	if s == nil {
		return []PortRange{{0, 1<<16 - 1}}
	}
	return s.ranges
}

var portFull = []span{{hi: wide{lo: 1<<16 - 1}}}

func newPortSet(s sets) *PortSet {
	set := &PortSet{make([]PortRange, len(s[0]))}
	for i, x := range s[0] {
		set.ranges[i] = PortRange{uint16(x.lo.lo), uint16(x.hi.lo)}
	}
	return set
}

// port reads one entry: a port or a range, open at either side.
func port(text string) (element, *ValueError) {
	if strings.EqualFold(text, "any") {
		return element{any: true}, nil
	}
	from, to, ranged := strings.Cut(text, ":")
	if !ranged {
		n, ok := portNumber(text)
		if !ok {
			return element{}, badPort(text)
		}
		return element{span: span{n, n}}, nil
	}
	if strings.Contains(text, "!") {
		return element{}, badValue("write the negation before the range", "%q negates within a range", clip(text))
	}
	s := portFull[0]
	ok := true
	if from != "" {
		s.lo, ok = portNumber(from)
	}
	if to != "" && ok {
		s.hi, ok = portNumber(to)
	}
	switch {
	case !ok:
		return element{}, badPort(text)
	case s.lo.lo > s.hi.lo:
		return element{}, badValue("write the lower port first", "the range %s runs backwards", clip(text))
	}
	return element{span: s}, nil
}

func badPort(text string) *ValueError {
	if a, b, ok := strings.Cut(text, "-"); ok {
		if _, ok := portNumber(a); ok {
			return badValue("write "+a+":"+clip(b), "%q is no port", clip(text))
		}
	}
	if isName(text) && strings.ToUpper(text) == text {
		return badValue("write $"+clip(text)+" for a variable", "%q is no port", clip(text))
	}
	return badValue("write a port (0 to 65535), a range (1024:2048, 1024:, :1023), a $VARIABLE or any", "%q is no port", clip(text))
}

func portNumber(text string) (wide, bool) {
	if text == "" || text[0] < '0' || text[0] > '9' {
		return wide{}, false
	}
	n, err := strconv.ParseUint(text, 10, 16)
	return wide{lo: n}, err == nil
}
