package fingerprint

import (
	"slices"

	"github.com/yamori-net/yamori/internal/device"
)

// Computers, telephones and tablets run the programs of their owners, which
// ask for the clouds of everything that a home can hold, and they are named
// after anything.
const (
	// general and perhaps are how strongly a system for people has to show
	// itself to be certain, and to be reckoned with.
	general = 2.4
	perhaps = 2.2
	// Then apps is what names asked for count for other kinds, aliens what they
	// and, where the system is certain, all else (its name, printers that it
	// shares) count for kinds on which it does not run.
	apps   = 0.6
	aliens = 0.35
	// manyMakers are more than one product's cloud has.
	manyMakers = 4
)

// people says how far people use a device for this and that.
type people struct {
	any     bool
	certain bool // by its DHCP client
	// runs says on which kinds its DHCP client, its browser and what its system
	// asks for run; dhcp, the client alone.
	runs, dhcp []bool
}

// people finds out: the DHCP client, the browser, the name or what the system
// asks for is that of a computer, telephone or tablet, or it asks for what no
// one product does.
func (k *knowledge) people(all []said, best []float64) people {
	n := len(k.kinds)
	p := people{runs: make([]bool, n), dhcp: make([]bool, n)}
	for i := range n {
		p.dhcp[i] = best[int(byDHCP)*n+i] > 0
		p.runs[i] = p.dhcp[i] || best[int(byAgent)*n+i] > 0
		if !k.forPeople(i) {
			continue
		}
		p.certain = p.certain || best[int(byDHCP)*n+i] >= general
		for _, g := range [...]group{byDHCP, byAgent, byName, byModel} {
			p.any = p.any || best[int(g)*n+i] >= perhaps
		}
	}
	var makers []string
	for i := range all {
		s := &all[i]
		switch {
		case s.group != byDomain:
		case k.ofSystem(s.row):
			p.any = true
			for _, v := range s.votes {
				p.runs[v.kind] = true
			}
		case s.row.maker != "" && !slices.Contains(makers, s.row.maker):
			makers = append(makers, s.row.maker)
		}
	}
	p.any = p.any || len(makers) >= manyMakers
	return p
}

// heard says how much of what a group says for another kind counts.
func (p *people) heard(g group, kind int) float64 {
	switch {
	case g == byMaker, g == byLook:
		return 1
	case p.certain && !p.dhcp[kind], g == byDomain && !p.runs[kind]:
		return aliens
	case g == byDomain:
		return apps
	}
	return 1
}

func (k *knowledge) forPeople(kind int) bool {
	switch k.kinds[kind] {
	case device.Computer, device.Phone, device.Tablet:
		return true
	}
	return false
}

// ofSystem reports whether a row of the table of domains is about a system for
// people rather than about a product: it says which, and means a computer,
// telephone or tablet before a server.
func (k *knowledge) ofSystem(r *row) bool {
	top, server := 0.0, 0.0
	for _, v := range r.votes {
		if k.forPeople(v.kind) {
			top = max(top, v.weight)
		}
		if k.kinds[v.kind] == device.Server {
			server = v.weight
		}
	}
	return top >= 0.5 && server < top/2 && (r.os != "" || r.maker == "Apple")
}
