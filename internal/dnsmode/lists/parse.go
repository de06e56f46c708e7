package lists

import (
	"bytes"
	"net/netip"
)

// kind is what a line says.
type kind uint8

const (
	nothing kind = iota // empty, comment
	refused             // not understood, or nothing that a list should say
	block
	allow
)

// entry is one name of a line; name points into the line, in lower case.
type entry struct {
	kind   kind
	name   []byte
	suffix bool // covers the names below it too
}

// parseLine calls add for each name of a line; it changes the line's letters
// to lower case. exact says that a plain name stands for itself only. The forms:
//
//	0.0.0.0 name name…    of hosts files: these names, exactly (also 127.0.0.1, ::, ::1)
//	name                  the name and all below it, or the name alone (exact)
//	*.name   .name        the name and all below it
//	||name^  ||name       the same; $important and $all may follow
//	|name^   |name|       the name alone
//	@@||name^ @@|name^ @@name   exceptions
//	# …  ! …              comments
func parseLine(line []byte, exact bool, add func(entry)) {
	line = bytes.TrimSpace(line)
	if len(line) == 0 || line[0] == '#' || line[0] == '!' {
		return
	}
	// AdBlock lists begin with a title in brackets.
	if line[0] == '[' && line[len(line)-1] == ']' {
		return
	}
	if i := bytes.IndexByte(line, '#'); i > 0 {
		if line[i-1] != ' ' && line[i-1] != '\t' {
			add(entry{kind: refused}) // rules that hide parts of pages: name##selector
			return
		}
		line = bytes.TrimSpace(line[:i])
	}
	if i := bytes.IndexAny(line, " \t"); i > 0 {
		hostsLine(line[:i], line[i+1:], add)
		return
	}
	e := entry{kind: block, name: line, suffix: !exact}
	if rest, ok := bytes.CutPrefix(e.name, []byte("@@")); ok {
		e.kind, e.name = allow, rest
	}
	switch {
	case bytes.HasPrefix(e.name, []byte("||")):
		e.name, e.suffix = e.name[2:], true
		e.name = cutEnd(e.name)
	case bytes.HasPrefix(e.name, []byte("|")):
		e.name, e.suffix = e.name[1:], false
		e.name = cutEnd(e.name)
	case bytes.HasPrefix(e.name, []byte("*.")):
		e.name, e.suffix = e.name[2:], true
	case bytes.HasPrefix(e.name, []byte(".")):
		e.name, e.suffix = e.name[1:], true
	}
	var ok bool
	if e.name, ok = cleanName(e.name); !ok {
		e = entry{kind: refused}
	}
	add(e)
}

// cutEnd takes the end of an AdBlock pattern off; nil when it says more than
// these lists know.
func cutEnd(p []byte) []byte {
	if i := bytes.IndexByte(p, '$'); i >= 0 {
		for opt := range bytes.SplitSeq(p[i+1:], []byte(",")) {
			if s := string(opt); s != "important" && s != "all" {
				return nil
			}
		}
		p = p[:i]
	}
	p = bytes.TrimSuffix(p, []byte("|"))
	p = bytes.TrimSuffix(p, []byte("^"))
	if rest, ok := bytes.CutPrefix(p, []byte("*.")); ok {
		p = rest
	}
	return p
}

// hostsLine reads "address name…". Only addresses that lead nowhere block; a
// line with any other address would send the home somewhere and is refused.
func hostsLine(addr, names []byte, add func(entry)) {
	if len(addr) > 45 { // the longest IPv6 address
		add(entry{kind: refused})
		return
	}
	ip, err := netip.ParseAddr(string(addr))
	if err != nil || !ip.IsUnspecified() && !ip.IsLoopback() {
		add(entry{kind: refused})
		return
	}
	for f := range bytes.FieldsSeq(names) {
		if ownName(f) {
			continue
		}
		if name, ok := cleanName(f); ok {
			add(entry{kind: block, name: name})
		} else {
			add(entry{kind: refused})
		}
	}
}

// ownName knows the names that every hosts file holds for the machine itself.
func ownName(n []byte) bool {
	switch string(n) {
	case "localhost", "localhost.localdomain", "local", "broadcasthost", "ip6-localhost", "ip6-loopback",
		"ip6-localnet", "ip6-mcastprefix", "ip6-allnodes", "ip6-allrouters", "ip6-allhosts", "0.0.0.0":
		return true
	}
	return false
}

// Bounds of a name (RFC 1035 section 2.3.4), as text without the last dot.
const (
	maxName  = 253
	maxLabel = 63
)

// cleanName checks a name, in lower case and without its last dot. A single
// label is refused: one such line would cut off a whole top-level domain; so
// is an address, and what is not written in ASCII (lists use the A-label form,
// RFC 5890 section 2.3.2.1).
func cleanName(n []byte) ([]byte, bool) {
	n = bytes.TrimSuffix(n, []byte("."))
	if len(n) == 0 || len(n) > maxName {
		return nil, false
	}
	label, dots, digits := 0, 0, true
	for i, c := range n {
		switch {
		case c == '.':
			if label == 0 {
				return nil, false
			}
			label, digits = 0, true
			dots++
			continue
		case 'A' <= c && c <= 'Z':
			n[i] = c + 'a' - 'A'
			digits = false
		case 'a' <= c && c <= 'z', c == '-', c == '_':
			digits = false
		case '0' <= c && c <= '9':
		default:
			return nil, false
		}
		if label++; label > maxLabel {
			return nil, false
		}
	}
	return n, dots > 0 && label > 0 && !digits
}
