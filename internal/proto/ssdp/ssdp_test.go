package ssdp

import (
	"slices"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

var update = prototest.UpdateFlag()

func TestGolden(t *testing.T) { prototest.GoldenUDP(t, Protocol, *update) }

func TestReadme(t *testing.T) { prototest.Readme(t, Protocol) }

const (
	search = "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nmx:  2 \r\nST: ssdp:all\r\n" +
		"USER-AGENT: os/1 UPnP/2.0 app/3\r\nCPFN.UPNP.ORG: Hall\r\n\r\n"
	notify = "NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nCACHE-CONTROL: max-age=1800\r\nLOCATION: http://192.0.2.1/d.xml\r\n" +
		"NT: upnp:rootdevice\r\nNTS: ssdp:alive\r\nSERVER: Linux/6 UPnP/2.0 tv/1\r\nUSN: uuid:1::upnp:rootdevice\r\nBOOTID.UPNP.ORG: 7\r\nCONFIGID.UPNP.ORG: 8\r\n\r\n"
	answer = "HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\nUSN: uuid:1\r\nEXT:\r\nLOCATION: http://192.0.2.1/\r\n\r\n"
	bare   = "HTTP/1.1 404 Not Found\n\n"
	gdm    = "M-SEARCH * HTTP/1.0\n"
)

func TestMessages(t *testing.T) {
	tests := []struct {
		name, in  string
		probe     proto.Match
		want      string
		anomalies []string
	}{
		{"search", search, proto.Yes, `"ssdp":{"type":"search","st":"ssdp:all","user_agent":"os/1 UPnP/2.0 app/3","man":"\"ssdp:discover\"","mx":"2","host":"239.255.255.250:1900","friendly_name":"Hall"}`, nil},
		{"notify", notify, proto.Yes, `"ssdp":{"type":"notify","nt":"upnp:rootdevice","nts":"ssdp:alive","usn":"uuid:1::upnp:rootdevice","location":"http://192.0.2.1/d.xml","server":"Linux/6 UPnP/2.0 tv/1","host":"239.255.255.250:1900","cache_control":"max-age=1800","boot_id":"7","config_id":"8"}`, nil},
		{"answer", answer, proto.Yes, `"ssdp":{"type":"response","status":200,"st":"upnp:rootdevice","usn":"uuid:1","location":"http://192.0.2.1/"}`, nil},
		{"bare answer", bare, proto.Weak, `"ssdp":{"type":"response","status":404}`, nil},
		{"without headers", gdm, proto.Yes, `"ssdp":{"type":"search"}`, nil},
		{"first of two wins", "NOTIFY * HTTP/1.1\r\nnt:a\r\nNT:b\r\nno colon\r\n : x\r\n", proto.Yes, `"ssdp":{"type":"notify","nt":"a"}`, nil},
		{"cut", search[:26], proto.Yes, `"ssdp":{"type":"search"}`, nil},
		{"many headers", gdm + strings.Repeat("x: y\n", MaxHeaders) + "ST: late\n", proto.Yes, `"ssdp":{"type":"search"}`, []string{"too_many_headers"}},
		{"http", "GET / HTTP/1.1\r\n\r\n", proto.No, ``, []string{"malformed_data"}},
		{"other search", "BT-SEARCH * HTTP/1.1\r\n\r\n", proto.No, ``, []string{"malformed_data"}},
		{"status", "HTTP/1.1 2xx OK\r\nST: a\r\n\r\n", proto.No, ``, []string{"malformed_data"}},
		{"short", "M-SEAR", proto.No, ``, []string{"malformed_data"}},
		{"empty", "", proto.No, ``, []string{"malformed_data"}},
	}
	for _, tt := range tests {
		if m := probe(packet.ToServer, []byte(tt.in)); m != tt.probe {
			t.Errorf("%s: probe %v, want %v", tt.name, m, tt.probe)
		}
		eve, anomalies, _ := prototest.One(t, Protocol, tt.in)
		if eve != tt.want || !slices.Equal(anomalies, tt.anomalies) {
			t.Errorf("%s: %v\n%s\nwant %s", tt.name, anomalies, eve, tt.want)
		}
	}
}

func TestBuffers(t *testing.T) {
	_, _, v := prototest.One(t, Protocol, search)
	if want := []string{"ssdp.st=ssdp:all", "ssdp.user_agent=os/1 UPnP/2.0 app/3"}; !slices.Equal(v, want) {
		t.Errorf("%q", v)
	}
	_, _, v = prototest.One(t, Protocol, notify)
	if want := []string{"ssdp.nt=upnp:rootdevice", "ssdp.nts=ssdp:alive", "ssdp.usn=uuid:1::upnp:rootdevice",
		"ssdp.location=http://192.0.2.1/d.xml", "ssdp.server=Linux/6 UPnP/2.0 tv/1"}; !slices.Equal(v, want) {
		t.Errorf("%q", v)
	}
}

func TestMaxAge(t *testing.T) {
	for in, want := range map[string]int64{"max-age = 1800": 1800, "no-cache": -1, "max-age=": -1, "max-age=-4": -1, "max-age=99999999999": -1} {
		var m Message
		m.Parse([]byte("NOTIFY * HTTP/1.1\r\nCache-Control: " + in + "\r\n"))
		if got := m.MaxAge(); got != want {
			t.Errorf("%q: %d, want %d", in, got, want)
		}
	}
}

func TestNoAllocs(t *testing.T)   { prototest.NoAllocs(t, Protocol, search, notify, answer) }
func FuzzParse(f *testing.F)      { prototest.Fuzz(f, Protocol, search, notify, answer, bare, gdm) }
func BenchmarkParse(b *testing.B) { prototest.Bench(b, Protocol, notify) }
