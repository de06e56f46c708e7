package match

import (
	"slices"
	"strings"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/rules"
)

var reputationKeywords = []Keyword{
	{Name: "iprep", Family: "data", Doc: "score of an address (any, src, dst or both) in a category of the reputation lists: an operator and a number, isset or isnotset",
		Example: `iprep:any,Bad,>,10;`, Setup: setupIPRep},
	{Name: "geoip", Family: "ip", Doc: "country of an address (any, src, dst or both): codes of ISO 3166, all of them with ! or none; needs a database of countries",
		Example: `geoip:src,JP,KR;`, Setup: setupGeoIP},
}

// ends says which addresses of a packet are asked.
type ends uint8

const (
	endAny ends = iota
	endSrc
	endDst
	endBoth
)

var endNames = map[string]ends{"any": endAny, "src": endSrc, "dst": endDst, "both": endBoth}

// ask asks f of the addresses.
func (e ends) ask(c *ctx, f func(*packet.Addr) bool) bool {
	switch e {
	case endSrc:
		return f(&c.src)
	case endDst:
		return f(&c.dst)
	case endBoth:
		return f(&c.src) && f(&c.dst)
	}
	return f(&c.src) || f(&c.dst)
}

// setupIPRep reads "any,category,operator,score", and "any,category,isset". A
// rule that asks for addresses alone stays one: it is tried once a flow.
func setupIPRep(c *compiler, o rules.Option) error {
	p := split(unquote(o.Value))
	if len(p) < 3 {
		return fail("iprep needs any, src, dst or both, a category, an operator and a score")
	}
	e, ok := endNames[strings.ToLower(p[0])]
	if !ok {
		return fail("iprep knows any, src, dst and both, not %q", p[0])
	}
	var fits func(score uint8) bool
	switch op := strings.ToLower(p[2]); {
	case op == "isset" && len(p) == 3:
		fits = func(s uint8) bool { return s > 0 }
	case op == "isnotset" && len(p) == 3:
		fits = func(s uint8) bool { return s == 0 }
	case len(p) != 4:
		return fail("iprep needs any, src, dst or both, a category, an operator and a score")
	default:
		u, err := rules.ParseUintRange(op+p[3], rules.MaxScore)
		if err != nil {
			return err
		}
		// An address that the lists do not know compares with nothing.
		fits = func(s uint8) bool { return s > 0 && u.Match(uint64(s)) }
	}
	rep := c.b.opt.Reputation
	if rep == nil {
		c.neverAs = "no reputation of addresses is loaded"
		c.b.lacks(c.r, lackReputation)
		return nil
	}
	cat := rep.Category(p[1])
	if cat == 0 {
		return fail("the reputation lists have no category %q", p[1])
	}
	c.cond(func(c *ctx) bool {
		return e.ask(c, func(a *packet.Addr) bool { return fits(rep.Score((*[16]byte)(a), cat)) })
	})
	return nil
}

// maxCountries bounds the countries of one rule, as Suricata does.
const maxCountries = 64

// setupGeoIP reads "src,JP,KR", "!JP" and the like. An address whose country
// is not known fits nothing, not even a negation.
func setupGeoIP(c *compiler, o rules.Option) error {
	p := split(unquote(o.Value))
	e := endAny
	if len(p) > 0 {
		if x, ok := endNames[strings.ToLower(p[0])]; ok {
			e, p = x, p[1:]
		}
	}
	if len(p) == 0 || len(p) > maxCountries {
		return fail("geoip needs 1 to %d countries", maxCountries)
	}
	neg := strings.HasPrefix(p[0], "!")
	var want []string
	for _, cc := range p {
		n := strings.HasPrefix(cc, "!")
		if n {
			cc = cc[1:]
		}
		if n != neg && n {
			return fail("geoip takes countries that are all negated, or none")
		}
		if len(cc) != 2 || !isLetter(cc[0]) || !isLetter(cc[1]) {
			return fail("%q is no code of a country", cc)
		}
		want = append(want, strings.ToUpper(cc))
	}
	c.notPlain()
	country := c.b.opt.Country
	if country == nil {
		c.neverAs = "no database of countries is loaded"
		c.b.lacks(c.r, lackCountries)
		return nil
	}
	c.cond(func(c *ctx) bool {
		return e.ask(c, func(a *packet.Addr) bool {
			cc := country(*a)
			return cc != "" && slices.Contains(want, cc) != neg
		})
	})
	return nil
}

func isLetter(b byte) bool { return 'a' <= b|0x20 && b|0x20 <= 'z' }

// What rules may ask for that nobody gave.
const (
	lackReputation = iota
	lackCountries
	nLacks
)

// lack counts the rules that ask for one such thing.
type lack struct {
	n     int
	first *rules.Rule
}

func (b *builder) lacks(r *rules.Rule, what int) {
	if b.lack[what].n++; b.lack[what].n == 1 {
		b.lack[what].first = r
	}
}

// lackProblems says in one line each what rules ask for in vain.
func (b *builder) lackProblems() (out []*rules.Problem) {
	words := [nLacks][2]string{
		lackReputation: {"iprep: no reputation of addresses is loaded", "name the lists under rules.reputation"},
		lackCountries:  {"geoip: no database of countries is loaded", "name one as geo.country"},
	}
	for what, l := range b.lack {
		if l.n == 0 {
			continue
		}
		p := l.first.Problem(rules.Option{}, fail("%s, so %d rules never match", words[what][0], l.n))
		p.Cure, p.Warning = words[what][1], true
		out = append(out, p)
	}
	return out
}
