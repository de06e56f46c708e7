package mining

import (
	"math"
	"time"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/stratum"
	"github.com/yamori-net/yamori/internal/textline"
)

// tellEvery is how often a session that goes on is told of.
const tellEvery = int64(10 * time.Minute)

// basis is what an estimate of energy stands on: joules for each hash or
// solution as machines of one kind need them, or, where the rate is not known,
// the watts of such a machine. The ranges are wide on purpose: they go from the
// best of the kind to the worst that is still in use. They come from makers'
// data sheets and published benchmarks of named machines, which
// docs/detection/mining-dialects.md lists; none was measured for this project.
type basis struct {
	name   string
	from   float64    // lowest rate that such a machine is taken for
	joules [2]float64 // for each hash or solution
	watts  [2]float64 // of one machine
}

// bases lists kinds of machines by algorithm; of one algorithm the fastest
// first.
var bases = map[string][]basis{
	"sha256d": {
		{"sha256d-asic", 10e9, [2]float64{1.5e-11, 1.5e-10}, [2]float64{15, 3600}},
		{"sha256d-gpu", 10e6, [2]float64{5e-9, 5e-7}, [2]float64{2, 300}},
		{"sha256d-cpu", 0, [2]float64{1e-6, 2e-5}, [2]float64{0.5, 150}},
	},
	"scrypt": {
		{"scrypt-asic", 10e6, [2]float64{3e-7, 3e-6}, [2]float64{50, 3500}},
		{"scrypt-cpu", 0, [2]float64{2e-4, 4e-3}, [2]float64{5, 150}},
	},
	"randomx":    {{"randomx", 0, [2]float64{5e-3, 6e-2}, [2]float64{4, 200}}},
	"ghostrider": {{"ghostrider", 0, [2]float64{1e-2, 1e-1}, [2]float64{4, 200}}},
	"ethash":     {{"ethash", 0, [2]float64{8e-7, 1e-5}, [2]float64{60, 350}}},
	"kawpow":     {{"kawpow", 0, [2]float64{3e-6, 1.2e-5}, [2]float64{60, 350}}},
	"autolykos2": {{"autolykos2", 0, [2]float64{5e-7, 2e-6}, [2]float64{60, 350}}},
	"equihash": {
		{"equihash-asic", 5e3, [2]float64{3e-3, 2e-2}, [2]float64{300, 2700}},
		{"equihash-gpu", 0, [2]float64{0.2, 1}, [2]float64{60, 350}},
	},
	"kheavyhash": {
		{"kheavyhash-asic", 20e9, [2]float64{1.5e-10, 1e-9}, [2]float64{60, 3500}},
		{"kheavyhash-gpu", 0, [2]float64{5e-8, 3e-7}, [2]float64{60, 350}},
	},
	"duco-s1": {{"duco-s1", 0, [2]float64{0, 0}, [2]float64{0.2, 100}}},
	"browser": {{"browser", 0, [2]float64{5e-3, 2e-1}, [2]float64{3, 100}}},
	"gpu":     {{"gpu", 0, [2]float64{0, 0}, [2]float64{60, 350}}},
	"cpu":     {{"cpu", 0, [2]float64{0, 0}, [2]float64{4, 200}}},
}

// algorithm names the entry of bases that a session's work belongs to.
func algorithm(s *stratum.Session) string {
	a := s.Algorithm.Bytes()
	switch s.Dialect {
	case stratum.DialectCoinhive, stratum.DialectWebMinerPool:
		return "browser"
	case stratum.DialectCryptoNote:
		for _, p := range [...]string{"", "rx/", "randomx", "cn", "panthera", "argon2"} { // CryptoNight needs about the same
			if len(a) == 0 || p != "" && textline.HasPrefix(a, p) {
				return "randomx"
			}
		}
		return "cpu"
	case stratum.DialectEthProxy, stratum.DialectEthereum1, stratum.DialectEthereum2, stratum.DialectEthSubscribe:
		return "ethash"
	case stratum.DialectKawPow:
		return "kawpow"
	case stratum.DialectErgo:
		return "autolykos2"
	case stratum.DialectEquihash:
		if string(a) == "verushash" {
			return "cpu"
		}
		return "equihash"
	case stratum.DialectKaspa:
		return "kheavyhash"
	case stratum.DialectDuino:
		return "duco-s1"
	case stratum.DialectV2:
		return "sha256d"
	case stratum.DialectXelis, stratum.DialectDero, stratum.DialectNimiq:
		return "cpu"
	case stratum.DialectGetwork:
		return "sha256d"
	case stratum.DialectTemplate:
		switch s.Coin() {
		case "monero":
			return "randomx"
		case "kaspa":
			return "kheavyhash"
		}
		return "sha256d"
	case stratum.DialectStratum:
		switch s.Effort.Scale {
		case 1 << 16:
			if textline.HasPrefix(s.Agent.Bytes(), "xmrig") {
				return "ghostrider"
			}
			return "scrypt"
		case 1 << 32:
			if s.Coin() == "dash" {
				return ""
			}
			return "sha256d"
		}
		return ""
	case stratum.DialectUnknown:
		return ""
	}
	return "gpu" // Grin, Beam, CKB, Alephium, Iron Fish, Handshake, Aeternity: graphics cards before all
}

// run tells what a session has come to.
func run(s *stratum.Session) *event.MiningRun {
	e := &s.Effort
	r := &event.MiningRun{
		First: s.First, Last: s.Last, Jobs: uint64(s.Jobs),
		Shares: uint64(s.Shares), Accepted: uint64(s.Accepted), Rejected: uint64(s.Rejected),
		Difficulty: readable(s.Diff.Bytes()), PerShare: round(e.PerShare), Work: round(e.Work),
		Solutions: e.Solutions, Reported: round(e.Reported),
	}
	hours := float64(r.Last-r.First) / 3.6e12
	// Of a few seconds no rate can be told.
	if counted := s.Shares - min(s.Shares, s.Rejected); counted > 0 && e.Work > 0 && hours > 10.0/3600 {
		r.Rate = round(e.Work / (hours * 3600))
		r.RateError = round(1 / math.Sqrt(float64(counted)))
		if e.Assumed {
			r.Assumed = "sha256d"
		}
	}
	rate := r.Rate
	if r.Reported > 0 && (rate == 0 || r.RateError > 0.3) {
		rate = r.Reported
	}
	estimate(r, algorithm(s), rate, hours)
	return r
}

// estimate fills in what the work may take.
func estimate(r *event.MiningRun, algo string, rate, hours float64) {
	for _, b := range bases[algo] {
		if rate < b.from && rate > 0 {
			continue
		}
		if rate == 0 && b.from > 0 {
			// Any kind of machine could be meant: from the least to the most.
			all := bases[algo]
			b = basis{name: algo, watts: [2]float64{all[len(all)-1].watts[0], b.watts[1]}}
		}
		r.Basis = b.name
		r.Power = b.watts
		if rate > 0 && b.joules[1] > 0 {
			// A slow rate may come from a fast machine that is held back, or from
			// one that is not made for it: up to what it takes at the least.
			r.Joules, r.Least = b.joules, b.watts[0]
			r.Power = [2]float64{rate * b.joules[0], max(rate*b.joules[1], r.Least)}
		}
		for i := range r.Power {
			r.Power[i] = round(r.Power[i])
			r.Energy[i] = round(r.Power[i] * hours)
		}
		return
	}
}

// round keeps three significant digits: more would pretend.
func round(v float64) float64 {
	if v <= 0 || math.IsInf(v, 0) || math.IsNaN(v) {
		return 0
	}
	p := math.Pow(10, 2-math.Floor(math.Log10(v)))
	if math.IsInf(p, 0) || p == 0 {
		return v
	}
	return math.Round(v*p) / p
}

// Progress tells how a session goes on, every tellEvery and at its end.
func (in *inline) Progress(c *proto.Conn, tx proto.Tx) (*event.MiningUpdate, bool) {
	s, done := sessionOf(tx)
	if s == nil || !s.Mining() {
		return nil, false
	}
	if s.Told == 0 {
		s.Told = s.First
	}
	if !done && c.Time-s.Told < tellEvery {
		return nil, false
	}
	s.Told = c.Time
	in.update = event.MiningUpdate{Detail: *detail(s, c, ""), Family: kinds[s.Dialect].family, Final: done, FromClient: s.MinerIsClient()}
	in.update.Detail.Run = run(s)
	return &in.update, true
}
