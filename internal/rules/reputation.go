package rules

import (
	"bufio"
	"fmt"
	"io"
	"math/bits"
	"net/netip"
	"strings"
)

// Limits of reputation lists. Categories and scores are Suricata's.
const (
	MaxReputation = 1 << 20 // entries of all lists together, about 60 bytes each
	MaxCategory   = 60      // categories are numbered from 1 to 59
	MaxScore      = 127
	maxRepLine    = 4096 // bytes of a line
	maxRepFaults  = 50   // bad lines that are named, of one file
)

// Reputation is what lists say of addresses: a score from 0 to 127 in each of
// up to 59 categories. It is read once and safe for any number of readers
// after that.
type Reputation struct {
	categories map[string]uint8
	nets       [MaxCategory]map[repNet]uint8
	lengths    [MaxCategory][3]uint64 // of the prefixes there are, by bit
	n          int
}

// repNet is a network: an IPv6 address, or an IPv4 one in its mapped form, and
// the length of the prefix among 128 bits.
type repNet struct {
	addr [16]byte
	bits uint8
}

// NewReputation returns one without categories and entries.
func NewReputation() *Reputation { return &Reputation{categories: map[string]uint8{}} }

// Len returns the number of entries.
func (r *Reputation) Len() int {
	if r == nil {
		return 0
	}
	return r.n
}

// Category returns the number of a category, 0 for one that does not exist.
func (r *Reputation) Category(name string) uint8 {
	if r == nil {
		return 0
	}
	return r.categories[strings.ToLower(name)]
}

// ReadCategories reads lines "number,name,description". The problems are
// warnings: other lines count.
func (r *Reputation) ReadCategories(file string, in io.Reader) []*Problem {
	return repLines(file, in, func(f []string) (int, string) {
		if len(f) < 2 {
			return 0, "write number,name,description"
		}
		n, err := ParseUint(f[0], MaxCategory-1)
		if err != nil || n == 0 {
			return 0, fmt.Sprintf("a category has a number from 1 to %d", MaxCategory-1)
		}
		name := strings.ToLower(f[1])
		if !isName(name) {
			return 1, "this is no name of a category"
		}
		r.categories[strings.Clone(name)] = uint8(n)
		return 0, ""
	})
}

// Read reads lines "address,category,score" or "network,category,score". The
// problems are warnings: other lines count.
func (r *Reputation) Read(file string, in io.Reader) []*Problem {
	return repLines(file, in, func(f []string) (int, string) {
		if len(f) != 3 {
			return 0, "write address,category,score"
		}
		p, err := netip.ParsePrefix(f[0])
		if err != nil {
			a, err := netip.ParseAddr(f[0])
			if err != nil {
				return 0, "this is neither an address nor a network"
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		cat, err := ParseUint(f[1], MaxCategory-1)
		if err != nil || cat == 0 {
			return 1, fmt.Sprintf("a category has a number from 1 to %d", MaxCategory-1)
		}
		score, err := ParseUint(f[2], MaxScore)
		if err != nil {
			return 2, fmt.Sprintf("a score is from 0 to %d", MaxScore)
		}
		if !r.add(p, uint8(cat), uint8(score)) {
			return 0, fmt.Sprintf("there are more than %d entries", MaxReputation)
		}
		return 0, ""
	})
}

func (r *Reputation) add(p netip.Prefix, cat, score uint8) bool {
	k := repNet{p.Masked().Addr().As16(), uint8(p.Bits())}
	if p.Addr().Is4() {
		k.bits += 96
	}
	if r.nets[cat] == nil {
		r.nets[cat] = map[repNet]uint8{}
	}
	if _, ok := r.nets[cat][k]; !ok {
		if r.n >= MaxReputation {
			return false
		}
		r.n++
		r.lengths[cat][k.bits/64] |= 1 << (k.bits % 64)
	}
	r.nets[cat][k] = score
	return true
}

// Score returns what the lists say of an address (IPv4 in its mapped form) in a
// category; 0 when they say nothing. The most exact entry with a score counts.
func (r *Reputation) Score(addr *[16]byte, cat uint8) uint8 {
	if r == nil || cat >= MaxCategory || r.nets[cat] == nil {
		return 0
	}
	k := repNet{addr: *addr}
	from := 128
	for w := 2; w >= 0; w-- {
		for left := r.lengths[cat][w]; left != 0; {
			b := bits.Len64(left) - 1
			left &^= 1 << b
			n := w*64 + b
			// Longest first, so that each mask takes away more.
			for ; from > n; from-- {
				k.addr[(from-1)/8] &^= 1 << (7 - (from-1)%8)
			}
			k.bits = uint8(n)
			if s := r.nets[cat][k]; s > 0 {
				return s
			}
		}
	}
	return 0
}

// repLines hands the fields of each line to line, which says what is wrong with
// which of them.
func repLines(file string, in io.Reader, line func([]string) (int, string)) (out []*Problem) {
	sc := bufio.NewScanner(in)
	sc.Buffer(make([]byte, 0, maxRepLine), maxRepLine)
	n, faults := 0, 0
	fields := make([]string, 0, 4)
	for sc.Scan() {
		n++
		text := sc.Text()
		if t := trim(text); t == "" || t[0] == '#' {
			continue
		}
		fields = fields[:0]
		for f := range strings.SplitSeq(text, ",") {
			if len(fields) < cap(fields) {
				fields = append(fields, trim(f))
			}
		}
		at, fault := line(fields)
		if fault == "" {
			continue
		}
		if faults++; faults > maxRepFaults {
			continue
		}
		col := 1
		for range at {
			col += strings.IndexByte(text[col-1:], ',') + 1
		}
		out = append(out, &Problem{File: file, Line: n, Col: col, Reason: fault, Warning: true})
	}
	if faults > maxRepFaults {
		out = append(out, &Problem{File: file, Line: n, Reason: fmt.Sprintf("%d more lines are not understood", faults-maxRepFaults), Warning: true})
	}
	if err := sc.Err(); err != nil {
		out = append(out, &Problem{File: file, Line: n + 1, Reason: fileReason(err), Warning: true})
	}
	return out
}
