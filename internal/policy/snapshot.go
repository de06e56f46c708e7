package policy

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
)

// Snapshot is what holds at one time. It never changes; workers share it.
// Entries that have ended, or whose schedule does not hold, are not in it:
// whoever makes snapshots keeps the time.
type Snapshot struct {
	mode       Mode
	gen        uint32
	never      []*compiled
	exceptions []*compiled
	consents   []*compiled
	actions    []*compiled
	blocks     blockIndex
	needRef    bool
	answer     Answer
}

// compiled is an entry in the form in which it is compared.
type compiled struct {
	id     string
	kind   Kind
	order  int32 // place among its kind, the one that decides first has the lowest
	device string
	mac    packet.MAC
	hasMAC bool

	devKind  string
	hasDest  bool
	bits     int // of the mapped form, 96 … 128 for IPv4
	dest     packet.Addr
	host     string // lower case
	port     uint16
	gid, sid uint32
	category event.Category
	family   string
	poolHost string
	poolPort string
	wallet   string

	at       event.Level
	severity uint8
	reject   bool
	own      bool // the program made it
	hits     *Hits
}

// Mode returns the mode in force.
func (s *Snapshot) Mode() Mode { return s.mode }

// Generation tells snapshots apart; it is never zero.
func (s *Snapshot) Generation() uint32 { return s.gen }

// BlocksTraffic reports whether any traffic is blocked, so that a worker need
// not ask about each flow.
func (s *Snapshot) BlocksTraffic() bool { return s.blocks.n > 0 }

// BlocksHosts reports whether a block names a host.
func (s *Snapshot) BlocksHosts() bool { return s.blocks.named }

// NeedsIdentity reports whether a block names a device by something else than
// its hardware address, or devices are to be recognised by their identity.
func (s *Snapshot) NeedsIdentity() bool { return s.needRef }

// source is one entry with what outlives snapshots.
type source struct {
	e    *Entry
	hits *Hits
}

// New makes a snapshot of entries that all hold, without a manager: for
// replays and tests. The entries are checked and must have an identity; gen
// tells this snapshot from others that the same workers see.
func New(mode Mode, gen uint32, entries []Entry) (*Snapshot, error) {
	src := make([]source, 0, len(entries))
	for i := range entries {
		e := entries[i]
		if err := e.check(); err != nil {
			return nil, err
		}
		src = append(src, source{&e, new(Hits)})
	}
	return build(mode, max(gen, 1), src), nil
}

// build compiles entries, which were checked.
func build(mode Mode, gen uint32, entries []source) *Snapshot {
	s := &Snapshot{mode: mode, gen: gen}
	var blocks []*compiled
	// The most specific entry decides; among equals the younger, then the
	// identity, so that the answer never depends on chance.
	slices.SortStableFunc(entries, func(a, b source) int {
		return cmp.Or(cmp.Compare(b.e.Scope.specific(), a.e.Scope.specific()), b.e.Created.Compare(a.e.Created), strings.Compare(a.e.ID, b.e.ID))
	})
	for _, src := range entries {
		c := compile(src.e, src.hits)
		switch c.kind {
		case Never:
			s.never = append(s.never, c)
		case Exception:
			s.exceptions = append(s.exceptions, c)
		case Consent:
			s.consents = append(s.consents, c)
		case ActionRule:
			s.actions = append(s.actions, c)
		default:
			c.order = int32(len(blocks))
			blocks = append(blocks, c)
			s.needRef = s.needRef || c.device != "" && !c.hasMAC
		}
	}
	s.blocks.build(blocks)
	for _, c := range s.never {
		s.needRef = s.needRef || s.blocks.n > 0 && c.device != "" && !c.hasMAC
	}
	return s
}

// specific counts the fields that are set.
func (s *Scope) specific() int {
	n := 0
	for _, set := range [...]bool{s.Device != "", s.Kind != "", s.Dest != "", s.Host != "", s.Port != 0, s.SID != 0, s.Category != "",
		s.Family != "", s.Pool != "", s.Wallet != ""} {
		if set {
			n++
		}
	}
	return n
}

func compile(e *Entry, h *Hits) *compiled {
	sc := &e.Scope
	c := &compiled{id: e.ID, kind: e.Kind, device: sc.Device, devKind: sc.Kind, host: sc.Host, port: sc.Port, gid: sc.GID, sid: sc.SID,
		category: sc.Category, family: sc.Family, wallet: sc.Wallet, at: e.At, severity: e.Severity, reject: e.Reject,
		own: e.Author == Itself, hits: h}
	if strings.HasPrefix(sc.Device, "mac:") {
		c.mac, c.hasMAC = parseMAC(sc.Device[4:])
	}
	if sc.Dest != "" {
		p, _ := parseDest(sc.Dest) // was checked
		c.hasDest, c.bits, c.dest = true, p.Bits(), packet.AddrOf(p.Addr())
		if p.Addr().Is4() {
			c.bits += 96
		}
	}
	if sc.Pool != "" {
		c.poolHost, c.poolPort = splitPool(sc.Pool)
	}
	return c
}

// splitPool takes host:port apart without allocating. An IPv6 address has a
// port only in brackets.
func splitPool(s string) (host, port string) {
	if strings.HasPrefix(s, "[") {
		if i := strings.IndexByte(s, ']'); i > 0 {
			return s[1:i], strings.TrimPrefix(s[i+1:], ":")
		}
		return s, ""
	}
	i := strings.IndexByte(s, ':')
	if i < 0 || strings.IndexByte(s[i+1:], ':') >= 0 {
		return s, ""
	}
	return s[:i], s[i+1:]
}

// covers reports whether the first bits of a and p agree.
func covers(p *packet.Addr, bits int, a *packet.Addr) bool {
	n := bits / 8
	if string(p[:n]) != string(a[:n]) {
		return false
	}
	rest := bits % 8
	return rest == 0 || (p[n]^a[n])>>(8-rest) == 0
}

// masked returns a with all bits behind the first ones cleared.
func masked(a packet.Addr, bits int) packet.Addr {
	n := bits / 8
	if n < len(a) {
		a[n] &= ^byte(0xff >> (bits % 8))
		clear(a[n+1:])
	}
	return a
}

// blockIndex finds blocks by what they name, so that thousands of them cost a
// new flow no more than a few look-ups.
type blockIndex struct {
	n        int
	named    bool                   // some have a host
	byDevice map[string][]*compiled // those without destination and host
	byMAC    map[packet.MAC][]*compiled
	nets     []netsOf               // longest first
	hosts    map[string][]*compiled // those with a host and no destination
}

// netsOf holds the blocked networks of one length.
type netsOf struct {
	bits int
	m    map[packet.Addr][]*compiled
}

func (x *blockIndex) build(blocks []*compiled) {
	x.n = len(blocks)
	x.byDevice, x.byMAC, x.hosts = map[string][]*compiled{}, map[packet.MAC][]*compiled{}, map[string][]*compiled{}
	for _, c := range blocks {
		x.named = x.named || c.host != ""
		switch {
		case c.hasDest:
			i := slices.IndexFunc(x.nets, func(n netsOf) bool { return n.bits == c.bits })
			if i < 0 {
				i = len(x.nets)
				x.nets = append(x.nets, netsOf{c.bits, map[packet.Addr][]*compiled{}})
			}
			x.nets[i].m[c.dest] = append(x.nets[i].m[c.dest], c)
		case c.host != "":
			x.hosts[c.host] = append(x.hosts[c.host], c)
		case c.hasMAC:
			x.byMAC[c.mac] = append(x.byMAC[c.mac], c)
			x.byDevice[c.device] = append(x.byDevice[c.device], c)
		default:
			x.byDevice[c.device] = append(x.byDevice[c.device], c)
		}
	}
	slices.SortFunc(x.nets, func(a, b netsOf) int { return b.bits - a.bits })
}

// prefixOf returns the network of a compiled entry for lists.
func (c *compiled) prefixOf() netip.Prefix {
	ip := c.dest.Netip()
	if ip.Is4() && c.bits >= 96 {
		return netip.PrefixFrom(ip, c.bits-96)
	}
	return netip.PrefixFrom(netip.AddrFrom16(c.dest), c.bits)
}
