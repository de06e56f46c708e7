package fingerprint

import (
	"slices"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/device"
	"github.com/yamori-net/yamori/internal/packet"
)

// The tables that ship can be read, and each names its sources.
func TestTables(t *testing.T) {
	k, err := load()
	if err != nil {
		t.Fatal(err)
	}
	if len(k.byName) < 12 {
		t.Errorf("%d tables", len(k.byName))
	}
	for name := range k.byName {
		b, err := files.ReadFile("tables/" + name + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		head, _, _ := strings.Cut(string(b), "\n#!")
		if !strings.HasPrefix(head, "#") || !strings.Contains(head, "ource") && !strings.Contains(head, "Specification") && !strings.Contains(head, "publish") && name != "looks" {
			t.Errorf("%s does not say where its knowledge comes from", name)
		}
	}
	for _, s := range []string{"x", "a | b", "a | tv 9", "a | toaster 2", "a | tv 2 | colour=red", " | tv 1", "*|tv 1", "a | tv 1 | | "} {
		if _, err := k.parse("test", s); err == nil {
			t.Errorf("accepted %q", s)
		}
	}
	if _, err := k.parse("test", "a | tv 1\nA | tv 2"); err == nil {
		t.Error("accepted a pattern twice")
	}
	r, err := k.row("a | tv 1 | os=Windows Phone maker=B & O model=$")
	if err != nil || r.os != "Windows Phone" || r.maker != "B & O" || r.model != "$" {
		t.Errorf("%+v %v", r, err)
	}
}

// A maker alone never decides: no weight in the table could.
func TestMakersAreWeak(t *testing.T) {
	for _, r := range tables().byName["makers"].rows {
		for _, v := range r.votes {
			if v.weight > 2.2 {
				t.Errorf("makers.txt:%d: %.1f is more than a maker tells", r.line, v.weight)
			}
		}
	}
	for _, mac := range []packet.MAC{{0x00, 0x17, 0x88, 1, 2, 3}, {0x00, 0x0e, 0x58, 1, 2, 3}, {0x00, 0x11, 0x32, 1, 2, 3}} { // Philips Lighting, Sonos, Synology
		p := Judge(device.Facts{MACs: []packet.MAC{mac}, Clues: []device.Clue{{Source: device.UPnP, Key: "maker", Value: "Sonos"}}})
		if p.Kind.Value != device.Unknown || p.Maker.Value == "" {
			t.Errorf("%v: %+v", mac, p)
		}
	}
}

func TestPattern(t *testing.T) {
	tests := []struct {
		pattern, value string
		want           bool
	}{
		{"abc", "abc", true}, {"abc", "abcd", false}, {"a*c", "abbbc", true}, {"a*c", "abbbcd", false}, {"a?c", "axc", true}, {"a#", "a7", true},
		{"a#", "ab", false}, {"*x*y*", "1x2y3", true}, {"*x*y*", "1y2x3", false}, {"~cam!", "my cam", true}, {"~cam!", "webcam", false},
		{"~cam!", "cams", false}, {"~cam", "camera", true}, {"~ps4!", "ps4-123", true}, {"~tv", "hdtv", false}, {"~ip-cam", "my ip-cam 2", true},
		{"~dcs-###", "d-link dcs-935l", true}, {"~dcs-###", "dcs-93", false}, {"ue##[a-z]*", "ue55ku", true}, {"ue##[a-z]*", "ue5512", false},
		{"~pad", "ipad", false}, {"~日本", "x 日本", true}, {"hp[x][x]", "hp0f", true}, {"hp[x][x]", "hplg", false}, {"~apple tv", "annas-apple-tv", true},
		{"~apple tv", "apple_tv.local", true}, {"~apple tv", "appletv", false},
	}
	for _, tt := range tests {
		p, err := compile(tt.pattern)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, ok := p.match(tt.value); ok != tt.want {
			t.Errorf("%q on %q: %v", tt.pattern, tt.value, ok)
		}
	}
}

func clue(s device.Source, key, value string) device.Clue {
	return device.Clue{Source: s, Key: key, Value: value}
}

func TestJudge(t *testing.T) {
	tests := []struct {
		name             string
		clues            []device.Clue
		kind, os, maker  string
		model, called    string
		atLeast, atMost  float64
		wantEvidenceCode string
	}{
		{"nothing", nil, "unknown", "", "", "", "", 0, 0.3, ""},
		{"camera by its model", []device.Clue{clue(device.DHCP, "hostname", "DCS-935L"), clue(device.DHCP, "vendor_class", "udhcp 1.20.2")},
			"camera", "Linux", "D-Link", "DCS-935L", "DCS-935L", 0.9, 1, "dhcp.hostname"},
		{"vendor class alone", []device.Clue{clue(device.DHCP, "vendor_class", "MSFT 5.0")}, "unknown", "Windows", "", "", "", 0, 0.75, ""},
		{"Windows by several", []device.Clue{clue(device.DHCP, "vendor_class", "MSFT 5.0"), clue(device.DNS, "name", "msftconnecttest.com"),
			clue(device.LLMNR, "look", "wpad")}, "computer", "Windows", "", "", "", 0.75, 1, "dhcp.vendor_class"},
		{"an app on a phone is no television", []device.Clue{clue(device.DHCP, "vendor_class", "android-dhcp-13"), clue(device.DHCP, "hostname", "Pixel-7"),
			clue(device.DNS, "name", "roku.com")}, "phone", "Android", "Google", "", "Pixel-7", 0.75, 1, "dhcp.hostname"},
		{"contradiction", []device.Clue{clue(device.DHCP, "hostname", "NPI8D2A1C"), clue(device.MDNS, "model", "AppleTV5,3")},
			"unknown", "tvOS", "Apple", "AppleTV5,3", "NPI8D2A1C", 0, 0.75, ""},
		{"category of HomeKit", []device.Clue{clue(device.MDNS, "category", "7")}, "plug", "", "", "", "", 0.8, 1, "mdns.category"},
		{"camera of ONVIF", []device.Clue{clue(device.WSD, "types", "dn:NetworkVideoTransmitter tds:Device")}, "camera", "", "", "", "", 0.8, 1, "wsd.types"},
		{"router by its role", []device.Clue{clue(device.NDP, "role", "dhcp"), clue(device.Port, "open", "udp/53")}, "router", "", "", "", "", 0.8, 1, "ndp.role"},
		{"a name of two things is no proof of one", []device.Clue{clue(device.DHCP, "hostname", "coffee-room-ipad")}, "unknown", "iPadOS", "Apple", "", "coffee-room-ipad", 0, 0.75, ""},
		{"and its system decides", []device.Clue{clue(device.DHCP, "hostname", "coffee-room-ipad"), clue(device.DHCP, "params", "1,121,3,6,15,119,252")},
			"tablet", "iPadOS", "Apple", "", "coffee-room-ipad", 0.75, 1, "dhcp.hostname"},
		{"programs on a computer", []device.Clue{clue(device.DHCP, "params", "1,3,6,15,31,33,43,44,46,47,119,121,249,252"), clue(device.DHCP, "vendor_class", "MSFT 5.0"),
			clue(device.DNS, "name", "msftconnecttest.com"), clue(device.DNS, "name", "ws.sonos.com"), clue(device.DNS, "name", "update.synology.com"),
			clue(device.DNS, "name", "update.sonos.com")}, "computer", "Windows", "", "", "", 0.75, 1, "dhcp.params"},
		{"a bridge among its maker's plugs", []device.Clue{clue(device.SSDP, "uuid", "Bridge-1_0-231447B010024F"), clue(device.SSDP, "location", ":49153/setup.xml"),
			clue(device.SSDP, "server", "Unspecified, UPnP/1.0, Unspecified"), clue(device.DNS, "name", "xbcs.net")}, "hub", "", "Belkin", "", "", 0.8, 1, "ssdp.uuid"},
		{"a request that only scales make", []device.Clue{clue(device.HTTP, "path", "www.fitbit.com/scale/*")}, "appliance", "", "Fitbit", "", "", 0.8, 1, "http.path"},
		{"what it looks for says little", []device.Clue{clue(device.MDNS, "look", "_googlecast._tcp"), clue(device.MDNS, "look", "_ipp._tcp"),
			clue(device.SSDP, "look", "urn:dial-multiscreen-org:service:dial:1")}, "unknown", "", "", "", "", 0, 0.75, ""},
	}
	for _, tt := range tests {
		p := Judge(device.Facts{Clues: tt.clues})
		if p.Kind.Value != tt.kind || p.OS.Value != tt.os || p.Maker.Value != tt.maker || p.Model.Value != tt.model || p.Name.Value != tt.called {
			t.Errorf("%s: %+v", tt.name, p)
		}
		if p.Kind.Confidence < tt.atLeast || p.Kind.Confidence > tt.atMost {
			t.Errorf("%s: confidence %.2f", tt.name, p.Kind.Confidence)
		}
		if tt.wantEvidenceCode != "" && (len(p.Evidence) == 0 || p.Evidence[0].Code != tt.wantEvidenceCode) {
			t.Errorf("%s: evidence %+v", tt.name, p.Evidence)
		}
	}
}

// The order of clues does not matter.
func TestOrder(t *testing.T) {
	c := []device.Clue{clue(device.DHCP, "hostname", "DCS-935L"), clue(device.DNS, "name", "mydlink.com"), clue(device.SSDP, "server", "Boa/0.94"),
		clue(device.MDNS, "model", "DCS-935L"), clue(device.Port, "open", "tcp/554")}
	a := Judge(device.Facts{Clues: c})
	slices.Reverse(c)
	b := Judge(device.Facts{Clues: c})
	if a.Kind != b.Kind || a.Maker != b.Maker || a.Model != b.Model || !slices.Equal(a.Evidence, b.Evidence) {
		t.Errorf("%+v\n%+v", a, b)
	}
}

func TestLookups(t *testing.T) {
	if v, ok := Domain([]byte("a.b.samsungotn.net")); !ok || v != "samsungotn.net" {
		t.Error(v, ok)
	}
	if v, ok := Domain([]byte("notsamsungotn.net")); ok {
		t.Error(v)
	}
	if v, ok := Domain([]byte("oculus12-vir.xmpp031.hpeprint.com")); !ok || v != "xmpp#.hpeprint.com" {
		t.Error(v, ok)
	}
	if v, ok := Domain([]byte("avs-alexa-16-na.amazon.com")); !ok || v != "avs-alexa-#-na.amazon.com" {
		t.Error(v, ok)
	}
	if v, ok := Domain([]byte(strings.Repeat("1", 250) + ".x.com")); ok { // longer than a name can be
		t.Error(v)
	}
	for _, tt := range []struct {
		host, target string
		ok           bool
	}{
		{"www.fitbit.com", "/scale/upload", true}, {"www.fitbit.com", "/about", false}, {"example.com", "/scale/upload", false},
		{"wrpd.dlink.com", "/router/firmware/query.aspx?model=DCH-S150_Ax_Default_FW_0122", true}, {"wrpd.dlink.com", strings.Repeat("x", 9000), false},
		{"wrpd.dlink.com", "/router/firmware/query.aspx?" + strings.Repeat("x", maxTarget) + "model=DCH-S150", false}, {"", "", false},
	} {
		if v, ok := Path([]byte(tt.host), []byte(tt.target)); ok != tt.ok {
			t.Errorf("%s%s: %q %v", tt.host, tt.target[:min(len(tt.target), 40)], v, ok)
		}
	}
	if v, ok := Serves(true, 9100); !ok || v != "tcp/9100" {
		t.Error(v, ok)
	}
	if _, ok := Speaks(true, true, 9292); ok {
		t.Error("a port of the Internet in the home")
	}
	if v, ok := Print([]byte("t13d1516h2_8daaf6152771_02713d6af862")); !ok || v != "8daaf6152771" {
		t.Error(v, ok)
	}
	if v, ok := Print([]byte("t13d1516h2_000000000000_02713d6af862")); ok {
		t.Error(v)
	}
	name, target := []byte("a1.b22.c.d.example.org"), []byte("/index.html")
	if n := testing.AllocsPerRun(100, func() { Domain(name); Path(name, target); Serves(true, 443); Speaks(false, false, 53) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Any value gets an answer in time, and the probabilities are such.
func FuzzJudge(f *testing.F) {
	f.Add(uint8(1), "hostname", "DCS-935L")
	f.Add(uint8(3), "model", strings.Repeat("a*", 60))
	f.Add(uint8(8), "server", strings.Repeat("android", 18))
	f.Add(uint8(1), "hostname", strings.Repeat("tv-", 42))
	f.Fuzz(func(t *testing.T, s uint8, key, value string) {
		if len(value) > device.MaxValue {
			return
		}
		p := Judge(device.Facts{Clues: []device.Clue{{Source: device.Source(s % 17), Key: key, Value: value}}})
		if !device.KnownKind(p.Kind.Value) || p.Kind.Confidence < 0 || p.Kind.Confidence > 1 || p.Maker.Confidence > 1 || p.Name.Confidence > 1 {
			t.Fatalf("%+v", p)
		}
	})
}

func BenchmarkJudge(b *testing.B) {
	c := []device.Clue{clue(device.DHCP, "hostname", "DCS-935L"), clue(device.DNS, "name", "mydlink.com"), clue(device.SSDP, "server", "Boa/0.94"),
		clue(device.MDNS, "model", "DCS-935L"), clue(device.Port, "open", "tcp/554")}
	for b.Loop() {
		Judge(device.Facts{Clues: c})
	}
}
