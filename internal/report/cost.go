package report

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/yamori-net/yamori/internal/event"
)

// costText holds the sentences about what mining has come to.
type costText struct {
	went    string // duration, shares, accepted, rejected
	nothing string // duration: no result was handed in
	rate    string // rate, error in percent
	said    string // rate
	assumed string // algorithm
	energy  string // watt hours from, to, watts from, to
	upTo    string // watt hours, watts
	joules  string // from, to, hash or solution
	watts   string // machine
	hash    string
	unit    string // solution
	gathers string // number, list
	and     string // more than are listed
	moment  string // less than a second
	machine map[string]string
}

var costs = map[Lang]*costText{
	English: {
		went:    "It went on for %s; results handed in: %s (%s accepted, %s refused).",
		nothing: "It went on for %s and handed in no result.",
		rate:    "That is about %s (give or take %d %%).",
		said:    "It says that it mines at %s.",
		assumed: "(Reckoned as %s: the connection does not name the algorithm.)",
		energy:  "This may have taken %s to %s Wh of electricity (%s to %s W), ",
		upTo:    "This may have taken up to %s Wh of electricity (%s W), ",
		joules:  "if each %[3]s takes %[1]s to %[2]s, as machines in use for it do.",
		watts:   "if it keeps %s busy.",
		hash:    "hash", unit: "solution",
		gathers: "It serves %d miners: %s",
		and:     " and others",
		moment:  "less than a second",
		machine: map[string]string{"": "a processor or graphics card", "gpu": "a graphics card", "cpu": "a processor", "browser": "the processor under a browser",
			"duco-s1": "a small board or a processor", "ethash": "a graphics card", "kawpow": "a graphics card", "autolykos2": "a graphics card", "randomx": "a processor", "ghostrider": "a processor"},
	},
	Japanese: {
		went:    "%s続き、結果を %s 件提出しました（受理 %s 件、拒否 %s 件）。",
		nothing: "%s続きましたが、結果の提出はありませんでした。",
		rate:    "速さはおよそ %s です（誤差 %d %% 前後）。",
		said:    "採掘プログラム自身の報告では %s です。",
		assumed: "（計算の種類が通信に出てこないため、%s として計算しました。）",
		energy:  "電気の使用量は %s〜%s Wh（%s〜%s W）と見積もられます。",
		upTo:    "電気の使用量は最大で %s Wh（%s W）と見積もられます。",
		joules:  "（この採掘に使われる機械の幅として、%[3]s 1 回あたり %[1]s〜%[2]s と仮定）",
		watts:   "（%sを使い続けると仮定）",
		hash:    "ハッシュ", unit: "解",
		gathers: "%d 台の採掘をまとめています：%s",
		and:     " ほか",
		moment:  "1 秒未満",
		machine: map[string]string{"": "プロセッサーかグラフィックボード", "gpu": "グラフィックボード", "cpu": "プロセッサー", "browser": "ブラウザーを動かすプロセッサー",
			"duco-s1": "小型の基板かプロセッサー", "ethash": "グラフィックボード", "kawpow": "グラフィックボード", "autolykos2": "グラフィックボード", "randomx": "プロセッサー", "ghostrider": "プロセッサー"},
	},
}

// writeCost tells what the mining behind a finding has come to, and whom a
// gathering device serves.
func writeCost(w io.Writer, t *text, f *Finding) {
	c := costs[t.lang]
	if m := f.Mining; m != nil && len(m.Miners) > 0 {
		list := printable(strings.Join(m.Miners, ", "))
		if m.MinersTotal > len(m.Miners) {
			list += c.and
		}
		fmt.Fprintf(w, "  "+c.gathers+"\n", m.MinersTotal, list)
	}
	r := f.tally.total()
	if r == nil {
		return
	}
	if r.Shares == 0 {
		fmt.Fprintf(w, "  "+c.nothing, c.lasted(t, r.Last-r.First))
	} else {
		fmt.Fprintf(w, "  "+c.went, c.lasted(t, r.Last-r.First), Count(r.Shares), Count(r.Accepted), Count(r.Rejected))
	}
	unit, each := "H/s", c.hash
	if r.Solutions {
		unit, each = "Sol/s", c.unit
	}
	if r.Rate > 0 && r.Shares > r.Rejected {
		fmt.Fprintf(w, " "+c.rate, SI(r.Rate, unit), percent(r.Shares-r.Rejected))
	}
	if r.Reported > 0 {
		fmt.Fprintf(w, " "+c.said, SI(r.Reported, unit))
	}
	if r.Assumed != "" && r.Rate > 0 {
		fmt.Fprintf(w, " "+c.assumed, r.Assumed)
	}
	fmt.Fprintln(w)
	writeEnergy(w, c, r, each)
}

// lasted says how long ns are.
func (c *costText) lasted(t *text, ns int64) string {
	if ns < int64(time.Second) {
		return c.moment
	}
	return t.span(ns)
}

// leastEnergy is what is worth telling of, in watt hours: a lamp of 10 W takes it
// in a third of a second.
const leastEnergy = 0.001

func writeEnergy(w io.Writer, c *costText, r *event.MiningRun, each string) {
	if r.Basis == "" || r.Energy[1] < leastEnergy {
		return
	}
	if r.Energy[0] < r.Energy[1]/100 {
		fmt.Fprintf(w, "  "+c.upTo, significant(r.Energy[1]), significant(r.Power[1]))
	} else {
		fmt.Fprintf(w, "  "+c.energy, significant(r.Energy[0]), significant(r.Energy[1]), significant(r.Power[0]), significant(r.Power[1]))
	}
	if r.Joules[1] > 0 && (r.Rate > 0 || r.Reported > 0) {
		fmt.Fprintf(w, c.joules+"\n", SI(r.Joules[0], "J"), SI(r.Joules[1], "J"), each)
		return
	}
	machine := c.machine[r.Basis]
	if machine == "" {
		machine = c.machine[""]
	}
	fmt.Fprintf(w, c.watts+"\n", machine)
}

// percent is the error of a rate that n shares tell, one standard deviation of
// a Poisson process.
func percent(n uint64) int {
	return max(1, min(100, int(math.Round(100/math.Sqrt(float64(n))))))
}
