package mining

import (
	"bufio"
	_ "embed"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/yamori-net/yamori/internal/seq"
)

// The shapes of mining. Which of them a flow is judged by, its own counts
// choose: whether a length of the client's that could be a share was answered
// three times, or whether it fetches its work.
const (
	shapeExchange = iota // shares and their answers
	shapePush            // jobs, and few shares or none yet
	shapePoll            // nothing comes unasked: work is fetched by a clock
	shapeClock           // work comes by a fast clock, and answers finds as well: Dero
	numShapes
)

// NumShapes is how many there are.
const NumShapes = numShapes

var shapeNames = [numShapes]string{"exchange", "push", "poll", "clock"}

//go:embed model.tsv
var modelText string

// Model is an additive score: for each shape a bias, and for each bin of each
// feature a weight, in natural-log odds.
type Model struct {
	bias   [numShapes]float64
	weight [numShapes][][maxBins + 1]float64
	// Slope turns scores into calibrated log-odds, and Cap bounds them: no more
	// can be concluded than the recordings are many.
	Slope, Cap float64
	// PollSlope is the same for those who fetch their work: they are judged, and
	// learnt from, by themselves.
	PollSlope float64
}

// NewModel returns a model that knows nothing.
func NewModel() *Model {
	m := &Model{Slope: 1, Cap: 6, PollSlope: 1}
	for s := range m.weight {
		m.weight[s] = make([][maxBins + 1]float64, len(features))
	}
	return m
}

// ReadModel reads a model's file: lines of shape, feature, bin and weight; see
// docs/detection/mining.md.
func ReadModel(r io.Reader) (*Model, error) {
	m := NewModel()
	index := map[string]int{}
	for i := range features {
		index[features[i].name] = i
	}
	sc := bufio.NewScanner(r)
	for n := 1; sc.Scan(); n++ {
		line := sc.Text()
		if line == "" || line[0] == '#' {
			continue
		}
		w := strings.Split(line, "\t")
		if len(w) < 4 {
			return nil, fmt.Errorf("model: line %d: %d fields", n, len(w))
		}
		x, err := strconv.ParseFloat(w[3], 64)
		if err != nil {
			return nil, fmt.Errorf("model: line %d: %w", n, err)
		}
		shape := -1
		for s, name := range shapeNames {
			if name == w[0] {
				shape = s
			}
		}
		switch {
		case w[0] == "all" && w[1] == "slope":
			m.Slope = x
		case w[0] == "poll" && w[1] == "slope":
			m.PollSlope = x
		case w[0] == "all" && w[1] == "cap":
			m.Cap = x
		case shape >= 0 && w[1] == "bias":
			m.bias[shape] = x
		default:
			f, ok := index[w[1]]
			if !ok || shape < 0 {
				return nil, fmt.Errorf("model: line %d: unknown %s %s", n, w[0], w[1])
			}
			b := 0
			if w[2] != "unknown" {
				b = -1
				for k := 1; k <= len(features[f].edges)+1; k++ {
					if binName(f, k) == w[2] {
						b = k
					}
				}
				if b < 0 {
					return nil, fmt.Errorf("model: line %d: %s has no bin %s", n, w[1], w[2])
				}
			}
			m.weight[shape][f][b] = x
		}
	}
	return m, sc.Err()
}

// binName writes a bin as its range: "<50", "50-75", ">=700".
func binName(f, bin int) string {
	e := features[f].edges
	num := func(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
	switch {
	case bin == 0:
		return "unknown"
	case bin == 1:
		return "<" + num(e[0])
	case bin == len(e)+1:
		return ">=" + num(e[len(e)-1])
	}
	return num(e[bin-2]) + "-" + num(e[bin-1])
}

// Vector is what a model sees of a flow: its shape and the bin of each feature.
type Vector struct {
	Shape int
	Bins  [32]uint8
}

// findsNeeded is how many answers to what could be shares a client must have
// had that fetches its work, before it is judged.
const findsNeeded = 3

// NumFeatures is how many of Vector.Bins are in use.
func NumFeatures() int { return len(features) }

// Look makes the vector of a flow. ok is false when there is nothing to judge
// yet: mining needs both sides, and work that comes unasked or is fetched by a
// clock.
func Look(t *seq.Tracker) (x Vector, ok bool) {
	v := look(t)
	if v.s.Bursts[0] < 2 || v.s.Bursts[1] < 2 {
		return x, false
	}
	if v.s.Pushed == 0 {
		// Who only asks by a clock is no miner: there must be finds, too.
		if v.poll == nil || v.share == nil || v.share == v.poll || v.share.N < findsNeeded || v.share.Reply == 0 {
			return x, false
		}
		x.Shape = shapePoll
	} else if v.share == nil || v.share.N < 3 || v.share.Reply == 0 {
		x.Shape = shapePush
	}
	if v.clocked() {
		x.Shape = shapeClock
		return x, true
	}
	for i := range features {
		x.Bins[i] = uint8(features[i].bin(v))
	}
	return x, true
}

// Raw returns the sum of the weights.
func (m *Model) Raw(x *Vector) float64 {
	sum := m.bias[x.Shape]
	w := m.weight[x.Shape]
	for i := range w {
		sum += w[i][x.Bins[i]]
	}
	return sum
}

// Score returns calibrated log-odds, as many mining as not taken for granted.
func (m *Model) Score(x *Vector) float64 {
	return max(-m.Cap, min(m.Cap, m.slope(x.Shape)*m.Raw(x)))
}

func (m *Model) slope(shape int) float64 {
	switch shape {
	case shapePoll:
		return m.PollSlope
	case shapeClock:
		return 1
	}
	return m.Slope
}

// Rule reports whether what a shape is worth is not learnt, but set: all that
// is known of it was asked before a flow has it.
func Rule(shape int) bool { return shape == shapeClock }

// RuleWeight is what such a shape is worth.
const RuleWeight = 5.2

// Polls reports whether a shape is the one of those who fetch their work.
func Polls(shape int) bool { return shape == shapePoll }

// Set changes the weight of a bin; feature -1 is the bias.
func (m *Model) Set(shape, feature, bin int, w float64) {
	if feature < 0 {
		m.bias[shape] = w
		return
	}
	m.weight[shape][feature][bin] = w
}

// Bins returns how many bins a feature has, "unknown" among them.
func Bins(feature int) int { return len(features[feature].edges) + 2 }

// Write writes the file that ReadModel reads, without weights that round to 0.
func (m *Model) Write(w io.Writer) error {
	_, err := fmt.Fprintf(w, "# shape\tfeature\tbin\tweight (natural-log odds)\nall\tslope\t-\t%.3f\nall\tcap\t-\t%.2f\npoll\tslope\t-\t%.3f\n", m.Slope, m.Cap, m.PollSlope)
	for s := range m.weight {
		if err == nil {
			_, err = fmt.Fprintf(w, "%s\tbias\t-\t%.3f\n", shapeNames[s], m.bias[s])
		}
		for f := range m.weight[s] {
			for b := range Bins(f) {
				if x := m.weight[s][f][b]; err == nil && (x >= .0005 || x <= -.0005) {
					_, err = fmt.Fprintf(w, "%s\t%s\t%s\t%.3f\n", shapeNames[s], features[f].name, binName(f, b), x)
				}
			}
		}
	}
	return err
}

// Explain lists the bins of a vector with their weights, one a line.
func (m *Model) Explain(x *Vector) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\tbias\t\t%.2f\n", shapeNames[x.Shape], m.bias[x.Shape])
	for i := range features {
		fmt.Fprintf(&b, "%s\t%s\t%s\t%.2f\n", shapeNames[x.Shape], features[i].name, binName(i, int(x.Bins[i])), m.weight[x.Shape][i][x.Bins[i]])
	}
	return b.String()
}
