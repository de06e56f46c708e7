package trend

import (
	"math"
	"strconv"
)

// Sizes of a plot, in units of its view box.
const (
	plotWidth  = 720.0
	plotHeight = 220.0
	plotLeft   = 64.0 // room for the scale
	plotBottom = 28.0 // room for the keys
	plotTop    = 10.0
	plotDigit  = 7.0 // width of a digit, at most
	plotGap    = 9.0 // between keys
)

// plot is a drawing in coordinates, ready for the template.
type plot struct {
	Ticks  []tick
	Keys   []tick // below the axis
	Bars   []bar
	Points string // of the line, "x,y x,y …"
	Dots   []dot
}

type tick struct {
	At   string
	Text string
}

type bar struct {
	X, W, Y, H, MineY, MineH string
	Title                    string
}

type dot struct{ X, Y, Title string }

func coord(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) }

// columns draws the buckets as columns, mining below and the rest on it.
func columns(list []Bucket) (p plot) {
	var most uint64
	for _, b := range list {
		most = max(most, b.Total)
	}
	if most == 0 {
		return p
	}
	top := nice(float64(most))
	y := func(v float64) float64 { return plotTop + (plotHeight-plotTop-plotBottom)*(1-v/top) }
	for i := range 5 {
		v := top * float64(i) / 4
		p.Ticks = append(p.Ticks, tick{coord(y(v)), short(v)})
	}
	step := (plotWidth - plotLeft) / float64(len(list))
	for i, b := range list {
		x := plotLeft + step*float64(i)
		all, mine := float64(b.Total), float64(b.Mining)
		p.Bars = append(p.Bars, bar{X: coord(x + step*0.12), W: coord(step * 0.76), Y: coord(y(all)), H: coord(y(mine) - y(all)),
			MineY: coord(y(mine)), MineH: coord(y(0) - y(mine)), Title: b.Key + ": " + number(b.Total) + " / " + number(b.Mining)})
	}
	p.Keys = keys(list, step)
	return p
}

// line draws the share of mining.
func line(list []Bucket) (p plot) {
	y := func(v float64) float64 { return plotTop + (plotHeight-plotTop-plotBottom)*(1-v) }
	for i := range 5 {
		v := float64(i) / 4
		p.Ticks = append(p.Ticks, tick{coord(y(v)), strconv.Itoa(i*25) + " %"})
	}
	if len(list) == 0 {
		return p
	}
	step := (plotWidth - plotLeft) / float64(len(list))
	for i, b := range list {
		x := coord(plotLeft + step*(float64(i)+0.5))
		if i > 0 {
			p.Points += " "
		}
		p.Points += x + "," + coord(y(b.MiningShare))
		p.Dots = append(p.Dots, dot{x, coord(y(b.MiningShare)), b.Key + ": " + percent(b.MiningShare)})
	}
	p.Keys = keys(list, step)
	return p
}

// keys writes as many keys below the axis as have room.
func keys(list []Bucket, step float64) (out []tick) {
	wide := 0
	for i := range list {
		wide = max(wide, len(list[i].Key))
	}
	room := plotDigit * float64(wide)
	every := int(math.Ceil((room + plotGap) / step))
	for i := 0; i < len(list); i += every {
		x := plotLeft + step*(float64(i)+0.5)
		if x+room/2 > plotWidth {
			break
		}
		out = append(out, tick{coord(x), list[i].Key})
	}
	return out
}

// nice rounds up to 1, 2, 4 or 8 times a power of ten, so that four steps are
// round numbers.
func nice(v float64) float64 {
	p := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 4, 8, 10} {
		if v <= m*p {
			return max(m*p, 4)
		}
	}
	return 10 * p
}

// short writes a number of the scale: 2.5 M.
func short(v float64) string {
	for _, u := range []struct {
		size float64
		name string
	}{{1e9, " G"}, {1e6, " M"}, {1e3, " k"}} {
		if v >= u.size {
			return strconv.FormatFloat(v/u.size, 'f', -1, 64) + u.name
		}
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}
