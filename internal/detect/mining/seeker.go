package mining

import (
	"fmt"
	"math"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/flow"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/http"
	"github.com/yamori-net/yamori/internal/proto/http2"
	"github.com/yamori-net/yamori/internal/proto/stratum"
	"github.com/yamori-net/yamori/internal/seq"
)

// Work that is fetched over HTTP comes over as many connections as the miner
// likes to open. What a client asks a server for is therefore put together
// over all of them: one question for a block template is what an explorer's
// page does, the same question by a clock, or a block handed in, is a miner.

// Limits of what is remembered of that.
const (
	maxSeekers  = 512           // pairs of client and server, shared by the workers; the one quiet for longest gives way
	seekerQuiet = int64(1800e9) // after so long it begins anew
	maxRecent   = 8             // requests under way of a pair whose parts are told apart

	asksSuspect = 2  // questions for a template, from nobody who names himself
	asksLikely  = 4  //
	asksClock   = 6  // of them by a clock
	asksMany    = 24 // whatever the clock
	pollsClock  = 12 // for a node's height, by a clock
	askDev      = 0.8
	clockSlow   = 300.0 // seconds: slower than that is somebody who looks now and then
)

// seekerKey is a client, a server, and behind a proxy the hash of whom it was
// asked for.
type seekerKey struct {
	client, server packet.Addr
	port           uint16
	target         uint32
}

// seeker is what one client asked one server for.
type seeker struct {
	key           seekerKey
	s             stratum.Session // what all its messages have shown
	last          int64
	asked, polled uint32 // for work; for the height of the chain
	looked        uint32 // calls of wallets and explorers
	askAt, pollAt int64
	gap, pollGap  seq.Moments
	best          event.Level
	told          int64
	blocked       bool // a connection of it was dropped
	recent        [maxRecent]seenTx
	nextSeen      uint8
}

// seenTx is a request of which parts were counted.
type seenTx struct {
	flow, tx uint64
	parts    uint8
}

const (
	sawRequest = 1 << iota
	sawAnswer
)

// asker is the table of seekers, shared by the workers. It is touched for requests
// that have to do with work, and, once there is such a client, for other calls.
type asker struct {
	n   atomic.Int32 // entries, so that most flows need no lock
	mu  sync.Mutex
	at  map[seekerKey]int
	all []seeker
}

func newAsker() *asker { return &asker{at: map[seekerKey]int{}} }

// visit is one request as far as it has come.
type visit struct {
	flow, tx        uint64
	request, answer bool // complete
	looks           uint32
	poll            bool
	asks            uint32   // questions in one stream of messages, 0: the request is one
	h1              *http.Tx // for the names it gives, either
	h2              *http2.Tx
}

// of returns the entry of k. The caller holds the lock; nil when there is none
// and make is false.
func (a *asker) of(k seekerKey, now int64, make bool) *seeker {
	i, ok := a.at[k]
	switch {
	case ok:
		e := &a.all[i]
		if now-e.last > seekerQuiet {
			*e = seeker{key: k, blocked: e.blocked}
		}
		return e
	case !make:
		return nil
	case len(a.all) < maxSeekers:
		i = len(a.all)
		a.all = append(a.all, seeker{})
	default:
		for k := range a.all {
			if a.all[k].last < a.all[i].last {
				i = k
			}
		}
		delete(a.at, a.all[i].key)
	}
	a.all[i] = seeker{key: k, last: now}
	a.at[k] = i
	a.n.Store(int32(len(a.all)))
	return &a.all[i]
}

// first notes a part of a request and reports whether it is new.
func (e *seeker) first(v *visit, part uint8) bool {
	for i := range e.recent {
		if r := &e.recent[i]; r.parts != 0 && r.flow == v.flow && r.tx == v.tx {
			is := r.parts&part == 0
			r.parts |= part
			return is
		}
	}
	e.recent[e.nextSeen] = seenTx{v.flow, v.tx, part}
	e.nextSeen = (e.nextSeen + 1) % maxRecent
	return true
}

// add takes one request into account: s is what it shows by itself.
func (e *seeker) add(v *visit, s *stratum.Session, now int64) {
	e.last = max(e.last, now)
	e.s.Join(s)
	if v.request && e.first(v, sawRequest) {
		e.looked += v.looks
		if asksWork(s) {
			e.asked++
			if e.asked > 1 {
				e.gap.Add(max(now-e.askAt, 0) / 1e6)
			}
			e.askAt = now
		}
		if v.poll {
			if e.polled++; e.polled > 1 {
				e.pollGap.Add(max(now-e.pollAt, 0) / 1e6)
			}
			e.pollAt = now
		}
		e.s.Hand(s.Shares, 0)
		e.s.Messages[packet.ToServer] += s.Messages[packet.ToServer]
		e.times()
	}
	if v.asks > 1 && v.asks > e.asked {
		e.asked = v.asks
		e.gap.Add(max(now-e.askAt, 0) / 1e6)
		e.askAt = now
		e.times()
	}
	if v.answer && e.first(v, sawAnswer) {
		e.s.Jobs += s.Jobs
		e.s.Accepted += s.Accepted
		e.s.Hand(0, s.Rejected)
		e.s.Messages[packet.ToClient] += s.Messages[packet.ToClient]
	}
}

// times judges how often and how regularly is asked. Questions that get no work,
// and do not say for whom they want it, are those of somebody who looks what a
// node can do.
func (e *seeker) times() {
	if e.s.Jobs == 0 && !e.s.Marks.Has(stratum.MarkTemplateAsk) {
		return
	}
	if e.asked > 1 {
		e.s.Mark(stratum.MarkAskedAgain)
	}
	if e.asked >= asksClock && steady(&e.gap) || e.asked > 0 && e.polled >= pollsClock && steady(&e.pollGap) {
		e.s.Mark(stratum.MarkPolled)
	}
}

// steady reports whether times are those of a clock: about the same gap again
// and again.
func steady(g *seq.Moments) bool {
	d := g.Dev()
	return d >= 0 && d < askDev && g.Mean() < math.Log(clockSlow)
}

// asksWork reports whether a request asks for work.
func asksWork(s *stratum.Session) bool {
	return s.Shares == 0 && (s.Saw(stratum.GetWork) || s.Saw(stratum.GetBlockTemplate) || s.Saw(stratum.EthGetWork) || s.Saw(stratum.GetMinerData) || s.Saw(stratum.AuxPow))
}

// own are marks of somebody who mines, not of somebody who looks at a node.
const own = stratum.Marks(1<<stratum.MarkAgent | 1<<stratum.MarkMethod | 1<<stratum.MarkExtensions | 1<<stratum.MarkPoolHeader | 1<<stratum.MarkBlock |
	1<<stratum.MarkEthShare | 1<<stratum.MarkEthRate | 1<<stratum.MarkLongPoll)

// level says how sure it is that the client mines, 0 for not at all.
func (e *seeker) level() event.Level {
	s := &e.s
	switch {
	case !s.Mining():
		return 0
	case s.Marks&own != 0:
		return event.Confirmed
	case s.Dialect == stratum.DialectEthProxy || s.Dialect == stratum.DialectCKB:
		if e.asked < asksSuspect {
			return event.Likely
		}
		return event.Confirmed
	case s.Dialect != stratum.DialectTemplate, s.Saw(stratum.GetMinerData), s.Saw(stratum.AuxPow):
		return event.Confirmed // nobody but miners asks for getwork, or for what p2pool needs
	case e.looked > e.asked: // somebody who looks at blocks and payments, too
		if e.asked >= asksLikely {
			return event.Suspect
		}
		return 0
	case s.Marks.Has(stratum.MarkPolled):
		return event.Confirmed
	case e.asked >= asksMany:
		return event.Confirmed
	case e.asked >= asksLikely:
		return event.Likely
	case e.asked >= asksSuspect || s.Marks.Has(stratum.MarkWallet):
		return event.Suspect
	}
	return 0
}

// judge takes a request into account and tells what is new: a level that was
// not reached before, a reminder while it goes on, or a connection of a client
// whose connections are dropped.
func (in *inline) judge(f *flow.Flow, c *proto.Conn, v *visit, s *stratum.Session) (out event.Finding, ok bool) {
	a := in.asker
	if s.Marks == 0 && !(v.poll || v.looks > 0) || s.Marks == 0 && a.n.Load() == 0 {
		return out, false
	}
	k := seekerKey{client: c.Client, server: c.Server, port: c.ServerPort, target: hash(c.Target())}
	if f != nil {
		v.flow = f.ID
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	e := a.of(k, c.Time, s.Marks != 0)
	if e == nil {
		return out, false
	}
	e.add(v, s, c.Time)
	level := e.level()
	if level == 0 || level <= e.best && (level < event.Likely || !e.blocked && c.Time-e.told < tellEvery) {
		return out, false
	}
	if level <= e.best && in.last == (lastTold{k, v.flow, level}) {
		return out, false // this connection was told of
	}
	e.best, e.told = max(level, e.best), c.Time
	e.blocked = false // until this one is dropped, too: the owner may have thought better of it
	in.last = lastTold{k, v.flow, level}
	pool := ""
	switch {
	case v.h1 != nil:
		account(&e.s, v.h1)
		pool = host(c, v.h1)
	case v.h2 != nil && len(v.h2.Host) > 0:
		pool = string(v.h2.Host) + ":" + strconv.Itoa(int(c.ServerPort))
	}
	out = finding(&e.s, c, level, pool)
	for i := range out.Evidence {
		x := &out.Evidence[i]
		switch x.Code {
		case stratum.MarkAskedAgain.Code():
			x.Value = fmt.Sprintf("asked %d times", e.asked)
		case stratum.MarkPolled.Code():
			g := &e.gap
			if !steady(g) {
				g = &e.pollGap
			}
			x.Value = fmt.Sprintf("every %.1f s", math.Exp(g.Mean()))
		}
	}
	return out, true
}

// lastTold is the connection that a worker told of last.
type lastTold struct {
	key   seekerKey
	flow  uint64
	level event.Level
}

// Blocked notes that what was just told of is dropped: each further connection
// of the same client to the same server is told of, too.
func (in *inline) Blocked(f *flow.Flow, found *event.Finding, _ int64) {
	if found.Detector != Detector.Name || in.last.flow != f.ID {
		return
	}
	in.asker.mu.Lock()
	defer in.asker.mu.Unlock()
	if i, ok := in.asker.at[in.last.key]; ok {
		in.asker.all[i].blocked = true
	}
}

// Rises says that a flow is judged on after a finding: a client that asks may
// hand in later. Streams tell once, by themselves.
func (in *inline) Rises() {}

// hash is FNV-1a; 0 for nothing.
func hash(b []byte) uint32 {
	if len(b) == 0 {
		return 0
	}
	h := uint32(2166136261)
	for _, c := range b {
		h = (h ^ uint32(c)) * 16777619
	}
	return h
}

// lookers are calls of wallets and explorers, of Bitcoin's, Ethereum's and
// Monero's daemons and their kin. Who waits for blocks to mine on asks for the
// latest one, its height and the state of mining; those are not among them.
var lookers = [...]string{
	"getblock", "getrawtransaction", "gettransaction", "getrawmempool", "getmempoolinfo", "getmempoolentry", "estimatesmartfee", "estimatefee", "getblockstats",
	"getchaintxstats", "gettxout", "gettxoutsetinfo", "getbalance", "getbalances", "getwalletinfo", "listunspent", "listtransactions", "listsinceblock", "sendrawtransaction",
	"sendtoaddress", "getnewaddress", "decoderawtransaction", "scantxoutset", "getpeerinfo", "getblockfilter",
	"eth_getBalance", "eth_call", "eth_getBlockByNumber", "eth_getBlockByHash", "eth_getTransactionByHash", "eth_getTransactionReceipt", "eth_getTransactionCount", "eth_getLogs",
	"eth_gasPrice", "eth_estimateGas", "eth_sendRawTransaction", "eth_getCode", "eth_feeHistory", "eth_accounts", "net_peerCount",
	"get_transactions", "get_transaction_pool", "get_fee_estimate", "get_block", "get_output_distribution", "get_balance", "get_transfers", "transfer",
}

func looker(name []byte) bool {
	if len(name) < 8 {
		return false
	}
	for _, l := range lookers {
		if l == string(name) {
			return true
		}
	}
	return false
}
