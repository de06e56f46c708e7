package geo

import (
	"strings"
	"sync"
	"unicode"
)

// Limits.
const (
	// MaxNames is how many autonomous systems one call of Names looks for.
	MaxNames = 2048
	// keptNames is how many answers of Names are kept, about 100 bytes each.
	keptNames = 4096
	// maxSource and maxName bound texts of a database, in runes: they go into
	// reports.
	maxSource = 400
	maxName   = 96
)

// names remembers which system is called what, so that a report asked for again
// does not walk the database again.
type names struct {
	sync.Mutex
	known map[uint32]string // "" is looked for and not found
}

// Names returns what the autonomous systems of these numbers are called, of the
// first MaxNames of them. The format finds records by address alone, so the
// whole database is walked for numbers that were not asked for lately, once for
// all of them (100 ms for a table of the internet, 515,000 networks, November
// 2026). A number that the database does not know is absent. A nil DB
// knows none.
func (d *DB) Names(numbers []uint32) map[uint32]string {
	out := map[uint32]string{}
	if d == nil {
		return out
	}
	numbers = numbers[:min(len(numbers), MaxNames)]
	d.names.Lock()
	defer d.names.Unlock()
	missing := map[uint32]bool{}
	for _, n := range numbers {
		if _, ok := d.names.known[n]; !ok && n != 0 {
			missing[n] = true
		}
	}
	if len(missing) > 0 {
		if len(d.names.known)+len(missing) > keptNames || d.names.known == nil {
			d.names.known = map[uint32]string{}
			for _, n := range numbers {
				if n != 0 {
					missing[n] = true
				}
			}
		}
		d.find(missing)
	}
	for _, n := range numbers {
		if s := d.names.known[n]; s != "" {
			out[n] = s
		}
	}
	return out
}

// find looks for the systems in missing, and empties it.
func (d *DB) find(missing map[uint32]bool) {
	last := ^uintptr(0) // the record before: neighbours often share one
	for r := range d.r.Networks() {
		if r.Err() != nil || len(missing) == 0 {
			break // damaged from here on; what was found holds
		}
		if r.Offset() == last {
			continue
		}
		last = r.Offset()
		var n uint32
		if r.DecodePath(&n, "autonomous_system_number") != nil || !missing[n] {
			continue
		}
		var a as
		if r.Decode(&a) == nil {
			d.names.known[n] = oneLine(a.Name, maxName)
			delete(missing, n)
		}
	}
	for n := range missing {
		d.names.known[n] = ""
	}
}

// oneLine makes a text from a file fit to be shown in a line.
func oneLine(s string, most int) string {
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "?"), func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }), " ")
	if r := []rune(s); len(r) > most {
		s = string(r[:most-1]) + "…"
	}
	return s
}
