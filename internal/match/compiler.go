package match

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/yamori-net/yamori/internal/match/inspect"
	"github.com/yamori-net/yamori/internal/match/mpm"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/rules"
)

// compiler holds one rule while its options are read in turn.
type compiler struct {
	b *builder
	r *rules.Rule
	m *Meta

	out   rule
	lists []*list // [0] is the payload
	cur   *list   // selected by a sticky buffer; lists[0] by default
	// stuck says that a sticky buffer was selected, so that modifiers of the
	// old kind are wrong.
	stuck    bool
	last     *content // the content modifiers belong to
	lastL    *list    // where the last payload option went, for relative ones
	base64   *list    // base64_data: steps go inside of lists' Base64 step
	base64In *inspect.Step

	contents      []*content
	sets          bool // some flowbits are set
	reads         bool // some flowbits are read
	order         order
	vars          inspect.Vars
	events        []string // app-layer-event, "http.name"
	odd           []oddity // decode-event and stream-event
	ids           []uint32 // the rule's places in Set.rules
	otherConds    bool
	xsets, xreads bool
	// What transactions are filtered by, kept when lists are let go.
	txFast   filterBy
	syn      bool // flags ask for SYN
	pdOnly   bool // app-layer-protocol
	plain    bool // only options that an address rule may have
	flowSeen bool
	neverAs  string // why the rule can be loaded and never match
	link     bool   // also, or only, frames without IP
	dsize    bool
	sizeMost uint64 // dsize: the most it allows
}

// list is the payload options on one buffer.
type list struct {
	name     string // of the buffer; empty for the payload
	chain    chainBuilder
	steps    []inspect.Step
	from     []uint8 // the option that each step is of, by its number in the rule
	multi    bool
	side     uint8 // of a rule with =>: whose buffer it is
	absentOK bool
}

// content is one content option with what its modifiers say.
type content struct {
	l      *list
	i      int // in l.steps
	fast   bool
	chop   bool
	off, n int
	sub    bool // in base64_data
}

func (c *content) step() *inspect.Step { return &c.l.steps[c.i] }

// fail makes an error of an option.
func fail(format string, args ...any) error { return fmt.Errorf(format, args...) }

// list returns the list of a buffer, making one when there is none yet.
func (c *compiler) list(name string, fresh bool) *list {
	if name == "" {
		return c.lists[0]
	}
	if !fresh {
		for _, l := range c.lists {
			if l.name == name && l.chain.empty() {
				return l
			}
		}
	}
	l := &list{name: name, multi: isMulti(name)}
	c.lists = append(c.lists, l)
	return l
}

// add appends a step to the current list, or for a relative one to the list
// of what it is relative to.
func (c *compiler) add(s inspect.Step, relative bool) *list {
	if c.base64In != nil && c.cur == c.base64 {
		c.base64In.Sub = append(c.base64In.Sub, s)
		return c.cur
	}
	l := c.cur
	if !c.stuck && relative && c.lastL != nil {
		l = c.lastL
	}
	c.finishChain(l)
	l.steps = append(l.steps, s)
	c.lastL = l
	return l
}

// finishChain is a hook for transforms given without content.
func (c *compiler) finishChain(*list) {}

// require reports an error unless the option has a value.
func require(o rules.Option) error {
	if !o.HasValue || o.Value == "" {
		return fail("%s needs a value", o.Name)
	}
	return nil
}

// unquote takes quotes away, if any.
func unquote(v string) string {
	t, neg, _ := rules.Unquote(v)
	if neg {
		return "!" + t
	}
	return t
}

// split cuts a list at commas.
func split(v string) []string { return rules.SplitList(nil, v, ',') }

// cond adds a condition on packet or flow.
func (c *compiler) cond(f cond) { c.out.conds = append(c.out.conds, f) }

// notPlain says that the rule looks at more than addresses.
func (c *compiler) notPlain() { c.plain = false }

// compile reads all options. The error comes with the option it is in.
func (c *compiler) compile() (rules.Option, error) {
	c.lists = []*list{{}}
	c.cur = c.lists[0]
	c.plain = true
	if o, ok := c.r.Option("requires"); ok {
		// Before anything it guards, the header included.
		if err := setupRequires(c, o); err != nil {
			return o, err
		}
	}
	if o, err := c.header(); err != nil {
		return o, err
	}
	for i, o := range c.r.Options {
		k, ok := c.b.keywords[o.Name]
		if !ok {
			for _, p := range []string{"enip", "dnp3", "modbus", "cip_"} {
				if strings.HasPrefix(o.Name, p) {
					return o, &rules.ValueError{Reason: o.Name + " is not supported: " + noIndustry, Cure: "remove the rule"}
				}
			}
			names := make([]string, 0, len(c.b.keywords))
			for n := range c.b.keywords {
				names = append(names, n)
			}
			slices.Sort(names)
			if s := rules.Suggest(o.Name, names); s != "" {
				return o, &rules.ValueError{Reason: fmt.Sprintf("unknown option %q", o.Name), Cure: "did you mean " + s + "?"}
			}
			return o, fail("unknown option %q", o.Name)
		}
		if err := k.Setup(c, o); err != nil {
			return o, err
		}
		for _, l := range c.lists {
			for len(l.from) < len(l.steps) {
				l.from = append(l.from, uint8(min(i, math.MaxUint8)))
			}
		}
		c.note(o)
	}
	err := c.finishTraced()
	if e := (*optionError)(nil); errors.As(err, &e) {
		return e.o, e.err
	}
	return rules.Option{}, err
}

// optionError is an error in an option that showed only at the rule's end.
type optionError struct {
	o   rules.Option
	err error
}

func (e *optionError) Error() string { return e.err.Error() }

// place finds the option that an error in the steps of l is of.
func (c *compiler) place(l *list, err error) error {
	var s *inspect.StepError
	if !errors.As(err, &s) || s.Step >= len(l.from) || l.from[s.Step] == math.MaxUint8 {
		return err
	}
	o := c.r.Options[l.from[s.Step]]
	return &optionError{o: o, err: fmt.Errorf("%s: %w", o.Name, s.Err)}
}

// header reads the protocol.
func (c *compiler) header() (rules.Option, error) {
	r := c.r
	c.out.src, c.out.dst = r.Src.Set(), r.Dst.Set()
	c.out.sp, c.out.dp = r.SrcPorts.Set(), r.DstPorts.Set()
	c.out.action = r.Action
	name, hook := r.ProtoHook()
	if hook == "flow_start" {
		// The first packet of each direction.
		c.notPlain()
		c.out.flags |= needFlow
		c.cond(func(c *ctx) bool { return c.p != nil && c.f.Side[c.d].Packets == 1 })
	} else if hook != "" {
		return rules.Option{}, fail("hooks such as %q are of Suricata 8 and not supported", r.Proto)
	}
	c.out.on = onV4 | onV6
	switch name {
	case "tcp":
		c.out.on |= onTCP
	case "tcp-pkt":
		c.out.on |= onTCP
		c.out.flags |= needPacket
	case "tcp-stream":
		c.out.on |= onTCP
		c.out.flags |= needStream
	case "udp":
		c.out.on |= onUDP
	case "icmp":
		c.out.on |= onICMP | onICMPv6
	case "icmpv4":
		c.out.on = onV4 | onICMP
	case "icmpv6":
		c.out.on = onV6 | onICMPv6
	case "sctp":
		c.out.on |= onOther
		c.cond(func(c *ctx) bool { return c.proto == 132 })
	case "igmp":
		c.out.on |= onOther
		c.cond(func(c *ctx) bool { return c.proto == 2 })
	case "ip", "pkthdr":
		c.out.on |= onAll
	case "ipv4", "ip4":
		c.out.on = onV4 | onAll
	case "ipv6", "ip6":
		c.out.on = onV6 | onAll
	default:
		if c.linkHeader(name) {
			return rules.Option{}, nil
		}
		return rules.Option{}, c.appHeader(name)
	}
	return rules.Option{}, nil
}

// appHeader takes an application protocol as the rule's.
func (c *compiler) appHeader(name string) error {
	apps, on, ok := c.b.app(name)
	if !ok {
		return &rules.ValueError{Reason: fmt.Sprintf("unknown protocol %q", name), Cure: "use tcp, udp, icmp, ip or an application protocol such as http, tls, dns"}
	}
	c.out.on |= on
	c.out.apps, c.out.hasApps = apps, true
	c.notPlain()
	if apps == 0 {
		c.neverAs = "the protocol " + name + " is not recognised here"
	}
	return nil
}

// app finds an application protocol by the name rules use.
func (b *builder) app(name string) (apps uint64, on uint8, ok bool) {
	names, known := appNames[name]
	if !known {
		names = []string{name}
	}
	for i := range b.set.protocols {
		p := &b.set.protocols[i]
		if slices.Contains(names, p.Name) {
			apps |= 1 << i
			on |= transportBits(p.On)
			ok = true
		}
	}
	if on == 0 {
		on = onTCP | onUDP
	}
	return apps, on, ok || known
}

// finish turns the lists into programs and classifies the rule.
func (c *compiler) finish() error {
	out := &c.out
	n := 0
	for _, l := range c.lists {
		if len(l.steps) > 0 {
			n++
		}
	}
	out.vars = c.vars.Len() > 0
	pl := c.lists[0]
	if len(pl.steps) > 0 {
		if err := c.payloadKind(); err != nil {
			return err
		}
		p, err := c.b.set.arena.Compile(pl.steps, &c.vars)
		if err != nil {
			return c.place(pl, err)
		}
		out.payload = p
		out.vars = c.vars.Len() > 0
	}
	for _, l := range c.lists[1:] {
		if len(l.steps) == 0 && !l.absentOK {
			if l.chain.empty() {
				continue // a sticky buffer that nothing looks at
			}
		}
		if isFrame(l.name) {
			if err := c.frame(l); err != nil {
				return err
			}
			continue
		}
		c.answerBody(l)
		c.settleSide(l)
		l.recase()
		bc := bufCheck{buf: c.b.buffer(l.name), neg: l.absentOK, side: l.side}
		var err error
		if bc.chain, err = c.b.chain(l.chain); err != nil {
			return err
		}
		if len(l.steps) > 0 {
			if bc.prog, err = c.b.set.arena.Compile(l.steps, &c.vars); err != nil {
				return c.place(l, fmt.Errorf("%s: %w", l.name, err))
			}
		}
		out.bufs = append(out.bufs, bc)
		out.flags |= isTx
	}
	out.vars = c.vars.Len() > 0 && len(out.bufs) > 0
	if out.flags&(toServer|toClient) == toServer|toClient {
		return fail("flow names both directions")
	}
	return nil
}

// answerBody makes http.response_body the data of the file that the answer is:
// Suricata looks at both in the same portions.
func (c *compiler) answerBody(l *list) {
	p := c.b.providers[l.name][packet.ToClient]
	if l.name != "http.response_body" || l.absentOK || c.r.Dir == rules.BothOf || c.out.flags&toServer != 0 || p == 0 {
		return
	}
	if c.out.hasApps {
		p &= c.out.apps
	}
	l.name = "file.data"
	c.out.apps, c.out.hasApps = p, true
	c.out.flags |= toClient
}

// payloadKind decides whether the payload options look at packets, at the
// stream of TCP, or at both, as Suricata does.
func (c *compiler) payloadKind() error {
	out := &c.out
	if out.on&onTCP == 0 {
		out.flags |= needPacket
		return nil
	}
	absolute, lack := false, false
	for i := range c.lists[0].steps {
		s := &c.lists[0].steps[i]
		absolute = absolute || s.Depth.Set || s.Offset.Set || s.StartsWith
		lack = lack || (s.Kind == inspect.Content || s.Kind == inspect.IsDataAt) && s.Negated || s.EndsWith
	}
	if lack {
		out.flags |= byPiece | lacks
	}
	if absolute {
		out.flags |= byPiece
	}
	if out.flags&needPacket != 0 && c.r.Proto == "tcp-pkt" {
		return nil
	}
	if out.flags&needStream != 0 && c.r.Proto == "tcp-stream" {
		return nil
	}
	switch {
	case c.dsize || out.flags&noStream != 0:
		out.flags |= needPacket
		return nil
	case out.flags&onlyStream != 0:
		out.flags |= needStream
		return nil
	}
	out.flags |= needStream
	for i := range c.lists[0].steps {
		s := &c.lists[0].steps[i]
		if s.Kind == inspect.Content && (s.Depth.Set || s.Offset.Set || s.StartsWith) {
			out.flags |= needPacket
		}
	}
	return nil
}

// filterBy is the pattern a rule is filtered by.
type filterBy struct {
	p          mpm.Pattern
	name       nameFilter // in its place
	ok         bool
	buf, chain uint16
	side       uint8
}

// settle chooses the patterns to filter by and lets go of what only reading
// the options needed: tens of thousands of rules are held at a time.
func (c *compiler) settle() {
	if p, l := c.fastBuffer(); l != nil {
		n, _ := c.b.chain(l.chain)
		c.txFast = filterBy{p: p, ok: true, buf: c.b.buffer(l.name), chain: n, side: l.side}
		if f := c.nameOf(l); f.better(&p) {
			c.txFast.name, c.txFast.chain = f, 0
		}
	}
	pay := c.lists[0]
	var contents []*content // of the payload: their filter is chosen with a look at all rules
	for _, k := range c.contents {
		if k.l == pay {
			contents = append(contents, k)
		}
	}
	c.lists, c.contents = []*list{pay}, contents
	c.cur, c.last, c.lastL, c.base64, c.base64In = nil, nil, nil, nil, nil
}

// lowerTrim is a value as a word.
func lowerTrim(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// frame makes a condition of a program on a header of the packet.
func (c *compiler) frame(l *list) error {
	p, err := c.b.set.arena.Compile(l.steps, &c.vars)
	if err != nil {
		return fmt.Errorf("%s: %w", l.name, err)
	}
	get := frames[l.name] // nil: of sctp.chunk_data, which a packet may have several of
	ch := l.chain.steps
	c.cond(func(c *ctx) bool {
		if c.p == nil {
			return false
		}
		if get == nil {
			return c.chunks(ch, p)
		}
		b := get(c.p)
		if b == nil {
			return false
		}
		return c.header(ch, p, b)
	})
	return nil
}
