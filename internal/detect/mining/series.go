package mining

import (
	"fmt"
	"math"
	"net/netip"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/flow"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/seq"
)

// Who mines for himself asks a node for work, and xmrig does so over a new
// connection each time: GET /getheight each second, and each quarter of a
// minute or after a new block POST getblocktemplate. No single connection tells
// of that, their series does: one short request with one short answer by a
// clock, and a longer request whose long answer lists the transactions that
// wait, 64 hexadecimal digits for each.

// Limits of series.
const (
	maxSeries     = 512           // pairs of client and server, shared by the workers; the one quiet for longest gives way
	maxRequests   = 3             // lengths of requests told apart in a series
	seriesQuiet   = int64(1800e9) // after so long the series begins anew
	shortFor      = int64(10e9)   // one exchange takes no longer
	shortRecords  = 4             // that a request has at most
	pollsNeeded   = 60            // short exchanges before anything is said
	fetchesNeeded = 4             // of the longer ones
	movesNeeded   = 4             // changes of an answer's length that say something
	pollDev       = 0.45          // spread of a clock's gaps in which the longer request takes a turn now and then
	hashDigits    = 64            // of a transaction in a template
	longSeries    = int64(3600e9)
)

// Weights of a series, in natural-log odds.
const (
	seriesPrior    = -5.0 // health checks, telemetry and clocks ask again and again, too
	weightPoll     = 1.0
	weightQuick    = 0.5
	weightTemplate = 1.5
	weightSteps    = 3.0
	weightNoSteps  = -2.0
	weightHours    = 0.5
)

type seriesKey struct {
	client, server packet.Addr
	port           uint16
}

// series is what a client's short connections to a server have in common.
type series struct {
	key         seriesKey
	begin, last int64
	n           uint32 // exchanges
	pool        uint32 // as in Tracker.Tag2
	tag         uint32 // as in Tracker.Tag, both of the latest
	best        event.Level
	blocked     bool // a connection of it was dropped
	request     [maxRequests]request
}

// request is a length that the client asks with.
type request struct {
	length       uint16
	n            uint32
	same         uint32 // answers as long as the one before
	moves, steps uint32 // others, and those of them that differ by whole transactions
	unit         uint32 // greatest whole number of transactions that all of these are made of
	answer       uint32 // latest
	longest      uint32
	at           int64
	gap          seq.Moments
}

// add takes an exchange of a request and an answer of so many bytes.
func (s *series) add(begin, end int64, asked, answer uint32) {
	if s.n > 0 && begin-s.last > seriesQuiet {
		*s = series{key: s.key, tag: s.tag, pool: s.pool, blocked: s.blocked}
	}
	if s.n == 0 {
		s.begin = begin
	}
	s.n++
	s.last = max(s.last, end)
	length := uint16(min(asked, math.MaxUint16))
	var r *request
	least := &s.request[0]
	for i := range s.request {
		c := &s.request[i]
		if c.n > 0 && max(c.length, length)-min(c.length, length) <= 3 {
			r = c
			break
		}
		if c.n < least.n {
			least = c
		}
	}
	if r == nil {
		if least.n > 1 { // the rarest gives way, one step at a time
			least.n--
			return
		}
		*least = request{}
		r = least
	} else {
		r.gap.Add(max(begin-r.at, r.at-begin) / 1e6) // connections may end in another order
		d := max(answer, r.answer) - min(answer, r.answer)
		if d <= 3 {
			r.same++
		} else {
			r.moves++
			if k := d % hashDigits; k <= 2 || k >= hashDigits-2 {
				r.steps++
				r.unit = gcd(r.unit, (d+2)/hashDigits)
			}
		}
	}
	r.length, r.answer, r.at = length, answer, begin
	r.longest = max(r.longest, answer)
	r.n++
}

func gcd(a, b uint32) uint32 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// polls returns the request that asks by a clock for one short answer, and the
// one that fetches a template; nil where there is none.
func (s *series) polls() (poll, fetch *request) {
	for i := range s.request {
		r := &s.request[i]
		if d := r.gap.Dev(); r.n >= pollsNeeded && (poll == nil || r.n > poll.n) && d >= 0 && d < pollDev && r.same >= 20*r.moves && r.answer < 1000 {
			poll = r
		}
	}
	if poll == nil {
		return nil, nil
	}
	for i := range s.request {
		r := &s.request[i]
		if r.n >= fetchesNeeded && r.n*4 < poll.n*3 && (fetch == nil || r.n > fetch.n) &&
			r.length >= poll.length+150 && r.length >= 280 && r.length <= 1000 && r.longest >= poll.answer+500 {
			fetch = r
		}
	}
	return poll, fetch
}

// weigh adds up what the series says by itself. telling is whether the answers
// grow as templates do; ok is false when it is none of a miner.
func (s *series) weigh() (ev []event.Evidence, telling, ok bool) {
	poll, fetch := s.polls()
	if poll == nil {
		return nil, false, false
	}
	say := func(w float64, code, format string, args ...any) {
		ev = append(ev, event.Evidence{Code: "series." + code, Value: fmt.Sprintf(format, args...), Weight: w})
	}
	every := math.Exp(poll.gap.Mean())
	say(weightPoll, "poll", "%d times %d bytes, answered by %d", poll.n, poll.length, poll.answer)
	if every <= 5 {
		say(weightQuick, "quick", "%.1f s", every)
	}
	if fetch != nil {
		say(weightTemplate, "template", "%d times %d bytes, answered by up to %d", fetch.n, fetch.length, fetch.longest)
		switch {
		case fetch.moves < movesNeeded:
		case fetch.steps*5 >= fetch.moves*4 && fetch.unit > 1: // lists of longer entries
		case fetch.steps*5 >= fetch.moves*4:
			telling = true
			say(weightSteps, "steps", "%d of %d", fetch.steps, fetch.moves)
		case fetch.steps*2 < fetch.moves:
			say(weightNoSteps, "steps", "%d of %d", fetch.steps, fetch.moves)
		}
	}
	if s.last-s.begin >= longSeries {
		say(weightHours, "hours", "%.1f h", float64(s.last-s.begin)/3.6e12)
	}
	return ev, telling, fetch != nil
}

// judge returns the level that the series has reached, what it stands on, and
// the sum of that.
func (s *series) judge(kind string) (event.Level, []event.Evidence, float64) {
	ev, telling, ok := s.weigh()
	named := s.tag&(tagPool|tagPoolDNS) != 0
	if !ok && (!named || ev == nil) {
		return 0, nil, 0
	}
	for _, w := range tagWeights {
		if s.tag&w.tag != 0 {
			ev = append(ev, event.Evidence{Code: w.code, Weight: w.weight})
		}
	}
	strange := kindWeight(kind)
	if strange != 0 {
		ev = append(ev, event.Evidence{Code: "sequence.device", Value: kind, Weight: strange})
	}
	ev = append(ev, event.Evidence{Code: "series.prior", Weight: seriesPrior})
	sum := 0.0
	for _, e := range ev {
		sum += e.Weight
	}
	switch {
	case sum >= levelConfirmed && ok && named:
		return event.Confirmed, ev, sum
	case sum >= levelLikely && (telling || strange != 0 && ok || named && ok):
		return event.Likely, ev, sum
	case sum >= levelSuspect:
		return event.Suspect, ev, sum
	}
	return 0, nil, sum
}

// exchange reports whether a flow was one request and its answer and nothing
// else.
func exchange(t *seq.Tracker) bool {
	return (t.Kind == seq.TLS13 || t.Kind == seq.TLS12) && t.Bursts[0] == 1 && t.Sum[0] > 0 && t.Sum[1] > 0 &&
		t.Records[0] <= shortRecords && t.Last-t.Begin <= shortFor
}

// short takes a flow that ended along, and judges the series it belongs to.
func (q *sequence) short(f *flow.Flow, t *seq.Tracker, who func() event.DeviceRef) (event.Finding, bool) {
	if !exchange(t) {
		return event.Finding{}, false
	}
	var key seriesKey
	key.client, _ = f.Client()
	key.server, key.port = f.Server()
	m := q.mem
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.seriesOf(key, t.Last)
	s.tag, s.pool = t.Tag, t.Tag2
	s.add(t.Begin, t.Last, t.Sum[0], t.Sum[1])
	if s.n < pollsNeeded || s.best >= event.Confirmed {
		return event.Finding{}, false
	}
	if poll, _ := s.polls(); poll == nil {
		return event.Finding{}, false
	}
	level, ev, sum := s.judge(who().Kind)
	if level <= s.best {
		return event.Finding{}, false
	}
	s.best = level
	return q.seriesFinding(s, level, sum, ev), true
}

// again judges a new connection of a series that mines and whose connections
// are dropped: there is nothing to wait for.
func (q *sequence) again(f *flow.Flow, who func() event.DeviceRef) (event.Finding, bool) {
	var key seriesKey
	key.client, _ = f.Client()
	key.server, key.port = f.Server()
	q.mem.mu.Lock()
	defer q.mem.mu.Unlock()
	i, known := q.mem.seriesAt[key]
	if !known {
		return event.Finding{}, false
	}
	s := &q.mem.series[i]
	level, ev, sum := s.judge(who().Kind)
	if level < event.Likely {
		return event.Finding{}, false
	}
	return q.seriesFinding(s, level, sum, ev), true
}

func (q *sequence) seriesFinding(s *series, level event.Level, sum float64, ev []event.Evidence) event.Finding {
	pool := netip.AddrPortFrom(s.key.server.Netip(), s.key.port).String()
	if i := int(s.pool) - 1; i >= 0 && i < len(q.pools.all) && s.tag&(tagPool|tagPoolDNS) != 0 {
		pool = q.pools.all[i].Suffix + " (" + pool + ")"
	}
	out := encrypted(level, "encrypted-solo", pool, sum, ev)
	out.SignatureID, out.Signature = 1101, "Cryptocurrency mining by asking a node over many encrypted connections"
	if level == event.Suspect {
		out.Signature = "Possible cryptocurrency mining by asking a node over many encrypted connections"
	}
	return out
}

// seriesOf returns the series of a pair, a new one where there is none. The
// caller holds the lock.
func (m *memory) seriesOf(k seriesKey, now int64) *series {
	if i, ok := m.seriesAt[k]; ok {
		return &m.series[i]
	}
	i := len(m.series)
	if i < maxSeries {
		m.series = append(m.series, series{})
	} else {
		i = 0
		for k := range m.series {
			if m.series[k].last < m.series[i].last {
				i = k
			}
		}
		delete(m.seriesAt, m.series[i].key)
	}
	m.series[i] = series{key: k, last: now}
	m.seriesAt[k] = i
	return &m.series[i]
}
