package fingerprint

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/yamori-net/yamori/internal/device"
	"github.com/yamori-net/yamori/internal/event"
)

// describe fills in system, maker, model and name.
func (k *knowledge) describe(p *device.Profile, f *device.Facts, all []said, people bool) {
	oses, makers, models := tally{}, tally{}, tally{}
	for i := range all {
		s := &all[i]
		if s.row == nil || people && s.group == byDomain && !slices.ContainsFunc(s.votes, func(v vote) bool { return k.forPeople(v.kind) }) {
			continue // a program's maker is not the device's
		}
		w := 0.5
		for _, v := range s.votes {
			w = max(w, v.weight)
		}
		oses.add(s.row.os, s, w)
		switch s.group {
		case byMaker:
			w = max(w, 2)
		case byLook:
			w *= 0.5
		}
		makers.add(s.row.maker, s, w)
		if s.row.model == "$" {
			models.add(s.text, s, w)
		}
	}
	for i := range f.Clues {
		c := &f.Clues[i]
		if c.Key == "model" && c.Value != "" && !generic(c.Value) {
			models.add(c.Value, &said{code: c.Source.String() + ".model", value: c.Value}, 4)
		}
	}
	var e event.Evidence
	for _, t := range []struct {
		g *device.Guess
		t tally
	}{{&p.OS, oses}, {&p.Maker, makers}, {&p.Model, models}} {
		*t.g, e = t.t.best()
		if t.g.Value != "" && !slices.ContainsFunc(p.Evidence, func(x event.Evidence) bool { return x.Code == e.Code && x.Value == e.Value }) {
			p.Evidence = append(p.Evidence, e)
		}
	}
	p.Name = nameOf(f.Clues)
}

// generic are designations that stand in descriptions where a maker has not
// filled them in.
func generic(s string) bool {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "", "0", "1", "1.0", "none", "unknown", "default", "n/a", "null", "true", "false":
		return true
	}
	return false
}

// tally adds up what speaks for each value.
type tally map[string]*stand

type stand struct {
	sum  float64
	from event.Evidence // the strongest
}

func (t tally) add(value string, s *said, w float64) {
	if value == "" {
		return
	}
	x := t[value]
	if x == nil {
		x = &stand{}
		t[value] = x
	}
	x.sum += w
	if w > x.from.Weight {
		x.from = event.Evidence{Code: s.code, Value: s.value, Weight: w}
	}
}

// best returns the value with most behind it; the confidence is its part of
// all, less where little speaks at all.
func (t tally) best() (device.Guess, event.Evidence) {
	total, top := 0.0, ""
	for v, x := range t {
		total += x.sum
		if top == "" || x.sum > t[top].sum || x.sum == t[top].sum && v < top {
			top = v
		}
	}
	if top == "" {
		return device.Guess{}, event.Evidence{}
	}
	return device.Guess{Value: top, Confidence: min(0.99, t[top].sum/(total+1))}, t[top].from
}

// nameOf picks what people would call the device: what they have typed in
// stands before what a program made.
func nameOf(clues []device.Clue) device.Guess {
	best, rank := "", 0.0
	for i := range clues {
		c := &clues[i]
		r := 0.0
		switch c.Source.String() + "." + c.Key {
		case "upnp.name", "mdns.name":
			r = 0.9
		case "ssdp.name":
			r = 0.88
		case "dhcp.hostname":
			r = 0.8
		case "mdns.host":
			r = 0.75
		case "netbios.name", "dhcp.fqdn", "dhcpv6.fqdn":
			r = 0.7
		case "mdns.instance":
			r = 0.6
		case "llmnr.name":
			r = 0.5
		}
		if v := strings.TrimSpace(strings.TrimSuffix(c.Value, ".local")); v != "" && (r > rank || r == rank && cmp.Less(v, best)) {
			best, rank = v, r
		}
	}
	return device.Guess{Value: best, Confidence: rank}
}

// stack reads the marks that no table holds: the hop limit and options with
// which a system opens TCP connections (RFC 9293 section 3.7.1; RFC 7323), and
// what is fetched with TFTP.
func stack(c *device.Clue) (s said, ok bool) {
	s = said{code: c.Source.String() + "." + c.Key, value: c.Value, group: byPort, row: &row{}}
	kind := func(name string, w float64) {
		s.votes = append(s.votes, vote{slices.Index(device.Kinds(), name), w})
	}
	switch {
	case c.Source == device.TFTP && strings.HasSuffix(c.Value, ".cnf.xml"), c.Source == device.TFTP && strings.Contains(c.Value, "CTLSEP"):
		kind(device.VoIP, 5) // Cisco Unified IP Phone administration guide: SEP<mac>.cnf.xml, CTLSEP<mac>.tlv
		s.row.maker = "Cisco"
	case c.Source == device.TFTP && strings.HasSuffix(c.Value, ".cfg"):
		kind(device.VoIP, 2.5) // provisioning of telephones
	case c.Source == device.TFTP && strings.HasSuffix(c.Value, ".sh"):
		// A shell script fetched at the start: Linux boards that are updated
		// without a user interface. Cameras more than others, yet weak.
		kind(device.Camera, 2.2)
		kind(device.Router, 0.5)
		s.row.os = "Linux"
	case c.Source == device.TCP && c.Key == "syn":
		ttl, rest, _ := strings.Cut(c.Value, ":")
		window, opts, _ := strings.Cut(rest, ":")
		n, _ := strconv.Atoi(window)
		s.row = &row{}
		switch {
		case ttl == "128" && strings.HasSuffix(opts, "MNWNNS"):
			s.row.os = "Windows"
			kind(device.Computer, 1.2)
		case ttl == "64" && n == 65535 && opts == "MNWNNTSEE":
			s.row.maker = "Apple"
			kind(device.Phone, 0.5)
			kind(device.Computer, 0.5)
		case ttl == "64" && strings.HasPrefix(opts, "MST"):
			s.row.os = "Linux" // also Android
			kind(device.Phone, 0.1)
			kind(device.Computer, 0.1)
		case opts == "M" && n <= 8192:
			// A stack without any extension: a microcontroller (lwIP, Microchip).
			for _, k := range [...]string{device.Plug, device.Light, device.Appliance, device.Hub} {
				kind(k, 0.6)
			}
		default:
			return s, false
		}
	default:
		return s, false
	}
	return s, true
}

// maxName is the longest name of a host (RFC 1035 section 2.3.4).
const maxName = 255

// Domain returns the part of a name that the table of domains knows, the
// longest, without allocating: for those who make clues, so that other names
// are never kept. "#" in the table stands for a number.
func Domain(name []byte) (known string, ok bool) {
	if len(name) > maxName {
		return "", false
	}
	known, ok = domain(name)
	var b [maxName]byte
	n, numbers := 0, false
	for i, c := range name {
		if c >= '0' && c <= '9' {
			if i > 0 && name[i-1] >= '0' && name[i-1] <= '9' {
				continue
			}
			c, numbers = '#', true
		}
		b[n] = c
		n++
	}
	if numbers {
		if v, found := domain(b[:n]); found && len(v) > len(known) {
			return v, true
		}
	}
	return known, ok
}

func domain(name []byte) (known string, ok bool) {
	t := tables().byName["domains"]
	for {
		if i, ok := t.exact[string(name)]; ok {
			return t.rows[i].pattern.text, true
		}
		at := bytes.IndexByte(name, '.')
		if at < 0 {
			return "", false
		}
		name = name[at+1:]
	}
}

// maxTarget bounds how much of a request is looked at.
const maxTarget = 256

// Path returns the pattern of the table of requests that a request in clear
// fits: for those who make clues, so that others are never kept. Hosts that the
// table does not know cost one look-up.
func Path(host, target []byte) (known string, ok bool) {
	k := tables()
	if !k.hosts[string(host)] {
		return "", false
	}
	v := strings.ToLower(string(host) + string(target[:min(len(target), maxTarget)]))
	size := 0
	for i := range k.byName["paths"].rows {
		if p := &k.byName["paths"].rows[i].pattern; len(p.text) > size {
			if _, _, fits := p.match(v); fits {
				known, ok, size = p.text, true, len(p.text)
			}
		}
	}
	return known, ok
}

// Print returns the part of a JA4 that the table of TLS libraries knows.
func Print(ja4 []byte) (known string, ok bool) {
	if len(ja4) != 36 || ja4[10] != '_' || ja4[23] != '_' {
		return "", false
	}
	t := tables().byName["prints"]
	if i, ok := t.exact[string(ja4[11:23])]; ok {
		return t.rows[i].pattern.text, true
	}
	return "", false
}

// Serves returns the value of a clue about an open port that the table knows:
// "tcp/9100".
func Serves(tcp bool, port uint16) (string, bool) { return portRow("open:", tcp, port) }

// Speaks returns the same of a port spoken to, in the home or beyond.
func Speaks(home, tcp bool, port uint16) (string, bool) {
	if home {
		return portRow("lan:", tcp, port)
	}
	return portRow("wan:", tcp, port)
}

func portRow(prefix string, tcp bool, port uint16) (string, bool) {
	var b [24]byte
	k := append(b[:0], prefix...)
	if tcp {
		k = append(k, "tcp/"...)
	} else {
		k = append(k, "udp/"...)
	}
	k = strconv.AppendUint(k, uint64(port), 10)
	t := tables().byName["ports"]
	if i, ok := t.exact[string(k)]; ok {
		return t.rows[i].pattern.text[len(prefix):], true
	}
	return "", false
}
