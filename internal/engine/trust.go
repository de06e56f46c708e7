package engine

import (
	"strings"

	"github.com/yamori-net/yamori/internal/event"
)

// trust says how sure a match of a rule is: what the rule's metadata says of
// its confidence, as public rule sets do, else likely.
func trust(r *event.Rule) (event.Level, float64) {
	for _, m := range r.Metadata {
		if !strings.EqualFold(m.Key, "confidence") {
			continue
		}
		switch {
		case strings.EqualFold(m.Value, "low"):
			return event.Suspect, 0.4
		case strings.EqualFold(m.Value, "high"):
			return event.Likely, 0.9
		}
	}
	return event.Likely, 0.8
}
