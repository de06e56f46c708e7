package engine

import (
	"github.com/yamori-net/yamori/internal/files"
	"github.com/yamori-net/yamori/internal/flow"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/reassembly"
)

// conn is the application side of one flow: what its bytes are and who parses
// them. Conns are pooled.
type conn struct {
	w    *Worker
	flow *flow.Flow
	pc   proto.Conn
	side [2]side

	list       *connList // of the worker's
	prev, next *conn

	parser   proto.Parser
	sizer    proto.Sizer // the parser, if it is one
	bulk     proto.Bulk  // the parser, if it is one
	loose    *side       // that is let go of, see letGo; nil: both are seen
	size     int         // what it held when last asked
	idx      int         // of the parser's protocol in Config.Protocols
	limit    int
	inner    *inner     // carried messages; nil until the first
	flip     packet.Dir // 1 when client and server were swapped after the conn was made
	first    *side      // that spoke first; nil until some payload was seen
	parsing  packet.Dir // what is parsed, or was last
	ended    bool       // nothing more to learn; released after the packet
	raw      bool       // ended, but rules still want the streams
	switches uint8
	errors   uint8
	odd      uint8  // anomalies reported
	found    uint32 // detectors that have given their finding, by bit
	held     uint8  // findings that waited, see awaits
	txID     uint64
	host     []byte         // that the client asked for, with Config.Judge
	tracks   []*files.Track // of files under way
}

// side is one direction of a conn. It receives its stream's data.
type side struct {
	c       *conn
	dir     packet.Dir // as the parser sees it
	due     bool       // the held bytes are to be offered again
	stream  reassembly.Stream
	held    []byte // not consumed yet
	cand    uint64 // protocols still possible
	weak    uint64 // of those, the ones at least plausible
	seen    int    // bytes (streams) or datagrams probed
	dropped int    // bytes given up while probing

	// What nobody looks at any more of the message under way, see letGo: since
	// when, and after how many bytes of the stream; zero: all is looked at.
	richAt   int64
	richFrom uint64
	skipped  bool // the next hole is what was let go of
}

func (w *Worker) newConn(fl *flow.Flow, t proto.Transport) *conn {
	if w.live >= w.e.cfg.MaxConns {
		w.shed()
	}
	w.live++
	var c *conn
	if n := len(w.conns); n > 0 {
		c = w.conns[n-1]
		w.conns = w.conns[:n-1]
	} else {
		c = &conn{w: w}
		c.pc.OnTx = c.onTx
		c.pc.OnMessage = c.onMessage
		c.pc.OnAnomaly = c.onAnomaly
		c.pc.OnFile = c.onFile
		c.pc.OnExpect = func(x *proto.Expected) { w.e.expects.add(x, w.now) }
		for d := range c.side {
			c.side[d].c = c
		}
	}
	c.flow = fl
	c.pc.Reset()
	c.pc.Transport = t
	c.pc.WantFiles = w.files != nil
	c.setEnds()
	c.pc.Midstream = t == proto.TCP && fl.Midstream
	c.flip, c.first, c.ended, c.raw, c.loose = 0, nil, false, false, nil
	c.switches, c.errors, c.odd, c.found, c.held, c.txID = 0, 0, 0, 0, 0, 0
	c.host = c.host[:0]
	c.resetProbe()
	for d := range c.side {
		s := &c.side[d]
		s.dir, s.due, s.richAt, s.skipped = packet.Dir(d), false, 0, false
		if t == proto.TCP {
			to, _ := fl.Server()
			if packet.Dir(d) == packet.ToClient {
				to, _ = fl.Client()
			}
			s.stream.Init(w.e.cfg.policyFor(to), w.e.cfg.StreamDepth)
			if fl.HasISN[d] {
				s.stream.Segment(w.pool, fl.ISN[d], true, false, nil, 0, w.now, s)
			}
		}
	}
	fl.App = c
	if t == proto.TCP {
		c.expect()
	}
	w.touch(c)
	return c
}

// of returns the side that sends in direction d of the flow.
func (c *conn) of(d packet.Dir) *side { return &c.side[d^c.flip] }

// other returns the opposite side.
func (c *conn) other(s *side) *side {
	if s == &c.side[0] {
		return &c.side[1]
	}
	return &c.side[0]
}

// reverse swaps client and server.
func (c *conn) reverse() {
	c.flow.Reverse()
	c.flip ^= 1
	c.side[0].dir ^= 1
	c.side[1].dir ^= 1
	c.setEnds()
}

func (c *conn) setEnds() {
	c.pc.Client, c.pc.ClientPort = c.flow.Client()
	c.pc.Server, c.pc.ServerPort = c.flow.Server()
}

func (c *conn) table() *protoTable {
	if c.pc.Transport == proto.UDP {
		return &c.w.e.udp
	}
	return &c.w.e.tcp
}

func (c *conn) resetProbe() {
	all := c.table().all
	for d := range c.side {
		s := &c.side[d]
		s.cand, s.weak, s.seen, s.dropped = all, 0, 0, 0
	}
}

// release ends the parsers of c and gives all its memory back. The flow will
// not be looked into again.
func (w *Worker) release(fl *flow.Flow, c *conn) {
	w.endParser(fl, c)
	for d := range c.side {
		s := &c.side[d]
		if c.pc.Transport == proto.TCP {
			s.stream.Stop(w.pool)
		}
	}
	fl.App = w.over
	c.flow = nil
	c.list.remove(c)
	w.live--
	w.conns = append(w.conns, c)
}

// endParser ends the parsing of a flow and gives back what it held.
func (w *Worker) endParser(fl *flow.Flow, c *conn) {
	c.ended = true
	c.dropParser()
	c.dropFiles()
	if c.inner != nil {
		c.inner.end(w)
		c.inner = nil
	}
	if fl.AppProto == "" && c.first != nil {
		fl.AppProto = Unrecognised
	}
	for d := range c.side {
		c.side[d].drop()
	}
}

// Unrecognised is the app_proto of a flow whose content no protocol claims.
const Unrecognised = "failed"

func (w *Worker) getParser(i int) proto.Parser {
	if f := w.parsers[i]; len(f) > 0 {
		p := f[len(f)-1]
		w.parsers[i] = f[:len(f)-1]
		w.freeBytes -= sizeOf(p)
		return p
	}
	return w.e.cfg.Protocols[i].New()
}

// Idle parsers wait for the next flow of their protocol; what a flood leaves
// beyond these bounds goes to the garbage collector.
const (
	maxFreeParsers = 512     // of one protocol
	maxFreeBytes   = 4 << 20 // that all of a worker's hold together, see proto.Sizer
)

func (w *Worker) putParser(i int, p proto.Parser) {
	p.Reset()
	n := sizeOf(p)
	if len(w.parsers[i]) < maxFreeParsers && w.freeBytes+n <= maxFreeBytes {
		w.parsers[i] = append(w.parsers[i], p)
		w.freeBytes += n
	}
}

// sizeOf returns what p holds beyond its fixed size.
func sizeOf(p proto.Parser) int {
	if s, ok := p.(proto.Sizer); ok {
		return s.Size()
	}
	return 0
}

// start gives the flow to protocol i.
func (c *conn) start(i int) {
	p := &c.w.e.cfg.Protocols[i]
	c.idx = i
	c.parser = c.w.getParser(i)
	c.sizer, _ = c.parser.(proto.Sizer)
	c.bulk, _ = c.parser.(proto.Bulk)
	if c.limit = p.Limit; c.limit == 0 {
		c.limit = proto.DefaultLimit
	}
	c.pc.AppProto = p.Name
	c.flow.AppIndex = uint8(i + 1)
	c.named()
}

// measure keeps the sum of what parsers hold up to date; a flow that holds more
// than its share, or brings the sum over the budget, is given up.
func (c *conn) measure() {
	n := 0
	if c.sizer != nil {
		n = c.sizer.Size()
	}
	if in := c.inner; in != nil && in.parser != nil {
		n += sizeOf(in.parser)
	}
	c.w.parserBytes += n - c.size
	c.size = n
	budget := c.w.e.cfg.ParserMemory
	if n > flowShare(budget) {
		c.w.n.ParserLimit++
		c.anomaly("memory_limit")
		c.ended = true
		return
	}
	// Who holds much gives way first, else who has been quiet for longest: a
	// few greedy flows must not blind the worker to all others.
	for range maxRounds {
		if c.w.parserBytes <= budget || n == 0 {
			return
		}
		c.w.n.ParserLimit++
		v := c.w.oldest()
		if n > budget/greedyShare || v == nil || v == c {
			break
		}
		c.w.giveUp(v)
	}
	c.anomaly("memory_limit")
	c.ended = true
}

// Shares of ParserMemory, one in so many, that the parsers of one flow may hold:
// maxShare at any time, greedyShare when memory is short. The most seen in
// captures is 117 kB (SMB, November 2026), so that minFlowMemory stays for a
// flow however small the budget is.
const (
	maxShare      = 16
	greedyShare   = 64
	minFlowMemory = 256 << 10
)

// flowShare is how many bytes of the budget the parsers of one flow may hold.
func flowShare(budget int) int { return min(budget, max(budget/maxShare, minFlowMemory)) }

// dropParser ends the parser and takes it back.
func (c *conn) dropParser() {
	if c.parser == nil {
		return
	}
	c.parser.End(&c.pc)
	c.w.putParser(c.idx, c.parser)
	c.w.parserBytes -= c.size
	c.parser, c.sizer, c.bulk, c.size = nil, nil, nil, 0
}

// named copies the parser's idea of the protocol to the flow.
func (c *conn) named() {
	f := c.flow
	if f.AppProto == c.pc.AppProto {
		return
	}
	if f.AppProto != "" && c.switches > 0 && f.AppProtoOrig == "" {
		f.AppProtoOrig = f.AppProto
	}
	f.AppProto = c.pc.AppProto
}

// Data takes the next bytes of the stream.
func (s *side) Data(b []byte) {
	c := s.c
	if c.w.match != nil {
		c.w.match.Show(s.dir, b, 0)
		c.w.match.Stream(s.dir, b)
	}
	if c.ended {
		return
	}
	if c.first == nil {
		c.first = s
	}
	if len(s.held) > 0 {
		if !s.hold(b) {
			return
		}
		b = s.held
	}
	c.run(s, b)
}

// Gap says that n bytes of the stream are lost here.
func (s *side) Gap(n int) {
	c := s.c
	ours := s.skipped // of what was let go of; rules have done with the stream
	if ours {
		s.skipped = c.loose == s
		if n = s.pass(n); n == 0 {
			return
		}
	}
	if c.w.match != nil && !ours {
		c.w.match.Show(s.dir, nil, n)
		c.w.match.StreamGap(s.dir, n)
	}
	if c.ended {
		return
	}
	if c.first == nil {
		c.first = s
	}
	if !ours && c.w.num != 0 { // at a flow's end nobody has acknowledged what is missing
		c.w.n.Gaps++
	}
	s.drop()
	if c.parser == nil {
		// What follows cannot be the start of anything, but a protocol may
		// still know its messages.
		c.pc.Midstream = true
		s.dropped += n
		return
	}
	c.parsing = s.dir
	if err := c.parser.Gap(&c.pc, s.dir, n); err != nil {
		c.ended = true
		return
	}
	c.afterGap()
}

// afterGap follows a parser that leaves the flow to another one because of
// lost bytes. The start of what comes next may be among them.
func (c *conn) afterGap() {
	if next, ok := c.pc.Switched(); ok {
		c.pc.Midstream = true
		c.swap(next)
	}
}

// hold appends b to the held bytes; false when the budget is exhausted, which
// ends the parsing of the flow.
func (s *side) hold(b []byte) bool {
	w := s.c.w
	n := len(s.held) + len(b)
	if n > cap(s.held) {
		nb := w.bufs.get(n)
		if nb == nil {
			s.c.anomaly("memory_limit")
			w.n.HeldLimit++
			s.c.ended = true
			return false
		}
		nb = append(nb, s.held...)
		w.bufs.put(s.held)
		s.held = nb
	}
	s.held = append(s.held, b...)
	return true
}

// keep makes rest the held bytes; rest may lie inside them.
func (s *side) keep(rest []byte) {
	if len(rest) == 0 {
		s.drop()
		return
	}
	if len(s.held) > 0 && &rest[0] == &s.held[0] {
		s.held = s.held[:len(rest)] // nothing was consumed: a byte at a time must not cost a copy each
		return
	}
	if cap(s.held) >= len(rest) {
		s.held = append(s.held[:0], rest...) // memmove: overlap is fine
		return
	}
	s.drop()
	s.hold(rest)
}

func (s *side) drop() {
	s.c.w.bufs.put(s.held)
	s.held = nil
}

// run offers data of side s to the parser, or to the probes while there is
// none, and then whatever became due by that: both sides' held bytes after an
// identification or a switch, the other side's after a wake.
func (c *conn) run(s *side, data []byte) {
	for range maxRounds {
		s.due = false
		if c.parser == nil {
			i := c.identify(s, data)
			if c.ended {
				return
			}
			if i < 0 {
				s.keepProbing(data)
			} else {
				c.start(i)
				s.keep(data)
				c.lost()
				c.side[0].due, c.side[1].due = true, true
				s = c.other(c.first) // so that who spoke first is served first
			}
		} else if !c.parse(s, data) {
			return
		}
		if c.ended {
			return
		}
		switch o := c.other(s); {
		case o.due && len(o.held) > 0:
			s = o
		case s.due && len(s.held) > 0:
		default:
			return
		}
		data = s.held
	}
}

// lost tells a fresh parser of bytes that were given up while probing.
func (c *conn) lost() {
	for d := range c.side {
		if s := &c.side[d]; s.dropped > 0 && c.parser != nil {
			n := s.dropped
			s.dropped = 0
			if c.parser.Gap(&c.pc, s.dir, n) != nil {
				c.ended = true
			}
			c.afterGap()
		}
	}
}

// parse gives data to the parser; false when parsing of the flow is over.
func (c *conn) parse(s *side, data []byte) bool {
	c.parsing = s.dir
	n, err := c.parser.Parse(&c.pc, s.dir, data)
	if n < 0 || n > len(data) {
		n = len(data)
	}
	c.named()
	c.measure()
	switch {
	case err != nil:
		c.anomaly("parser_error")
		c.ended = true
		return false
	case c.pc.Finished():
		c.ended = true
	}
	if c.ended {
		return false
	}
	s.keep(data[n:])
	if next, ok := c.pc.Switched(); ok {
		return c.swap(next)
	}
	if len(s.held) > c.limit {
		c.anomaly("limit")
		c.ended = true
		return false
	}
	if c.pc.Woken() {
		c.other(s).due = true
	}
	return true
}

// swap ends the parser and gives what follows to the named protocol, or to the
// probes.
func (c *conn) swap(name string) bool {
	c.dropParser()
	if c.inner != nil {
		c.inner.end(c.w)
		c.inner = nil
	}
	if c.switches++; c.switches > MaxSwitches {
		c.anomaly("too_many_switches")
		c.ended = true
		return false
	}
	c.resetProbe()
	c.first = c.of(packet.ToServer)
	if i, ok := c.w.e.byName[name]; ok {
		c.start(i)
	}
	c.side[0].due, c.side[1].due = true, true
	return true
}

// datagram takes one UDP payload.
func (c *conn) datagram(d packet.Dir, b []byte) {
	s := c.of(d)
	if c.first == nil {
		c.first = s
	}
	if c.parser == nil {
		i := c.identify(s, b)
		if i < 0 {
			return
		}
		c.start(i)
	}
	for range MaxSwitches + 1 {
		c.parsing = s.dir
		n, err := c.parser.Parse(&c.pc, s.dir, b)
		c.named()
		c.measure()
		if err != nil {
			c.anomaly("parser_error")
			if c.errors++; c.errors >= MaxDatagramErrors {
				c.ended = true
			}
			return
		}
		if c.pc.Finished() {
			c.ended = true
			return
		}
		c.pc.Woken()
		next, ok := c.pc.Switched()
		if !ok || !c.swap(next) || n < 0 || n >= len(b) {
			return
		}
		// What the parser left of the datagram is the first of the next
		// protocol.
		b = b[n:]
		if c.parser == nil {
			i := c.identify(s, b)
			if i < 0 {
				return
			}
			c.start(i)
		}
	}
}
