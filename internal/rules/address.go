package rules

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"net/netip"
	"strconv"
	"strings"
)

// Addrs is a list of addresses as a rule writes it. The zero value is any.
// Values with equal text from one load are ==.
type Addrs struct{ n *addrNode }

type addrNode struct {
	text string
	set  *AddrSet
}

// AddrSet is an immutable set of addresses. Lists of one load with equal
// content have the same AddrSet, however they are written; nil is everything.
type AddrSet struct {
	v4 []Range4
	v6 []Range6
}

// Range4 is a range of IPv4 addresses, both ends included, in host order.
type Range4 struct{ Lo, Hi uint32 }

// Range6 is a range of IPv6 addresses, both ends included.
type Range6 struct{ Lo, Hi [16]byte }

// Any reports whether the list holds every address.
func (a Addrs) Any() bool { return a.n == nil || a.n.set == nil }

// Set is the content of the list; nil is everything.
func (a Addrs) Set() *AddrSet {
	if a.n == nil {
		return nil
	}
	return a.n.set
}

// Contains reports whether the list holds the address, an IPv4 address in its
// mapped form (::ffff:a.b.c.d).
func (a Addrs) Contains(ip *[16]byte) bool { return a.n == nil || a.n.set.Contains(ip) }

// String is the list as written.
func (a Addrs) String() string {
	if a.n == nil {
		return "any"
	}
	return a.n.text
}

var mappedPrefix = [12]byte{10: 0xff, 11: 0xff}

// Contains reports whether s holds the address, an IPv4 address in its mapped
// form. A nil set holds all.
func (s *AddrSet) Contains(ip *[16]byte) bool {
	if s == nil {
		return true
	}
	if [12]byte(ip[:12]) == mappedPrefix {
		return s.Contains4(binary.BigEndian.Uint32(ip[12:]))
	}
	lo, hi := 0, len(s.v6)
	for lo < hi {
		m := int(uint(lo+hi) >> 1)
		switch r := &s.v6[m]; {
		case bytes.Compare(ip[:], r.Lo[:]) < 0:
			hi = m
		case bytes.Compare(ip[:], r.Hi[:]) > 0:
			lo = m + 1
		default:
			return true
		}
	}
	return false
}

// Contains4 reports whether s holds an IPv4 address in host order.
func (s *AddrSet) Contains4(ip uint32) bool {
	if s == nil {
		return true
	}
	lo, hi := 0, len(s.v4)
	for lo < hi {
		m := int(uint(lo+hi) >> 1)
		switch r := s.v4[m]; {
		case ip < r.Lo:
			hi = m
		case ip > r.Hi:
			lo = m + 1
		default:
			return true
		}
	}
	return false
}

// V4 returns the IPv4 ranges, sorted and apart; they must not be changed.
func (s *AddrSet) V4() []Range4 {
	if s == nil {
		return []Range4{{0, 1<<32 - 1}}
	}
	return s.v4
}

// V6 returns the IPv6 ranges, sorted and apart; they must not be changed.
func (s *AddrSet) V6() []Range6 {
	if s == nil {
		return []Range6{{Hi: wide{1<<64 - 1, 1<<64 - 1}.bytes()}}
	}
	return s.v6
}

func (a wide) bytes() (b [16]byte) {
	binary.BigEndian.PutUint64(b[:], a.hi)
	binary.BigEndian.PutUint64(b[8:], a.lo)
	return b
}

var addrFull = []span{{hi: wide{lo: 1<<32 - 1}}, {hi: wide{1<<64 - 1, 1<<64 - 1}}}

func newAddrSet(s sets) *AddrSet {
	set := &AddrSet{}
	if len(s[0]) > 0 {
		set.v4 = make([]Range4, len(s[0]))
		for i, x := range s[0] {
			set.v4[i] = Range4{uint32(x.lo.lo), uint32(x.hi.lo)}
		}
	}
	if len(s[1]) > 0 {
		set.v6 = make([]Range6, len(s[1]))
		for i, x := range s[1] {
			set.v6[i] = Range6{x.lo.bytes(), x.hi.bytes()}
		}
	}
	return set
}

// address reads one entry: an address, a network or a range.
func address(text string) (element, *ValueError) {
	if strings.EqualFold(text, "any") {
		return element{any: true}, nil
	}
	if base, mask, ok := strings.Cut(text, "/"); ok {
		return network(text, base, mask)
	}
	if from, to, ok := strings.Cut(text, "-"); ok {
		a, f1, ok1 := ip(from)
		b, f2, ok2 := ip(to)
		switch {
		case !ok1 || !ok2 || f1 != f2:
			return element{}, badValue("write first-last", "%q is no range of addresses", clip(text))
		case a.compare(b) > 0:
			return element{}, badValue("write the lower address first", "the range %s runs backwards", clip(text))
		}
		return element{family: f1, span: span{a, b}}, nil
	}
	a, f, ok := ip(text)
	if !ok {
		return element{}, badAddress(text)
	}
	return element{family: f, span: span{a, a}}, nil
}

func badAddress(text string) *ValueError {
	switch {
	case isName(text) && strings.ToUpper(text) == text:
		return badValue("write $"+clip(text)+" for a variable", "%q is no address", clip(text))
	case strings.HasPrefix(text, `"`):
		return badValue("remove the quotes", "%q is no address", clip(text))
	}
	return badValue("write an IP address, a network (10.0.0.0/8), a range (first-last), a $VARIABLE or any", "%q is no address", clip(text))
}

func network(text, base, mask string) (element, *ValueError) {
	a, f, ok := ip(base)
	if !ok {
		return element{}, badAddress(text)
	}
	width := 32
	if f == 1 {
		width = 128
	}
	var ones int
	if strings.Contains(mask, ".") && f == 0 {
		m, mf, ok := ip(mask)
		inv := ^uint32(m.lo)
		if !ok || mf != 0 || inv&(inv+1) != 0 {
			return element{}, badValue("write the length of the prefix: address/24", "%q is no usable netmask", clip(mask))
		}
		ones = 32 - bits.Len32(inv)
	} else {
		n, err := strconv.ParseUint(mask, 10, 8)
		if err != nil || int(n) > width {
			return element{}, badValue("write a network as 10.0.0.0/8 or 2001:db8::/32", "%q is no length of a prefix, 0 to %d", clip(mask), width)
		}
		ones = int(n)
	}
	host := hostMask(width - ones)
	return element{family: f, span: span{
		wide{a.hi &^ host.hi, a.lo &^ host.lo},
		wide{a.hi | host.hi, a.lo | host.lo},
	}}, nil
}

// hostMask has the lowest n bits set.
func hostMask(n int) wide {
	if n >= 64 {
		return wide{1<<(n-64) - 1, 1<<64 - 1} // a shift by 64 gives 0, so n = 128 is right
	}
	return wide{0, 1<<n - 1}
}

// ip reads an address; family 0 is IPv4. A mapped address written with colons
// is IPv6, as in Suricata.
func ip(text string) (a wide, family int, ok bool) {
	if text == "" || len(text) > 45 { // netip's errors copy their input
		return a, 0, false
	}
	ip, err := netip.ParseAddr(text)
	if err != nil || ip.Zone() != "" {
		return a, 0, false
	}
	if ip.Is4() {
		b := ip.As4()
		return wide{lo: uint64(binary.BigEndian.Uint32(b[:]))}, 0, true
	}
	b := ip.As16()
	return wide{binary.BigEndian.Uint64(b[:]), binary.BigEndian.Uint64(b[8:])}, 1, true
}
