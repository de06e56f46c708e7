package app

import (
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/config"
	"github.com/yamori-net/yamori/internal/geo/geotest"
)

// TestPlaces: the daemon opens both databases, and names the setting whose file
// is no database.
func TestPlaces(t *testing.T) {
	country := geotest.Write(t, "country", map[string]geotest.Map{"192.0.2.0/24": geotest.Country("JP")})
	asn := geotest.Write(t, "asn", map[string]geotest.Map{"192.0.2.0/24": {"autonomous_system_number": uint32(64500)}})
	none := filepath.Join(t.TempDir(), "none.mmdb")
	for _, c := range []struct{ country, asn, want string }{
		{country, asn, ""}, {"", asn, ""}, {country, "", ""}, {none, asn, "geo.country: " + none}, {country, none, "geo.asn: " + none},
	} {
		w := &Watch{Config: &config.Config{}, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Stdout: io.Discard}
		w.Config.State.Dir = t.TempDir()
		w.Config.Geo = config.Geo{Country: c.country, ASN: c.asn}
		err := w.openHouse(1)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want)) {
			t.Errorf("%q %q: %v, want %q", c.country, c.asn, err, c.want)
		}
		if err == nil {
			w.closeHouse()
		}
	}
}
