package mining

import (
	"cmp"
	"fmt"
	"math"
	"net/netip"
	"slices"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/flow"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/seq"
)

// Weights of what speaks for mining beside the sequence, in natural-log odds,
// and the levels that sums of them reach. docs/detection/mining.md gives the
// reasons.
const (
	// With levelLikely it sets what a sequence must say: see "The threshold" in the page.
	seqPrior = -4.0
	// pollPrior is the same of a client that fetches its work, whose scores are lower.
	pollPrior = -2.5

	weightPool    = 6.0
	weightSite    = 0.5
	weightCert    = 5.0
	weightNoName  = 0.8
	weightBare    = 0.4
	weightOpenSSL = 0.4
	weightPort    = 1.0
	weightWeb     = -0.7
	weightKind    = 2.0 // a device that has no reason of its own to act like a miner
	weightOther   = 1.0 // each other flow of the device that looks like it, to a different server; at most two
	weightAgain   = 0.5 // others to the same server: a service is as like a miner in each of its connections
	weightNext    = 1.0
	weightAfter   = 1.5  // begun within minutes after a connection of the device to another server was dropped for mining
	weightRetry   = 0.5  // to the same server: whoever is cut off tries again
	weightServes  = 3.0  // other devices mine for this one
	weightBlur    = -0.4 // in QUIC and SSH lengths are known only nearly

	// mostElse is the most that is added for what a look has to ask others for.
	mostElse = 2*weightOther + weightAgain + weightNext + weightKind + weightAfter + weightServes

	levelSuspect   = -0.5
	levelLikely    = 0.4
	levelConfirmed = 5.0
	// seqNeeded is what the sequence itself must say for anything above
	// suspect: names and ports alone are no proof that anybody mines.
	seqNeeded = 3.5
	// pollNeeded is the same of a client that fetches its work. Registers that are
	// read by a clock and written now and then look alike, so that it is never
	// more than suspect unless the device's kind or a pool's name speaks for it.
	pollNeeded = 0.6
	// sureMargin is how much a sum must be above levelLikely to be believed at
	// the first look; below that the next look must agree.
	sureMargin = 1.0
)

// Judge adds up what speaks for mining in a flow.
func (q *sequence) Judge(f *flow.Flow, t *seq.Tracker, now int64, end bool, who func() event.DeviceRef) (event.Finding, bool) {
	if t.Tag&tagAgain != 0 && !end {
		t.Tag &^= tagAgain
		return q.again(f, who)
	}
	if end {
		if out, ok := q.short(f, t, who); ok {
			return out, true
		}
	}
	if t.Best >= uint8(event.Likely) {
		if out, ok := q.gathers(f); ok {
			return out, true
		}
	}
	x, ok := Look(t)
	if !ok || end && t.Bursts[0]+t.Bursts[1] < seq.FirstLook {
		return event.Finding{}, false
	}
	s := q.model.Score(&x)
	sum := before(x.Shape) + s + tagSum(t.Tag) + blur(t)
	if s < 0 || sum < levelSuspect-mostElse || t.Best >= uint8(event.Confirmed) {
		t.Streak = 0
		return event.Finding{}, false
	}
	dev := who()
	client, _ := f.Client()
	server, port := f.Server()
	same, others, next := q.mem.seen(client, flowSeen{f.ID, server, port, t.Begin, s})
	ev := q.evidence(t, &x, s)
	if w := blur(t); w != 0 {
		ev = append(ev, event.Evidence{Code: "sequence.blur", Weight: w})
	}
	if w := kindWeight(dev.Kind); w != 0 {
		sum += w
		ev = append(ev, event.Evidence{Code: "sequence.device", Value: dev.Kind, Weight: w})
	}
	w := weightOther * float64(min(others, 2))
	if same > 0 {
		w += weightAgain
	}
	if w > 0 {
		sum += w
		ev = append(ev, event.Evidence{Code: "sequence.flows", Value: fmt.Sprintf("%d other connections", same+others), Weight: w})
	}
	if next {
		sum += weightNext
		ev = append(ev, event.Evidence{Code: "sequence.next_server", Value: netip.AddrPortFrom(server.Netip(), port).String(), Weight: weightNext})
	}
	if after, other := q.mem.afterBlock(client, server, port, t.Begin); other {
		sum += weightAfter
		ev = append(ev, event.Evidence{Code: "sequence.after_block", Value: netip.AddrPortFrom(server.Netip(), port).String(), Weight: weightAfter})
	} else if after {
		sum += weightRetry
		ev = append(ev, event.Evidence{Code: "sequence.retry", Weight: weightRetry})
	}
	if n := q.ledger.serves(client); n > 0 {
		sum += weightServes
		ev = append(ev, event.Evidence{Code: "sequence.serves", Value: fmt.Sprintf("%d miners", n), Weight: weightServes})
	}
	v := look(t)
	need, backed := seqNeeded, v.opening() != 0 || kindWeight(dev.Kind) != 0 || t.Tag&(tagPool|tagPoolDNS|tagProxyCert) != 0
	if x.Shape == shapePoll {
		need, backed = pollNeeded, kindWeight(dev.Kind) != 0 || t.Tag&(tagPool|tagPoolDNS|tagProxyCert) != 0
	}
	if sum >= levelLikely && s >= need && backed && v.holds() {
		t.Streak = min(t.Streak+1, 2)
	} else {
		t.Streak = 0
	}
	held := t.Streak >= 2 || t.Streak == 1 && sum >= levelLikely+sureMargin
	level := event.Level(0)
	switch {
	case held && sum >= levelConfirmed && t.Tag&(tagPool|tagPoolDNS|tagProxyCert) != 0:
		level = event.Confirmed
	case held && sum >= levelLikely:
		level = event.Likely
	case sum >= levelSuspect:
		level = event.Suspect
	}
	if level == 0 || uint8(level) <= t.Best {
		return event.Finding{}, false
	}
	t.Best = uint8(level)
	if level >= event.Likely {
		q.ledger.encrypted(client, server, port, q.poolName(t, server, port), now)
	}
	return q.finding(f, t, &x, level, sum, ev), true
}

// Holds reports whether nothing in the counts rules mining out, whatever the
// score: a pool has one word for yes, so that at least three in four answers to
// what could be shares have one length; and blocks are found by chance, so that
// work does not come by a clock alone (what follows Ethereum's slots of twelve
// seconds is a wallet); and shares are found whenever they are, so that there is
// not one for each job (who hands in one result for each task is a worker of
// another kind); and a pool gives out work at the beginning.
func Holds(t *seq.Tracker) bool {
	v := look(t)
	return v.holds() && v.opening() != 0
}

// holds is the same without the last: whoever runs a pool can put that off, so
// that it counts only where nothing but the sequence speaks for mining.
func (v *view) holds() bool {
	if v.clocked() {
		return true // by a clock, but answering what was found
	}
	if c := v.share; c != nil && c.Hit+c.Miss >= 4 && c.Hit < 3*c.Miss {
		return false
	}
	g := &v.s.PushGap
	if n := float64(g.N); g.N >= manyTasks && float64(v.s.Single) > oneForOne*n+2*math.Sqrt(oneForOne*(1-oneForOne)*n) && float64(v.s.Woke) >= .6*v.pushes {
		return false
	}
	return g.N < manyJobs || g.Dev() >= jobClockDev
}

const (
	manyJobs    = 3
	jobClockDev = 0.12
	manyTasks   = 4
	// oneForOne is how often exactly one share comes between two jobs, at most: of
	// a Poisson process between ticks of a clock, one a tick.
	oneForOne = 0.37
)

func before(shape int) float64 {
	if shape == shapePoll {
		return pollPrior
	}
	return seqPrior
}

func blur(t *seq.Tracker) float64 {
	if t.Kind == seq.QUIC || t.Kind == seq.SSH || t.Blocks {
		return weightBlur
	}
	return 0
}

func tagSum(tag uint32) float64 {
	sum := 0.0
	for _, w := range tagWeights {
		if tag&w.tag != 0 {
			sum += w.weight
		}
	}
	return sum
}

var tagWeights = [...]struct {
	tag    uint32
	code   string
	weight float64
}{
	{tagPool, "sequence.pool_name", weightPool},
	{tagPoolDNS, "sequence.pool_address", weightPool},
	{tagPoolSite, "sequence.pool_site", weightSite},
	{tagPoolDNSSite, "sequence.pool_site", weightSite},
	{tagProxyCert, "sequence.proxy_certificate", weightCert},
	{tagNoName, "sequence.no_name", weightNoName},
	{tagBare, "sequence.bare_hello", weightBare},
	{tagOpenSSL, "sequence.openssl", weightOpenSSL},
	{tagPort, "sequence.port", weightPort},
	{tagWeb, "sequence.web_client", weightWeb},
}

// kindWeight is what the kind of a device says: who has no screen to work at
// has no benign reason to talk like a miner.
func kindWeight(kind string) float64 {
	switch kind {
	case "camera", "recorder", "router", "tv", "printer", "plug", "light", "speaker", "appliance", "nas":
		return weightKind
	}
	return 0
}

// maxReasons is how many of the sequence's reasons a finding lists.
const maxReasons = 8

// evidence lists what the sequence and the handshake say, the weightiest of
// the sequence first. The bounded sum of a score's parts is the score.
func (q *sequence) evidence(t *seq.Tracker, x *Vector, s float64) []event.Evidence {
	v := look(t)
	w := q.model.weight[x.Shape]
	var out []event.Evidence
	rest := s
	if Rule(x.Shape) { // which has no parts
		out = append(out, event.Evidence{Code: "sequence.clock_anew", Value: fmt.Sprintf("%d of %d answers", v.s.AnewHit, v.s.Anew), Weight: hundredth(s)})
	}
	for i := range features {
		if p := q.model.slope(x.Shape) * w[i][x.Bins[i]]; math.Abs(p) >= .15 && !Rule(x.Shape) {
			out = append(out, event.Evidence{Code: "sequence." + features[i].name, Value: figure(v, i), Weight: hundredth(p)})
		}
	}
	slices.SortStableFunc(out, func(a, b event.Evidence) int { return cmp.Compare(math.Abs(b.Weight), math.Abs(a.Weight)) })
	out = out[:min(len(out), maxReasons)]
	for _, e := range out {
		rest -= e.Weight
	}
	if !Rule(x.Shape) {
		out = append(out, event.Evidence{Code: "sequence.rest", Value: shapeNames[x.Shape], Weight: hundredth(rest)})
	}
	for _, e := range tagWeights {
		if t.Tag&e.tag != 0 {
			val := ""
			if i := int(t.Tag2) - 1; i >= 0 && i < len(q.pools.all) {
				val = q.pools.all[i].Suffix
			}
			out = append(out, event.Evidence{Code: e.code, Value: val, Weight: e.weight})
		}
	}
	return out
}

func hundredth(x float64) float64 { return math.Round(x*100) / 100 }

// figure writes what a feature saw.
func figure(v view, i int) string {
	x := features[i].value(v)
	if math.IsNaN(x) {
		return "not known yet"
	}
	return fmt.Sprintf("%.4g", x)
}

// poolName names the server: by a pool's name where one is known.
func (q *sequence) poolName(t *seq.Tracker, server packet.Addr, port uint16) string {
	pool := netip.AddrPortFrom(server.Netip(), port).String()
	if i := int(t.Tag2) - 1; i >= 0 && i < len(q.pools.all) && t.Tag&(tagPool|tagPoolDNS) != 0 {
		pool = q.pools.all[i].Suffix + " (" + pool + ")"
	}
	return pool
}

func (q *sequence) finding(f *flow.Flow, t *seq.Tracker, x *Vector, level event.Level, sum float64, ev []event.Evidence) event.Finding {
	a, port := f.Server()
	return encrypted(level, "encrypted-"+shapeNames[x.Shape], q.poolName(t, a, port), sum, append(ev, event.Evidence{Code: "sequence.prior", Weight: before(x.Shape)}))
}

// encrypted makes a finding about what cannot be read; sum is that of the
// evidence's weights.
func encrypted(level event.Level, dialect, pool string, sum float64, ev []event.Evidence) event.Finding {
	out := event.Finding{
		Category: event.Mining, Family: "sequence", Detector: "mining", Level: level,
		Confidence:  math.Round(1e4/(1+math.Exp(-sum))) / 1e4,
		SignatureID: 1100, Signature: "Cryptocurrency mining in an encrypted connection", Severity: 1,
		Code: "mining.encrypted", Mining: &event.MiningDetail{Dialect: dialect, Pool: pool}, FromClient: true,
		Args:     []event.Arg{{Name: "dialect", Value: dialect}, {Name: "pool", Value: pool}},
		Evidence: ev,
	}
	if level == event.Suspect {
		out.Signature, out.Severity = "Possible cryptocurrency mining in an encrypted connection", 2
		out.Confidence = min(out.Confidence, .6)
	}
	return out
}

// LikelyAlone is the score of a sequence that makes mining likely with nothing
// else known of the flow.
const LikelyAlone = levelLikely - seqPrior

// Needed is what a sequence must say whatever else speaks for mining, and
// WebClient what a hello like a browser's takes away.
const (
	Needed    = seqNeeded
	WebClient = -weightWeb
)

// Blur is what less exact lengths take away.
const Blur = -weightBlur

// SureMargin is how much more it must be to be believed at the first look.
const SureMargin = sureMargin
