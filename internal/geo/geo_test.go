package geo_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/geo"
	"github.com/yamori-net/yamori/internal/geo/geotest"
)

func open(t testing.TB, nets map[string]geotest.Map) *geo.DB {
	t.Helper()
	db, err := geo.Open(geotest.Write(t, "test", nets))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestCountry(t *testing.T) {
	db := open(t, map[string]geotest.Map{
		"192.0.2.0/24":    geotest.Country("JP"),
		"198.51.100.0/25": {"country_code": "DE"},
		"203.0.113.0/24":  {"country": geotest.Map{"iso_code": uint32(1)}}, // the wrong type
		"2001:db8::/32":   geotest.Country("FR"),
		"10.0.0.0/8":      {"country_code": "much too long"},
	})
	for _, c := range []struct{ ip, want string }{
		{"192.0.2.1", "JP"}, {"::ffff:192.0.2.255", "JP"}, {"192.0.3.0", ""},
		{"198.51.100.127", "DE"}, {"198.51.100.128", ""},
		{"203.0.113.1", ""}, {"10.1.1.1", ""},
		{"2001:db8:1::1", "FR"}, {"2001:db9::1", ""},
	} {
		if got := db.Country(netip.MustParseAddr(c.ip)); got != c.want {
			t.Errorf("%s: %q, want %q", c.ip, got, c.want)
		}
	}
	if got := db.Country(netip.Addr{}); got != "" {
		t.Errorf("no address: %q", got)
	}
}

func TestASN(t *testing.T) {
	db := open(t, map[string]geotest.Map{
		"192.0.2.0/24": {"autonomous_system_number": uint32(64496), "autonomous_system_organization": "Documentation of Example Networks"},
	})
	n, name := db.ASN(netip.MustParseAddr("192.0.2.7"))
	if n != 64496 || name != "Documentation of Example Networks" {
		t.Errorf("%d %q", n, name)
	}
	if n, name = db.ASN(netip.MustParseAddr("192.0.3.7")); n != 0 || name != "" {
		t.Errorf("unknown: %d %q", n, name)
	}
	if c := db.Country(netip.MustParseAddr("192.0.2.7")); c != "" {
		t.Errorf("a country from a database of networks: %q", c)
	}
}

func TestNil(t *testing.T) {
	var db *geo.DB
	ip := netip.MustParseAddr("192.0.2.1")
	if n, name := db.ASN(ip); db.Country(ip) != "" || n != 0 || name != "" || db.Close() != nil {
		t.Error("a nil database knows something")
	}
}

// TestDamaged: no damage is worse than an unknown address.
func TestDamaged(t *testing.T) {
	good := geotest.Encode("test", map[string]geotest.Map{"192.0.2.0/24": geotest.Country("JP"), "2001:db8::/32": geotest.Country("FR")})
	path := filepath.Join(t.TempDir(), "x.mmdb")
	if _, err := geo.Open(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("no file: %v", err)
	}
	refused := 0
	for i := range good {
		for _, b := range [][]byte{good[:i], append(append(append([]byte{}, good[:i]...), good[i]^0xff), good[i+1:]...)} {
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
			db, err := geo.Open(path)
			if err != nil {
				refused++
				continue
			}
			for _, ip := range []string{"192.0.2.1", "2001:db8::1", "::1"} {
				db.Country(netip.MustParseAddr(ip))
				db.ASN(netip.MustParseAddr(ip))
			}
			db.Names([]uint32{64496})
			db.Source()
			db.Close()
		}
	}
	if refused < len(good)/2 {
		t.Errorf("only %d of %d damaged files refused", refused, 2*len(good))
	}
}

func TestAllocs(t *testing.T) {
	db := open(t, map[string]geotest.Map{"192.0.2.0/24": geotest.Country("JP")})
	if race {
		t.Skip("under the race detector pools lose what is put into them, on purpose")
	}
	ip := netip.MustParseAddr("192.0.2.1")
	if n := testing.AllocsPerRun(100, func() { db.Country(ip) }); n > 0 {
		t.Errorf("%v allocations a look-up", n)
	}
}

func BenchmarkCountry(b *testing.B) {
	db := open(b, map[string]geotest.Map{"192.0.2.0/24": geotest.Country("JP")})
	ip := netip.MustParseAddr("192.0.2.1")
	for b.Loop() {
		db.Country(ip)
	}
}
