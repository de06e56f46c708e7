// Package fingerprint says what a device is, from clues: the kind, with the
// weights of everything that speaks for it, the system, maker, model and name.
// What it knows stands in text tables, one for each sort of clue, with the
// sources of that knowledge at the top of each.
package fingerprint

import (
	"embed"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/yamori-net/yamori/internal/device"
)

//go:embed tables/*.txt
var files embed.FS

// vote is a weight, in natural-log odds, for a kind (its index in kinds).
type vote struct {
	kind   int
	weight float64
}

// row is one line of a table.
type row struct {
	pattern          pattern
	votes            []vote
	os, maker, model string
	line             int
}

// table is one file.
type table struct {
	name string
	rows []row
	// exact finds rows whose pattern has no wildcard.
	exact map[string]int
}

// knowledge is all tables, read once.
type knowledge struct {
	kinds  []string
	byName map[string]*table
	hosts  map[string]bool // those of the table of requests
}

var load = sync.OnceValues(func() (*knowledge, error) { return read() })

// tables panics when a file that ships cannot be read: a test reads them.
func tables() *knowledge {
	k, err := load()
	if err != nil {
		panic(err)
	}
	return k
}

func read() (*knowledge, error) {
	k := &knowledge{kinds: device.Kinds(), byName: map[string]*table{}, hosts: map[string]bool{}}
	list, err := files.ReadDir("tables")
	if err != nil {
		return nil, err
	}
	for _, f := range list {
		b, err := files.ReadFile("tables/" + f.Name())
		if err != nil {
			return nil, err
		}
		t, err := k.parse(f.Name(), string(b))
		if err != nil {
			return nil, err
		}
		k.byName[strings.TrimSuffix(f.Name(), ".txt")] = t
	}
	for _, r := range k.byName["paths"].rows {
		host, _, _ := strings.Cut(r.pattern.text, "/")
		k.hosts[host] = true
	}
	return k, nil
}

func (k *knowledge) parse(name, text string) (*table, error) {
	t := &table{name: name, exact: map[string]int{}}
	for n, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		r, err := k.row(line)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, n+1, err)
		}
		r.line = n + 1
		if r.pattern.literal() || name == "domains.txt" { // "#" in a domain: see Domain
			if _, dup := t.exact[r.pattern.text]; dup {
				return nil, fmt.Errorf("%s:%d: %q stands there already", name, n+1, r.pattern.text)
			}
			t.exact[r.pattern.text] = len(t.rows)
		}
		t.rows = append(t.rows, r)
	}
	return t, nil
}

func (k *knowledge) row(line string) (r row, err error) {
	cols := strings.Split(line, "|")
	if len(cols) < 2 || len(cols) > 3 {
		return r, fmt.Errorf("%d columns", len(cols))
	}
	if r.pattern, err = compile(strings.TrimSpace(cols[0])); err != nil {
		return r, err
	}
	for _, v := range strings.Split(cols[1], ",") {
		kind, weight, _ := strings.Cut(strings.TrimSpace(v), " ")
		w, err := strconv.ParseFloat(weight, 64)
		at := -1
		for i, x := range k.kinds {
			if x == kind {
				at = i
			}
		}
		if err != nil || at < 0 || w <= 0 || w > 8 {
			return r, fmt.Errorf("vote %q", v)
		}
		r.votes = append(r.votes, vote{at, w})
	}
	if len(cols) == 3 {
		err = r.attributes(strings.TrimSpace(cols[2]))
	}
	return r, err
}

// attributes reads "os=Windows Phone maker=Sony model=$"; values may hold
// spaces.
func (r *row) attributes(s string) error {
	for s != "" {
		key, rest, ok := strings.Cut(s, "=")
		if !ok {
			return fmt.Errorf("attribute %q", s)
		}
		value := rest
		s = ""
		for _, next := range [...]string{" os=", " maker=", " model="} {
			if i := strings.Index(rest, next); i >= 0 && i < len(value) {
				value, s = rest[:i], rest[i+1:]
			}
		}
		switch key {
		case "os":
			r.os = value
		case "maker":
			r.maker = value
		case "model":
			r.model = value
		default:
			return fmt.Errorf("attribute %q", key)
		}
	}
	return nil
}
