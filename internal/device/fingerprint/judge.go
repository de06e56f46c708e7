package fingerprint

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/yamori-net/yamori/internal/device"
	"github.com/yamori-net/yamori/internal/device/oui"
	"github.com/yamori-net/yamori/internal/event"
)

// Numbers of the decision.
const (
	// Threshold is the probability from which on a kind is stated: a wrong one
	// costs more than none.
	Threshold = 0.75
	// prior is the log odds of each kind against "cannot tell" without any
	// clue: one clue has to be telling, or several have to agree.
	prior = -2.5
	// further is what each further clue of one group counts besides the
	// strongest: they come from the same maker's hand.
	further = 0.25
	// most bounds what one group can say.
	most = 7.0
	// maxEvidence bounds the evidence shown.
	maxEvidence = 12
)

// groups are sorts of clues that depend on each other.
type group uint8

const (
	byName    group = iota // what the device calls itself
	byModel                // model designations
	byService              // services offered
	byDHCP                 // the client program
	byDomain               // names asked for
	byAgent                // user agents
	byPort                 // ports and first bytes
	byRole                 // what it does for others
	byLook                 // what it looks for
	byMaker                // who made it
	numGroups
)

// reading says which table reads a clue, and as what.
func reading(c *device.Clue) (table string, value string, g group) {
	v := c.Value
	switch c.Source {
	case device.DHCP:
		switch c.Key {
		case "hostname", "fqdn":
			return "names", v, byName
		case "vendor_class", "user_class":
			return "vendorclass", v, byDHCP
		case "params":
			return "params", v, byDHCP
		}
	case device.DHCPv6:
		switch c.Key {
		case "fqdn":
			return "names", v, byName
		case "vendor_class":
			return "vendorclass", v, byDHCP
		}
	case device.MDNS:
		switch c.Key {
		case "host", "instance", "name":
			return "names", v, byName
		case "model":
			return "models", v, byModel
		case "service":
			return "services", v, byService
		case "category":
			return "hap", v, byService
		case "look":
			return "looks", v, byLook
		case "maker":
			return "makers", v, byMaker
		}
	case device.SSDP:
		switch c.Key {
		case "uuid":
			return "ids", v, byModel
		case "type":
			return "upnp", v, byService
		case "look":
			return "looks", v, byLook
		case "server", "user_agent":
			return "agents", v, byAgent
		case "location":
			return "hints", v, byService
		case "name":
			return "names", v, byName
		}
	case device.UPnP:
		switch c.Key {
		case "udn":
			return "ids", v, byModel
		case "type":
			return "upnp", v, byService
		case "name":
			return "names", v, byName
		case "model":
			return "models", v, byModel
		case "maker":
			return "makers", v, byMaker
		}
	case device.WSD:
		switch c.Key {
		case "types", "scopes":
			return "wsd", v, byService
		case "name":
			return "names", v, byName
		case "model":
			return "models", v, byModel
		}
	case device.NetBIOS, device.LLMNR:
		switch c.Key {
		case "name":
			return "names", v, byName
		case "look":
			return "looks", v, byLook
		}
	case device.HTTP:
		if c.Key == "path" {
			return "paths", v, byModel
		}
		return "agents", v, byAgent
	case device.DNS:
		return "domains", v, byDomain
	case device.TLS:
		switch c.Key {
		case "maker":
			return "makers", v, byMaker
		case "subject":
			return "names", v, byModel
		case "ja4":
			return "prints", v, byAgent
		}
	case device.TFTP:
		return "", v, byPort
	case device.Port:
		return "ports", c.Key + ":" + v, byPort
	case device.LAN:
		return "ports", "say:" + v, byPort
	case device.NDP:
		if c.Key == "role" {
			return "ports", "role:" + v, byRole
		}
	}
	return "", "", 0
}

// said is a vote with what it came from.
type said struct {
	code, value string
	votes       []vote
	group       group
	row         *row
	text        string // part of the value that the pattern describes
}

// Judge says what a device is.
func Judge(f device.Facts) device.Profile {
	k := tables()
	var all []said
	for i := range f.Clues {
		c := &f.Clues[i]
		code := c.Source.String() + "." + c.Key
		for _, name := range alsoNames(c) {
			n := len(all)
			all = k.look(all, name.table, name.value, code, name.group)
			for i := n; i < len(all); i++ {
				all[i].value = c.Value
			}
		}
		if s, ok := stack(c); ok {
			all = append(all, s)
		}
	}
	all = k.makers(all, &f)
	p, people := k.fuse(all)
	k.describe(&p, &f, all, people)
	return p
}

type lookup struct {
	table, value string
	group        group
}

// alsoNames lists the tables that read a clue: model designations stand in the
// table of names as well, and the other way round.
func alsoNames(c *device.Clue) []lookup {
	table, value, g := reading(c)
	if table == "" {
		return nil
	}
	out := []lookup{{table, value, g}}
	switch {
	case table == "models":
		out = append(out, lookup{"names", value, byModel})
	case c.Source == device.WSD && c.Key == "scopes", c.Source == device.SSDP && c.Key == "server":
		out = append(out, lookup{"names", value, byModel})
	case c.Source == device.UPnP && c.Key == "name", c.Source == device.SSDP && c.Key == "name":
		out = append(out, lookup{"models", value, byModel})
	}
	return out
}

// look adds what a table says about a value: the rows that fit, of those about
// the same part of it the one with the longest pattern, which knows best. A
// name may hold two things, "coffee room iPad", and both are heard.
func (k *knowledge) look(all []said, name, value, code string, g group) []said {
	t := k.byName[name]
	low := strings.ToLower(value)
	if i, ok := t.exact[low]; ok {
		return append(all, t.rows[i].said(value, low, 0, len(low), code, g))
	}
	var hits []hit
	for i := range t.rows {
		p := &t.rows[i].pattern
		if p.literal() {
			continue
		}
		if a, b, ok := p.match(low); ok {
			hits = append(hits, hit{&t.rows[i], a, b})
		}
	}
	slices.SortStableFunc(hits, func(a, b hit) int { return cmp.Compare(len(b.row.pattern.text), len(a.row.pattern.text)) })
	for i, h := range hits {
		if !slices.ContainsFunc(hits[:i], func(x hit) bool { return x.from < h.to && h.from < x.to }) {
			all = append(all, h.row.said(value, low, h.from, h.to, code, g))
		}
	}
	return all
}

// hit is a row that fits a part of a value.
type hit struct {
	row      *row
	from, to int
}

func (r *row) said(value, low string, from, to int, code string, g group) said {
	text := value
	if len(low) == len(value) { // lower case of some letters is longer
		for r.pattern.words && to < len(value) && modelByte(value[to]) {
			to++
		}
		text = value[from:to]
	}
	return said{code: code, value: value, votes: r.votes, group: g, row: r, text: text}
}

func modelByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '+'
}

// makers adds the maker of the network card. An address that was made up has
// none, unless the interface identifier of an IPv6 address gives the real one
// away.
func (k *knowledge) makers(all []said, f *device.Facts) []said {
	for _, m := range f.MACs {
		if n := oui.Maker(m); n != "" {
			all = k.maker(all, n, "mac.maker")
		}
	}
	for i := range f.Clues {
		if c := &f.Clues[i]; c.Source == device.NDP && c.Key == "eui64" {
			all = k.maker(all, c.Value, "ndp.eui64")
		}
	}
	return all
}

func (k *knowledge) maker(all []said, name, code string) []said {
	n := len(all)
	if all = k.look(all, "makers", name, code, byMaker); len(all) == n {
		all = append(all, said{code: code, value: name, group: byMaker, row: &row{maker: name}})
	}
	return all
}

// fuse adds the votes up: within a group the strongest counts, and a quarter
// of the rest; groups add. The probabilities are those of the kinds against
// each other and against "cannot tell". It reports whether people use the
// device for this and that.
func (k *knowledge) fuse(all []said) (p device.Profile, usedByPeople bool) {
	n := len(k.kinds)
	best := make([]float64, n*int(numGroups))
	sum := make([]float64, n*int(numGroups))
	for i := range all {
		for _, v := range all[i].votes {
			at := int(all[i].group)*n + v.kind
			best[at] = max(best[at], v.weight)
			sum[at] += v.weight
		}
	}
	score := make([]float64, n)
	beyond := make([]float64, n) // without the maker
	people := k.people(all, best)
	for i := range best {
		w := min(most, best[i]+further*(sum[i]-best[i]))
		if people.any && !k.forPeople(i%n) {
			w *= people.heard(group(i/n), i%n)
		}
		score[i%n] += w
		if group(i/n) != byMaker && group(i/n) != byLook {
			beyond[i%n] += w
		}
	}
	total, top := 1.0, -1 // "cannot tell" has the log odds 0
	for i, s := range score {
		total += math.Exp(s + prior)
		if s > 0 && (top < 0 || s > score[top]) {
			top = i
		}
	}
	p.Kind.Value = device.Unknown
	if top < 0 {
		return p, people.any
	}
	p.Best = k.kinds[top]
	p.Kind.Confidence = min(0.99, math.Exp(score[top]+prior)/total)
	if p.Kind.Confidence >= Threshold && beyond[top] > 0 {
		p.Kind.Value = p.Best
	}
	p.Evidence = evidence(all, top)
	return p, people.any
}

// evidence lists what spoke for kind, the strongest first.
func evidence(all []said, kind int) []event.Evidence {
	var out []event.Evidence
	for i := range all {
		for _, v := range all[i].votes {
			if v.kind == kind {
				out = append(out, event.Evidence{Code: all[i].code, Value: all[i].value, Weight: v.weight})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b event.Evidence) int {
		return cmp.Or(cmp.Compare(b.Weight, a.Weight), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Value, b.Value))
	})
	out = slices.CompactFunc(out, func(a, b event.Evidence) bool { return a == b })
	return out[:min(len(out), maxEvidence)]
}
