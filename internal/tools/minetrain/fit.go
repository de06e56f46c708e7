package main

import (
	"math"
	"slices"

	"github.com/yamori-net/yamori/internal/detect/mining"
)

// lambda is the strength of the pull of every weight to zero. A weight is worth
// what several recordings agree on.
const lambda = 4

// weights gives each look its part: mining and not weigh the same; of each,
// every client program or service the same; of these, every recording; of a
// recording, every look.
func weights(d []*item) map[*item]float64 {
	names := [2]map[string]int{{}, {}}
	for _, it := range d {
		if len(it.looks) > 0 {
			names[class(it)][it.group+"/"+it.client]++
		}
	}
	total := 0.0
	for _, it := range d {
		if len(it.looks) > 0 {
			total++
		}
	}
	w := map[*item]float64{}
	for _, it := range d {
		n := names[class(it)]
		if len(it.looks) > 0 {
			w[it] = total / 2 / float64(len(n)) / float64(n[it.group+"/"+it.client]) / float64(len(it.looks))
		}
	}
	return w
}

func class(it *item) int {
	if it.mining {
		return 1
	}
	return 0
}

// fit finds the weights by Newton's method: logistic regression on the bins,
// for each shape by itself.
func fit(all []*item) *mining.Model {
	m := mining.NewModel()
	base := make([]int, mining.NumFeatures())
	dim := 1
	pull := []float64{0}
	for f := range base {
		base[f] = dim
		dim += mining.Bins(f)
		for range mining.Bins(f) {
			pull = append(pull, lambda)
		}
	}
	for shape := range mining.NumShapes {
		if mining.Rule(shape) {
			m.Set(shape, -1, 0, mining.RuleWeight)
			continue
		}
		d := looking(tellable(all), mining.Polls(shape))
		w := weights(d)
		beta := make([]float64, dim)
		idx := make([]int, mining.NumFeatures()+1)
		for range 12 {
			g := make([]float64, dim)
			h := make([][]float64, dim)
			for i := range h {
				h[i] = make([]float64, dim)
				if i > 0 {
					h[i][i] = pull[i]
					g[i] = -pull[i] * beta[i]
				} else {
					h[i][i] = 1e-3
				}
			}
			for _, it := range d {
				wi := w[it]
				y := float64(class(it))
				for k := range it.looks {
					x := &it.looks[k].x
					if x.Shape != shape {
						continue
					}
					z := beta[0]
					for f := range base {
						idx[f+1] = base[f] + int(x.Bins[f])
						z += beta[idx[f+1]]
					}
					p := 1 / (1 + math.Exp(-z))
					r, c := wi*(y-p), wi*max(p*(1-p), 1e-6)
					for _, i := range idx {
						g[i] += r
						for _, j := range idx {
							if j <= i {
								h[i][j] += c
							}
						}
					}
				}
			}
			step := solve(h, g)
			most := 0.0
			for i := range beta {
				beta[i] += step[i]
				most = max(most, math.Abs(step[i]))
			}
			if most < 1e-4 {
				break
			}
		}
		m.Set(shape, -1, 0, beta[0])
		for f := range base {
			for b := range mining.Bins(f) {
				m.Set(shape, f, b, beta[base[f]+b])
			}
		}
	}
	return m
}

// pollSource is the recording of clients that ask by a clock (minelab plan -set
// polls).
const pollSource = "d"

// carriedSources are the recordings of tunnels: nothing is learnt from them.
var carriedSources = []string{"g", "i"}

func (it *item) carried() bool { return slices.Contains(carriedSources, it.source) }

// looking returns the recordings with those of their looks that saw a client
// fetch its work, or with the others: the two are learnt from by themselves. The
// recording of those who poll teaches nothing about the others; it tests them.
func looking(d []*item, polls bool) (out []*item) {
	for _, it := range d {
		c := *it
		c.looks = nil
		for _, l := range it.looks {
			if mining.Polls(l.x.Shape) == polls && (polls || it.source != pollSource) && !it.carried() {
				c.looks = append(c.looks, l)
			}
		}
		out = append(out, &c)
	}
	return out
}

// solve solves h·x = g for a symmetric positive h given by its lower triangle,
// by Cholesky's method, in place.
func solve(h [][]float64, g []float64) []float64 {
	n := len(g)
	for i := range n {
		for j := range i + 1 {
			s := h[i][j]
			for k := range j {
				s -= h[i][k] * h[j][k]
			}
			if i == j {
				h[i][i] = math.Sqrt(max(s, 1e-12))
			} else {
				h[i][j] = s / h[j][j]
			}
		}
	}
	x := make([]float64, n)
	for i := range n {
		s := g[i]
		for k := range i {
			s -= h[i][k] * x[k]
		}
		x[i] = s / h[i][i]
	}
	for i := n - 1; i >= 0; i-- {
		for k := i + 1; k < n; k++ {
			x[i] -= h[k][i] * x[k]
		}
		x[i] /= h[i][i]
	}
	return x
}

// calibrate sets slope and cap. The slope is the one that makes the scores of
// recordings left out (by client or service) most probable; the cap is the
// logarithm of how many benign recordings there are: none of them can teach
// that something is rarer than one in their number. The impostors are left out
// of the slope: weighed like each other kind they would say that one in sixteen
// of what a home talks to is a miner's double.
func calibrate(m *mining.Model, all []*item) {
	m.Slope, m.PollSlope = slope(looking(real(all), false)), slope(looking(all, true))
	benign := 0
	for _, it := range all {
		if !it.mining && it.source != pollSource && !it.carried() {
			benign++
		}
	}
	m.Cap = math.Log(float64(max(2, benign)))
}

// impostors are the services that were made to be a miner in all but what is
// said.
var impostors = []string{"counter-events", "visitor-counter", "listen-notify", "remote-procedure-worker", "eth-subscribe"}

// doubles are those of them that nothing tells from a miner, or that a rule
// does (mining.Holds). They teach nothing, but count as false alarms.
var doubles = []string{"listen-notify", "remote-procedure-worker"}

func tellable(all []*item) []*item { return without(all, doubles) }

func real(all []*item) []*item { return without(all, impostors) }

func without(all []*item, services []string) (out []*item) {
	for _, it := range all {
		if it.mining || !slices.Contains(services, it.client) {
			out = append(out, it)
		}
	}
	return out
}

func slope(d []*item) float64 {
	type scored struct{ raw, y, w float64 }
	var all []scored
	w := weights(d)
	for _, part := range split(d, func(it *item) string { return it.group }) {
		mm := fit(part.train)
		for _, it := range part.test {
			for k := range it.looks {
				all = append(all, scored{mm.Raw(&it.looks[k].x), float64(class(it)), w[it]})
			}
		}
	}
	best, least := 1.0, math.Inf(1)
	for s := .1; s <= 2; s += .01 {
		loss := 0.0
		for _, a := range all {
			z := s * a.raw
			if a.y == 1 {
				z = -z
			}
			loss += a.w * math.Log1p(math.Exp(min(z, 500)))
		}
		if loss < least {
			best, least = s, loss
		}
	}
	return best
}

// part is one way of leaving out.
type part struct {
	name        string
	train, test []*item
}

// split leaves out each value of key in turn.
func split(d []*item, key func(*item) string) (out []part) {
	seen := map[string]int{}
	for _, it := range d {
		k := key(it)
		if _, ok := seen[k]; !ok {
			seen[k] = len(out)
			out = append(out, part{name: k})
		}
	}
	for i := range out {
		for _, it := range d {
			if key(it) == out[i].name {
				out[i].test = append(out[i].test, it)
			} else {
				out[i].train = append(out[i].train, it)
			}
		}
	}
	return out
}
