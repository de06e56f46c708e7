package match

import (
	"strings"

	"github.com/yamori-net/yamori/internal/rules"
)

// A rule with the arrow => (Suricata 8) asks for buffers of both sides of one
// transaction. Those that both sides have say whose is meant; of others it is
// the only one there is.
const (
	anySide    = iota // the direction under inspection
	sideServer        // sent to the server
	sideClient        // sent to the client
)

var sideNames = map[string]uint8{"to_server": sideServer, "to_client": sideClient}

// side reads the value of a sticky buffer.
func (c *compiler) side(o rules.Option) (uint8, error) {
	v := lowerTrim(unquote(o.Value))
	if v == "" {
		return anySide, nil
	}
	s, ok := sideNames[v]
	switch {
	case !ok:
		return 0, fail("%s takes no value, the content follows it", o.Name)
	case c.r.Dir != rules.BothOf:
		return 0, fail("%s:%s needs a rule with =>", o.Name, v)
	}
	return s, nil
}

// sidePrefix takes "to_client," from a value.
func (c *compiler) sidePrefix(v string) (side uint8, rest string) {
	if c.r.Dir != rules.BothOf {
		return anySide, v
	}
	word, rest, ok := strings.Cut(unquote(v), ",")
	if s := sideNames[lowerTrim(word)]; ok && s != anySide {
		return s, strings.TrimSpace(rest)
	}
	return anySide, v
}

// sideList finds the list of a buffer of one side.
func (c *compiler) sideList(name string, side uint8) *list {
	for _, l := range c.lists {
		if l.name == name && l.side == side && !l.multi && l.chain.empty() {
			return l
		}
	}
	return nil
}

// settleSide decides whose buffer it is that a rule with => does not name a
// side of: the client's where it has one.
func (c *compiler) settleSide(l *list) {
	if c.r.Dir != rules.BothOf {
		return
	}
	c.out.flags |= wholeTx
	if l.side != anySide {
		return
	}
	l.side = sideServer
	if fileBuffers[l.name] != notFile {
		l.side = sideClient // what is fetched
		return
	}
	p := c.b.providers[l.name]
	if c.out.hasApps {
		p[0], p[1] = p[0]&c.out.apps, p[1]&c.out.apps
	}
	if p[0] == 0 && p[1] != 0 {
		l.side = sideClient
	}
}

// whole returns the direction in whose group a rule with => stands: that of
// its files, which are inspected as they come, else the client's.
func (g *grouper) whole(r *rule) int {
	for i := range r.bufs {
		if b := &r.bufs[i]; g.s.fileKind[b.buf] != notFile {
			return int(b.side) - 1
		}
	}
	return sideServer - 1
}
