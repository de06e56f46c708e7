package app

import (
	"maps"
	"slices"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/engine"
)

// released are the figures of what was let go of in line, by protocol and
// reason.
func released(st *engine.Stats) (out []api.Sample) {
	for _, name := range slices.Sorted(maps.Keys(st.Apps)) {
		a := st.Apps[name]
		label := name
		if label == "" {
			label = "none"
		}
		for r, n := range a.LetGo {
			if n > 0 {
				out = append(out, api.Sample{Name: "yamori_released_total", Labels: []string{label, engine.LetGo(r).String()}, Value: float64(n)})
			}
		}
		if a.Unseen > 0 {
			out = append(out, api.Sample{Name: "yamori_released_bytes_total", Labels: []string{label}, Value: float64(a.Unseen)})
		}
	}
	return out
}
