package geo_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/geo"
	"github.com/yamori-net/yamori/internal/geo/geotest"
)

func network(n uint32, name string) geotest.Map {
	return geotest.Map{"autonomous_system_number": n, "autonomous_system_organization": name}
}

func TestNames(t *testing.T) {
	db := open(t, map[string]geotest.Map{
		"192.0.2.0/24":    network(64496, "Example Net"),
		"198.51.100.0/24": network(64496, "Example Net"),
		"203.0.113.0/24":  network(64497, "two\nlines\x1b[31m "+strings.Repeat("n", 200)),
		"10.0.0.0/8":      network(64498, ""),
		"11.0.0.0/8":      geotest.Country("JP"),
		"12.0.0.0/8":      {"autonomous_system_number": "a word"},
		"2001:db8::/32":   network(64499, "例示"),
	})
	for range 2 { // the second time from memory
		got := db.Names([]uint32{64496, 64497, 64498, 64499, 64500, 0, 64496})
		want := map[uint32]string{64496: "Example Net", 64499: "例示", 64497: "two lines [31m " + strings.Repeat("n", 80) + "…"}
		if !maps.Equal(got, want) {
			t.Fatalf("%v", got)
		}
	}
	if got := db.Names(nil); len(got) != 0 {
		t.Errorf("nobody asked: %v", got)
	}
	if got := db.Names([]uint32{64499}); got[64499] != "例示" || len(got) != 1 {
		t.Errorf("one alone: %v", got)
	}
}

// TestManyNames: what is asked for and what is remembered are bounded, and the
// memory's being full changes no answer.
func TestManyNames(t *testing.T) {
	nets := map[string]geotest.Map{}
	for i := range 3 * geo.MaxNames {
		nets[fmt.Sprintf("10.%d.%d.0/24", i>>8, i&255)] = network(uint32(i+1), fmt.Sprint("net ", i+1))
	}
	db := open(t, nets)
	for _, first := range []uint32{1, geo.MaxNames + 1, 2*geo.MaxNames + 1, 1} {
		var ask []uint32
		for i := range uint32(geo.MaxNames) {
			ask = append(ask, first+i)
		}
		got := db.Names(append(ask, 3*geo.MaxNames))
		if len(got) != geo.MaxNames || got[first] != fmt.Sprint("net ", first) || got[first+geo.MaxNames-1] != fmt.Sprint("net ", first+geo.MaxNames-1) {
			t.Errorf("from %d on: %d names, %q", first, len(got), got[first])
		}
	}
}

func TestSource(t *testing.T) {
	var db *geo.DB
	if db.Source() != "" || len(db.Names([]uint32{1})) != 0 {
		t.Error("a nil database knows something")
	}
	if s := open(t, map[string]geotest.Map{"192.0.2.0/24": geotest.Country("JP")}).Source(); s != geotest.Source {
		t.Errorf("%q", s)
	}
}
