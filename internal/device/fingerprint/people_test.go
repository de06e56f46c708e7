package fingerprint

import (
	"math/rand/v2"
	"testing"

	"github.com/yamori-net/yamori/internal/device"
)

// Programs for all that a home can hold run on computers and telephones. What
// they ask for makes no television, console or printer of them, also where the
// DHCP client was not seen.
func TestProgramsOfPeople(t *testing.T) {
	ios := clue(device.DHCP, "params", "1,121,3,6,15,108,114,119,252")
	networkManager := clue(device.DHCP, "params", "1,2,6,12,15,26,28,121,3,33,40,41,42,119,249,252,17")
	asks := func(name string) device.Clue { return clue(device.DNS, "name", name) }
	machines := map[string][]device.Clue{
		"iOS": {ios, asks("captive.apple.com")}, "iPhone": {ios, clue(device.DHCP, "hostname", "iPhone")},
		"Android": {clue(device.DHCP, "vendor_class", "android-dhcp-14"), asks("connectivitycheck.gstatic.com")},
		"Windows": {clue(device.DHCP, "vendor_class", "MSFT 5.0"), asks("msftconnecttest.com")},
		"macOS":   {clue(device.DHCP, "params", "1,121,3,6,15,108,114,119,252,95,44,46")},
		"Linux":   {networkManager, clue(device.DHCP, "hostname", "lenas-x1")}, "Ubuntu": {networkManager, asks("connectivity-check.ubuntu.com")},
		"iOS without DHCP": {asks("captive.apple.com"), asks("gs-loc.apple.com")}, "Android without DHCP": {asks("connectivitycheck.gstatic.com")},
		"Windows without DHCP": {asks("msftconnecttest.com")},
	}
	k := tables()
	var products []string
	for i := range k.byName["domains"].rows {
		r := &k.byName["domains"].rows[i]
		people := false
		for _, v := range r.votes {
			people = people || k.forPeople(v.kind)
		}
		if !people {
			products = append(products, r.pattern.text)
		}
	}
	if len(products) < 200 {
		t.Fatal(len(products))
	}
	rng := rand.New(rand.NewPCG(1, 2))
	tried, wrong := 0, 0
	for name, clues := range machines {
		for i := range 300 {
			f := device.Facts{Clues: append([]device.Clue{}, clues...)}
			for range 1 + i%6 {
				f.Clues = append(f.Clues, asks(products[rng.IntN(len(products))]))
			}
			tried++
			switch p := Judge(f); p.Kind.Value {
			case device.Unknown, device.Computer, device.Phone, device.Tablet:
			default:
				if wrong++; wrong < 5 {
					t.Logf("%s: %+v from %+v", name, p.Kind, f.Clues)
				}
			}
		}
	}
	if wrong*200 > tried {
		t.Errorf("%d of %d were taken for something else", wrong, tried)
	}
}

// What talks to the clouds of many makers is no product of one of them, unless
// it says so itself.
func TestManyMakers(t *testing.T) {
	asks := []device.Clue{clue(device.DNS, "name", "fw.ring.com"), clue(device.DNS, "name", "ws.meethue.com"), clue(device.DNS, "name", "netatmo.net"),
		clue(device.DNS, "name", "xbcs.net"), clue(device.DNS, "name", "tplinkcloud.com")}
	if p := Judge(device.Facts{Clues: asks}); p.Kind.Value != device.Unknown {
		t.Errorf("%+v", p)
	}
	asks = append(asks, clue(device.MDNS, "service", "_home-assistant._tcp"), clue(device.DHCP, "hostname", "homeassistant"))
	if p := Judge(device.Facts{Clues: asks}); p.Kind.Value != device.Hub {
		t.Errorf("%+v", p)
	}
}
