package mining

import (
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/yamori-net/yamori/internal/detect"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/flow"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/stratum"
)

// Limits of what is remembered across flows.
const (
	maxNodes  = 1024 // addresses that miners were seen to work for, or that mine
	maxMiners = 256  // miners of one address that are told apart
	maxShown  = 32   // of them, in a finding
)

// Collectors returns the detector of devices that gather miners: a host that
// other hosts mine for and that itself mines for somebody. What one flow shows
// of that is half of it, so its workers share what they saw of miners and
// pools; they do so when a flow turns out to mine and when a share is handed
// in, not for other packets.
func Collectors() detect.Detector { return collectorsWith(newLedger()) }

// Detectors returns all detectors of mining. Those whose workers share what they
// saw also share it with one another: the mining that a device gathers may be
// in clear and what it passes on inside TLS, or the other way round.
func Detectors() []detect.Detector {
	m, err := ReadModel(strings.NewReader(modelText))
	if err != nil {
		panic(err) // the file is part of the program; a test reads it
	}
	l := newLedger()
	return []detect.Detector{detectorWith(newAsker()), sequenceWith(m, l), collectorsWith(l), Farming}
}

func newLedger() *ledger { return &ledger{nodes: map[packet.Addr]*node{}} }

func collectorsWith(l *ledger) detect.Detector {
	return detect.Detector{
		Name: "mining-collector",
		Doc:  "devices that gather the mining of others and pass it on",
		New:  func() detect.Inline { return &gatherer{l} },
	}
}

type gatherer struct{ l *ledger }

// ledger remembers who mines for whom.
type ledger struct {
	mu    sync.Mutex
	nodes map[packet.Addr]*node
}

// node is one address.
type node struct {
	port   uint16 // that miners come to
	miners []packet.Addr
	sealed int  // of them, those known by their sequence alone
	more   bool // there are more of them than are told apart
	shares uint64
	up     upstream
	last   int64 // when it was last heard of
	told   told
}

// upstream is whom an address mines for itself.
type upstream struct {
	pool, wallet, worker, agent, coin string
	proxy                             bool // the software is one that gathers miners
	sealed                            bool // known by its sequence alone
}

func (u *upstream) known() bool { return u.pool != "" }

// told is what a node's last finding said.
type told struct {
	miners   int
	upstream bool
}

// Inspect notes who mines for whom in this flow, and tells of the one of the
// two that gathers miners.
func (g *gatherer) Inspect(_ *flow.Flow, c *proto.Conn, tx proto.Tx) (event.Finding, bool) {
	s, _ := sessionOf(tx)
	if s == nil || !s.Mining() || s.Noted == s.Shares+1 {
		return event.Finding{}, false
	}
	handed := s.Shares + 1 - max(s.Noted, 1)
	s.Noted = s.Shares + 1
	miner, pool, port := c.Client, c.Server, c.ServerPort
	if !s.MinerIsClient() {
		miner, pool, port = c.Server, c.Client, c.ClientPort
	}
	if miner == pool || len(c.Target()) > 0 { // through a proxy: who is asked for is not at this address
		return event.Finding{}, false
	}
	g.l.mu.Lock()
	defer g.l.mu.Unlock()
	up := g.l.node(miner, c.Time)
	down := g.l.node(pool, c.Time)
	down.port = port
	down.serve(miner, uint64(handed))
	up.up.take(s, c)
	for _, at := range [...]struct {
		n      *node
		addr   packet.Addr
		client bool
	}{{down, pool, !s.MinerIsClient()}, {up, miner, s.MinerIsClient()}} {
		if at.n.due(at.addr) {
			return at.n.finding(at.addr, at.client, s.Dialect.String()), true
		}
	}
	return event.Finding{}, false
}

// node returns the node of an address. A full ledger forgets the address that
// was not heard of for longest.
func (l *ledger) node(a packet.Addr, now int64) *node {
	n := l.nodes[a]
	if n == nil {
		if len(l.nodes) >= maxNodes {
			var oldest packet.Addr
			at := now
			first := true
			for k, o := range l.nodes {
				if first || o.last < at || o.last == at && slices.Compare(k[:], oldest[:]) < 0 {
					oldest, at, first = k, o.last, false
				}
			}
			delete(l.nodes, oldest)
		}
		n = &node{}
		l.nodes[a] = n
	}
	n.last = now
	return n
}

// weightSealed is what a connection says that was judged by its sequence.
const weightSealed = 2.5

// encrypted notes that an address mines for another by what the sequence of
// their messages says. What was read before says more.
func (l *ledger) encrypted(miner, pool packet.Addr, port uint16, name string, now int64) {
	if miner == pool {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	up, down := l.node(miner, now), l.node(pool, now)
	if !up.up.known() {
		up.up = upstream{pool: name, sealed: true}
	}
	if down.port == 0 {
		down.port = port
	}
	if n := len(down.miners); !down.has(miner) {
		down.serve(miner, 0)
		down.sealed += len(down.miners) - n
	}
}

// serves returns how many miners an address is known to serve whose talk was
// read.
func (l *ledger) serves(a packet.Addr) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := l.nodes[a]; n != nil {
		return len(n.miners) - n.sealed
	}
	return 0
}

// gathers tells the story of the flow's client or server, where there is one to
// tell now: the flow is one of those that mine by their sequence.
func (q *sequence) gathers(f *flow.Flow) (event.Finding, bool) {
	client, _ := f.Client()
	server, _ := f.Server()
	l := q.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, a := range [...]packet.Addr{client, server} {
		if n := l.nodes[a]; n != nil && n.due(a) {
			return n.finding(a, i == 0, "encrypted"), true
		}
	}
	return event.Finding{}, false
}

func (n *node) has(miner packet.Addr) bool {
	_, known := slices.BinarySearchFunc(n.miners, miner, func(a, b packet.Addr) int { return slices.Compare(a[:], b[:]) })
	return known
}

// serve notes a miner of the node.
func (n *node) serve(miner packet.Addr, shares uint64) {
	n.shares += shares
	i, known := slices.BinarySearchFunc(n.miners, miner, func(a, b packet.Addr) int { return slices.Compare(a[:], b[:]) })
	switch {
	case known:
	case len(n.miners) >= maxMiners:
		n.more = true
	default:
		n.miners = slices.Insert(n.miners, i, miner)
	}
}

// take notes whom the node mines for. What a flow does not show yet it shows
// later.
func (u *upstream) take(s *stratum.Session, c *proto.Conn) {
	if u.known() && u.wallet != "" && !u.sealed {
		return
	}
	d := detail(s, c, "")
	*u = upstream{pool: d.Pool, wallet: d.Wallet, worker: d.Worker, agent: d.Agent, coin: d.Coin, proxy: isProxy(d.Agent)}
}

// isProxy reports whether an agent is software that gathers miners.
func isProxy(agent string) bool {
	a := strings.ToLower(agent)
	for _, p := range [...]string{"xmrig-proxy", "xmr-node-proxy", "xnp", "stratum-proxy", "snipa", "braiins-farm-proxy", "btccl"} {
		if strings.HasPrefix(a, p) {
			return true
		}
	}
	return false
}

// due reports whether there is a story to tell of the node, or more of it: it
// serves miners and mines itself, or it serves two and more at home; and since
// it was last told its upstream became known or its miners have doubled.
func (n *node) due(a packet.Addr) bool {
	home := a.Netip().Unmap().IsPrivate() || a.Netip().IsLinkLocalUnicast()
	switch {
	case len(n.miners) == 0, !n.up.known() && (len(n.miners) < 2 || !home):
		return false
	case n.told.miners == 0:
		return true
	}
	return n.up.known() && !n.told.upstream || len(n.miners) >= 2*n.told.miners
}

// finding tells the story of the node at an address; client: it is the flow's
// client.
func (n *node) finding(a packet.Addr, client bool, dialect string) event.Finding {
	n.told = told{len(n.miners), n.up.known()}
	addr := a.Netip().Unmap().String()
	total := strconv.Itoa(len(n.miners))
	if n.more {
		total = "more than " + total
	}
	d := &event.MiningDetail{
		Dialect: dialect, Coin: n.up.coin, Agent: n.up.agent, Worker: n.up.worker, Wallet: n.up.wallet, Pool: n.up.pool,
		MinersTotal: len(n.miners),
	}
	for _, m := range n.miners[:min(len(n.miners), maxShown)] {
		d.Miners = append(d.Miners, m.Netip().Unmap().String())
	}
	f := event.Finding{
		Category: event.Mining, Family: "collector", Detector: Detector.Name, Level: event.Confirmed, Confidence: 0.99,
		SignatureID: 1030, Signature: "Cryptocurrency mining of several devices gathered by one", Severity: 1,
		Code: "mining.collector", Mining: d, FromClient: client,
		Evidence: []event.Evidence{{Code: "collector.listens", Value: "port " + strconv.Itoa(int(n.port)) + ", " + total + " miners", Weight: 5}},
	}
	if n.up.known() {
		up := event.Evidence{Code: "collector.upstream", Value: cut(n.up.pool), Weight: 5}
		if n.up.sealed {
			up.Code, up.Weight = "collector.upstream_sealed", weightSealed
		}
		f.Evidence = append(f.Evidence, up)
		if n.up.proxy {
			f.Evidence = append(f.Evidence, event.Evidence{Code: "collector.agent", Value: n.up.agent, Weight: 4})
		}
	} else {
		f.Code, f.Confidence = "mining.collector_alone", 0.95
		d.Pool = addr + ":" + strconv.Itoa(int(n.port))
	}
	if n.sealed == len(n.miners) {
		// Nothing of it was read: that they mine for it is likely, no more.
		f.Evidence[0].Code, f.Evidence[0].Weight = "collector.listens_sealed", weightSealed
		f.Level, f.Confidence = event.Likely, 0.9
	} else if n.up.sealed {
		f.Confidence = 0.97
	}
	for _, x := range [...]event.Arg{{Name: "pool", Value: d.Pool}, {Name: "miners", Value: total}, {Name: "coin", Value: d.Coin}, {Name: "wallet", Value: d.Wallet}} {
		if x.Value != "" {
			f.Args = append(f.Args, x)
		}
	}
	return f
}
