package match

import (
	"fmt"
	"slices"
	"strings"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/match/inspect"
	"github.com/yamori-net/yamori/internal/match/mpm"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/reassembly"
	"github.com/yamori-net/yamori/internal/rules"
)

// Options says what rules are compiled for.
type Options struct {
	Protocols []proto.Protocol // as in the engine's configuration, in the same order
	// Classes is the classification by classtype; nil: DefaultClasses.
	Classes map[string]rules.Class
	// Hosts keeps what rules remember of hosts; nil: a table of its own.
	Hosts *Hosts
	// Thresholds are settings of threshold.config.
	Thresholds []rules.GlobalThreshold
	// Data is the folder of files that rules name (datasets, reputation).
	Data string
	// Reputation is what iprep asks; nil: rules with it never match.
	Reputation *rules.Reputation
	// Country tells the country of an address (two capital letters, empty when
	// unknown) for geoip; nil: rules with it never match.
	Country func(packet.Addr) string
	// Previous is the set that this one is to replace: names of flowbits and
	// the like keep their numbers, and what is remembered of hosts stays.
	Previous *Set
	// MaxMemory refuses a set that holds more bytes; 0: no bound. See
	// Set.Complete.
	MaxMemory int
	// Trace follows one rule; nil: none.
	Trace *Trace
	// Budget bounds the work of one rule on one buffer; 0: the default.
	Budget int

	plainNames bool // names are patterns like others, for a test that compares
}

// builder holds a Set being compiled.
type builder struct {
	set       *Set
	opt       Options
	keywords  map[string]*Keyword
	bufNo     map[string]uint16
	chainNo   map[string]uint16
	compiled  []*compiler
	files     map[string]any // data sets by name
	strings   map[string]string
	lack      [nLacks]lack
	providers map[string][2]uint64 // protocols that have a buffer, by direction
}

// Compile makes a Set of rules. A rule that cannot be loaded is a problem and
// does not stop the others.
func Compile(rs []*rules.Rule, opt Options) (*Set, []*rules.Problem) {
	if opt.Classes == nil {
		opt.Classes = DefaultClasses()
	}
	if opt.Hosts == nil && opt.Previous != nil {
		opt.Hosts = opt.Previous.hosts
	}
	if opt.Hosts == nil {
		opt.Hosts = NewHosts(0)
	}
	s := &Set{protocols: opt.Protocols, arena: inspect.NewArena(), chains: make([]chain, 1),
		events: map[eventKey][]uint32{}, names: newNames(), hosts: opt.Hosts}
	s.follow(opt.Previous)
	s.trace = opt.Trace
	b := &builder{set: s, opt: opt, keywords: map[string]*Keyword{}, bufNo: map[string]uint16{}, chainNo: map[string]uint16{},
		files: map[string]any{}, strings: map[string]string{}, providers: map[string][2]uint64{}}
	table := Keywords()
	for i := range table {
		k := &table[i]
		b.keywords[k.Name] = k
		for _, a := range k.Aliases {
			b.keywords[a] = k
		}
	}
	for i := range opt.Protocols {
		for _, buf := range opt.Protocols[i].Buffers {
			p := b.providers[buf.Name]
			p[buf.Dir] |= 1 << i
			b.providers[buf.Name] = p
			if b.keywords[buf.Name] == nil {
				b.keywords[buf.Name] = &Keyword{Name: buf.Name, Family: "buffer", Doc: buf.Doc, Setup: stickySetup(buf.Name)}
			}
		}
	}
	var problems []*rules.Problem
	for _, r := range rs {
		c, p := b.one(r)
		if p != nil {
			problems = append(problems, p)
			if !p.Warning {
				s.stats.Failed++
			}
			continue
		}
		b.compiled = append(b.compiled, c)
		s.stats.Loaded++
		if opt.MaxMemory > 0 && s.arena.Size()+s.stats.Loaded*(ruleBytes+metaBytes) > opt.MaxMemory {
			s.partial = true
			return s, append(problems, tooLarge(r, opt.MaxMemory))
		}
	}
	b.assemble()
	s.data, s.prevData = b.files, nil
	problems = append(problems, b.lackProblems()...)
	if opt.MaxMemory > 0 && s.Size() > opt.MaxMemory {
		s.partial = true
		problems = append(problems, tooLarge(rs[len(rs)-1], opt.MaxMemory))
	}
	return s, problems
}

// one compiles a rule; a fault in a keyword costs that rule alone.
func (b *builder) one(r *rules.Rule) (c *compiler, p *rules.Problem) {
	var at rules.Option
	defer func() {
		if v := recover(); v != nil {
			c, p = nil, r.Problem(at, fmt.Errorf("cannot be compiled: %v", v))
		}
	}()
	c = &compiler{b: b, r: r, m: &Meta{Action: r.Action, File: b.keep(r.File), Line: r.Line}}
	c.m.GID, c.m.SID, c.m.Rev, c.m.Msg = r.GID, r.SID, r.Rev, b.keep(r.Msg)
	if err := c.class(); err != nil {
		o, _ := r.Option("classtype")
		return nil, r.Problem(o, err)
	}
	at, err := c.compile()
	if err == errSkip {
		p := r.Problem(at, err)
		p.Warning = true
		return nil, p
	}
	if err != nil {
		p := r.Problem(at, err)
		if k := b.keywords[at.Name]; p.Cure == "" && k != nil && k.Example != "" {
			p.Cure = "for example " + k.Example
		}
		return nil, p
	}
	c.global(b.opt.Thresholds)
	c.settle()
	return c, nil
}

// keep clones a string of the rules' text, once.
func (b *builder) keep(s string) string {
	if k, ok := b.strings[s]; ok {
		return k
	}
	k := strings.Clone(s)
	b.strings[k] = k
	return k
}

// class sets category and severity.
func (c *compiler) class() error {
	c.m.Severity = 3
	if t := c.r.Classtype; t != "" {
		cl, ok := c.b.opt.Classes[strings.ToLower(t)]
		if ok {
			c.m.Category, c.m.Class, c.m.Severity = c.b.keep(cl.Description), c.b.keep(cl.Name), clampSeverity(cl.Priority)
		} else {
			// Suricata takes an unknown class with its default priority.
			c.m.Class = c.b.keep(t)
		}
	}
	if c.r.Priority > 0 {
		c.m.Severity = clampSeverity(c.r.Priority)
	}
	return nil
}

func clampSeverity(p int) uint8 { return uint8(min(max(p, 1), 255)) }

// buffer numbers a buffer.
func (b *builder) buffer(name string) uint16 {
	if n, ok := b.bufNo[name]; ok {
		return n
	}
	n := uint16(len(b.set.buffers))
	b.bufNo[name] = n
	b.set.buffers = append(b.set.buffers, name)
	return n
}

// chain numbers a sequence of transforms.
func (b *builder) chain(cb chainBuilder) (uint16, error) {
	if cb.empty() {
		return 0, nil
	}
	key := cb.key()
	if n, ok := b.chainNo[key]; ok {
		return n, nil
	}
	if len(b.set.chains) > 1<<15 {
		return 0, fail("too many different transforms")
	}
	n := uint16(len(b.set.chains))
	b.chainNo[key] = n
	b.set.chains = append(b.set.chains, cb.steps)
	return n, nil
}

// assemble sorts the rules and builds the groups.
func (b *builder) assemble() {
	s := b.set
	slices.SortStableFunc(b.compiled, compareOrder)
	s.meta = make([]Meta, 0, len(b.compiled))
	for _, c := range b.compiled {
		c.out.meta = uint32(len(s.meta))
		s.meta = append(s.meta, *c.m)
		b.addRule(c, c.out)
		if c.r.Both {
			o := c.out
			o.src, o.dst, o.sp, o.dp = o.dst, o.src, o.dp, o.sp
			o.flags |= swapped
			b.addRule(c, o)
		}
	}
	b.getters()
	g := grouper{b: b, s: s}
	g.run()
	s.arena.Seal()
	s.stats.Memory += s.arena.Size()
	s.sizes.bits = s.names.count(kindFlowbit)
}

func (b *builder) addRule(c *compiler, r rule) {
	b.set.rules = append(b.set.rules, r)
	c.ids = append(c.ids, uint32(len(b.set.rules)-1))
	if r.flags&traced != 0 {
		b.set.trace.ids = append(b.set.trace.ids, uint32(len(b.set.rules)-1))
	}
}

// getters resolves buffers by protocol and direction.
func (b *builder) getters() {
	s := b.set
	s.get = make([][2][]getter, len(s.protocols))
	s.fileKind = make([]fileKind, len(s.buffers))
	for i, name := range s.buffers {
		s.fileKind[i] = fileBuffers[name]
	}
	for i := range s.protocols {
		for d, ends := range endsPiece[s.protocols[i].Name] {
			if ends {
				s.ends[d] |= 1 << i
			}
		}
		for d := range s.get[i] {
			s.get[i][d] = make([]getter, len(s.buffers))
		}
		for _, buf := range s.protocols[i].Buffers {
			if n, ok := b.bufNo[buf.Name]; ok {
				s.get[i][buf.Dir][n] = buf.Get
			}
		}
	}
}

func transportBits(t proto.Transport) (on uint8) {
	if t&(proto.TCP|proto.Message) != 0 {
		on |= onTCP
	}
	if t&proto.UDP != 0 {
		on |= onUDP
	}
	return on
}

// grouper sorts the rules into groups.
type grouper struct {
	b *builder
	s *Set

	ipOnly  []uint32
	pay     [nL4][2][]prefilterRule
	payAll  [nL4][]portEntry
	paySyn  []portEntry
	payAddr [nL4][]uint32
	str     [2][]prefilterRule
	strAll  [2][]portEntry
	strN    [2]int
	tx      map[txKey][]mpm.Pattern
	names   map[txKey][]mpm.Name
	txAll   map[[2]int][]uint32
	txN     map[[2]int]int

	nearUsed map[string]int
}

type txKey struct {
	proto, dir int
	buf, chain uint16
}

func (g *grouper) run() {
	g.tx, g.txAll, g.txN = map[txKey][]mpm.Pattern{}, map[[2]int][]uint32{}, map[[2]int]int{}
	g.names = map[txKey][]mpm.Name{}
	g.countNear()
	for _, c := range g.b.compiled {
		for _, id := range c.ids {
			before := g.s.stats
			g.place(c, id)
			g.s.meta[g.s.rules[id].meta].Kind = kindOf(&before, &g.s.stats)
		}
	}
	s := g.s
	for k := range s.packets {
		for d := range g.pay[k] {
			s.packets[k].payload[d] = g.prefilter(g.pay[k][d], packet.Dir(d))
		}
		s.packets[k].always = buildPortIndex(g.payAll[k])
		s.packets[k].addrs = buildIPIndex(g.payAddr[k], s.rules)
	}
	s.packets[l4TCP].syn = buildPortIndex(g.paySyn)
	for d := range s.streams {
		s.streams[d] = streamGroup{g.prefilter(g.str[d], packet.Dir(d)), buildPortIndex(g.strAll[d]), g.strN[d]}
	}
	s.ipOnly = buildIPIndex(g.ipOnly, s.rules)
	s.txs = make([][2]txGroup, len(s.protocols))
	var keys []txKey
	for k := range g.tx {
		keys = append(keys, k)
	}
	for k := range g.names {
		if g.tx[k] == nil {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, func(a, b txKey) int {
		return slices.Compare([]int{a.proto, a.dir, int(a.buf), int(a.chain)}, []int{b.proto, b.dir, int(b.buf), int(b.chain)})
	})
	for _, k := range keys {
		t := &s.txs[k.proto][k.dir]
		t.bufs = append(t.bufs, txFilter{get: s.get[k.proto][k.dir][k.buf], kind: s.fileKind[k.buf], filter: g.filter(g.tx[k]),
			names: g.nameSet(g.names[k]), chain: k.chain})
	}
	for k, l := range g.txAll {
		s.txs[k[0]][k[1]].always = l
	}
	for k, n := range g.txN {
		s.txs[k[0]][k[1]].n = n
	}
}

func (g *grouper) filter(ps []mpm.Pattern) *mpm.Filter {
	if len(ps) == 0 {
		return nil
	}
	f := mpm.Build(ps)
	g.s.stats.Memory += f.Size()
	return f
}

func (g *grouper) nameSet(ns []mpm.Name) *mpm.NameSet {
	if len(ns) == 0 {
		return nil
	}
	set := mpm.BuildNames(ns)
	g.s.stats.Memory += set.Size()
	return set
}

// place enters a rule into the groups that inspect it.
func (g *grouper) place(c *compiler, id uint32) {
	s, r := g.s, &g.s.rules[id]
	st := &s.stats
	switch {
	case len(c.events) > 0:
		for _, e := range c.events {
			app, name, _ := strings.Cut(e, ".")
			for _, k := range eventKeys(app, name) {
				s.events[k] = append(s.events[k], id)
			}
		}
		st.Event++
	case c.neverAs != "":
		st.Inert++
	case c.link:
		s.links = append(s.links, id)
		g.placePacket(c, id, r)
	case len(c.odd) > 0:
		s.odd.add(c.odd[0], id)
		for _, o := range c.odd {
			if o.stream && o.n == uint8(reassembly.EvReassemblyOverlapDifferentData) {
				g.strN[0]++ // it takes the streams to see that
				g.strN[1]++
			}
		}
		st.Event++
	case r.flags&isTx != 0:
		if !g.placeTx(c, id, r) {
			st.Inert++
		} else {
			st.App++
		}
	case c.pdOnly && r.payload == nil && !c.otherConds:
		r.flags |= flowAction
		s.pdOnly = append(s.pdOnly, id)
		st.ProtoOnly++
	case c.plain && r.payload == nil && c.r.Proto != "pkthdr":
		r.flags |= flowAction
		g.ipOnly = append(g.ipOnly, id)
		st.IPOnly++
	default:
		g.placePacket(c, id, r)
	}
}

func (g *grouper) placePacket(c *compiler, id uint32, r *rule) {
	p, ok := g.payloadPattern(c)
	p.ID = id
	fast := prefilterRule{p, r.sp, r.dp, r.apps, r.hasApps, c.dsize && c.sizeMost <= smallPayload}
	entry := portEntry{id, r.sp, r.dp}
	packets := r.on & onAll
	if r.payload != nil && r.flags&needStream != 0 && r.on&onTCP != 0 {
		for d := range 2 {
			if !r.goes(packet.Dir(d)) {
				continue
			}
			g.strN[d]++
			if ok {
				g.str[d] = append(g.str[d], fast)
			} else {
				g.strAll[d] = append(g.strAll[d], entry)
			}
		}
		g.s.stats.Stream++
		if r.flags&needPacket == 0 {
			packets &^= onTCP
		}
	} else {
		g.s.stats.Packet++
	}
	for k := range nL4 {
		if packets&(1<<k) == 0 {
			continue
		}
		if r.payload != nil && ok {
			for d := range 2 {
				if r.goes(packet.Dir(d)) {
					g.pay[k][d] = append(g.pay[k][d], fast)
				}
			}
		} else if narrow(r, c.syn) {
			g.payAddr[k] = append(g.payAddr[k], id)
		} else if k == l4TCP && c.syn {
			g.paySyn = append(g.paySyn, entry)
		} else {
			g.payAll[k] = append(g.payAll[k], entry)
		}
	}
}

// goes reports whether the rule looks at what is sent in direction d.
func (r *rule) goes(d packet.Dir) bool {
	if d == packet.ToClient {
		return r.flags&toServer == 0
	}
	return r.flags&toClient == 0
}

// wideNet is how many addresses tell little: the networks of a home are wider.
const wideNet = 1 << 20

// narrow reports that a rule is best found by the IPv4 addresses that one of its sides names, and not by few ports or,
// if syn is set, by a connection's first packet.
func narrow(r *rule, syn bool) bool {
	most := uint64(1) << 30
	if syn || few(r.sp) || few(r.dp) {
		most = wideNet
	}
	for _, set := range [2]*rules.AddrSet{r.src, r.dst} {
		if set != nil && len(set.V6()) == 0 && fewAddrs(set) < most {
			return true
		}
	}
	return false
}

// placeTx enters a rule into the groups of every protocol and direction that
// has all its buffers. It is false when none has.
func (g *grouper) placeTx(c *compiler, id uint32, r *rule) bool {
	if r.payload != nil && r.flags&needStream != 0 {
		// The stream may show its part long before or after the buffers.
		p, ok := g.payloadPattern(c)
		p.ID = id
		for d := range 2 {
			if !r.goes(packet.Dir(d)) {
				continue
			}
			g.strN[d]++
			if ok {
				g.str[d] = append(g.str[d], prefilterRule{p, r.sp, r.dp, r.apps, r.hasApps, false})
			} else {
				g.strAll[d] = append(g.strAll[d], portEntry{id, r.sp, r.dp})
			}
		}
	}
	found := false
	for p := range g.s.protocols {
		if r.hasApps && r.apps&(1<<p) == 0 || r.on&transportBits(g.s.protocols[p].On) == 0 {
			continue
		}
		for d := range 2 {
			if !r.goes(packet.Dir(d)) || !g.has(r, p, d) || r.flags&wholeTx != 0 && d != g.whole(r) {
				continue
			}
			found = true
			k := [2]int{p, d}
			g.txN[k]++
			if !c.txFast.ok || r.flags&wholeTx != 0 && int(c.txFast.side) != d+1 {
				g.txAll[k] = append(g.txAll[k], id)
				continue
			}
			key := txKey{p, d, c.txFast.buf, c.txFast.chain}
			if n := c.txFast.name; n.ok {
				n.name.ID = id
				g.names[key] = append(g.names[key], n.name)
				continue
			}
			fast := c.txFast.p
			fast.ID = id
			g.tx[key] = append(g.tx[key], fast)
		}
	}
	return found
}

func (g *grouper) has(r *rule, p, d int) bool {
	for i := range r.bufs {
		b := r.bufs[i].buf
		if s := r.bufs[i].side; s != anySide {
			d = int(s) - 1
		}
		if g.s.fileKind[b] != notFile {
			if !fileProtocols[g.s.protocols[p].Name][d] {
				return false
			}
		} else if g.s.get[p][d][b] == nil {
			return false
		}
	}
	return true
}

var _ = event.Alert
