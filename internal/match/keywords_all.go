package match

import "github.com/yamori-net/yamori/internal/proto"

// KeywordsFor is Keywords with the buffers that only these protocols name.
func KeywordsFor(ps []proto.Protocol) []Keyword {
	out := Keywords()
	known := map[string]bool{}
	for i := range out {
		known[out[i].Name] = true
		for _, a := range out[i].Aliases {
			known[a] = true
		}
	}
	for i := range ps {
		for _, b := range ps[i].Buffers {
			if known[b.Name] {
				continue
			}
			known[b.Name] = true
			out = append(out, Keyword{Name: b.Name, Family: "buffer", Doc: b.Doc, Example: b.Name + `; content:"x";`, Setup: stickySetup(b.Name)})
		}
	}
	return out
}
