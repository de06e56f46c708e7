package dhcpv6

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

func opt(code byte, v string) string {
	return string([]byte{0, code, byte(len(v) >> 8), byte(len(v))}) + v
}

const (
	duidLL = "\x00\x03\x00\x01\x02\x00\x00\x00\x00\x0b"
	duidT  = "\x00\x01\x00\x01\x2a\x00\x00\x00\x02\x00\x00\x00\x00\x0a"
	addr   = "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x07"
	ia     = "\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00"
	times  = "\x00\x00\x0e\x10\x00\x00\x1c\x20"
)

var (
	solicit = "\x01\x12\x34\x56" + opt(1, duidLL) + opt(6, "\x00\x17\x00\x18") + opt(8, "\x00\x00") + opt(3, ia) +
		opt(39, "\x01\x03cam\x04home\x00") + opt(16, "\x00\x00\x01\x37\x00\x08MSFT 5.0") + opt(15, "\x00\x01a\x00\x01b")
	reply = "\x07\x12\x34\x56" + opt(1, duidT) + opt(2, duidLL) + opt(3, ia+opt(5, addr+times)) + opt(4, ia[:4]+opt(5, addr+times)) +
		opt(25, ia+opt(26, times+"\x38"+addr)) + opt(23, addr+addr) + opt(24, "\x03lab\x04home\x00\x01x\x00") + opt(13, "\x00\x05NotOnLink")
	peer    = "\xfe\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xfe\x00\x00\x0b"
	relayed = "\x0c\x01" + addr + peer + opt(18, "\x07") + opt(9, solicit)
)

const head = `"dhcpv6":{"type":"solicit","id":1193046,"client_duid":"00:03:00:01:02:00:00:00:00:0b","client_mac":"02:00:00:00:00:0b"`

func TestMessages(t *testing.T) {
	solicitEVE := head + `,"fqdn":"cam.home","vendor_class":{"enterprise":311,"data":["MSFT 5.0"]},"user_class":["a","b"],"params":[23,24]`
	relay := func(n int, s string) string {
		for range n {
			s = "\x0c\x00" + addr + peer + opt(9, s)
		}
		return s
	}
	bad := []string{"malformed_data"}
	tests := []struct {
		name, in  string
		probe     proto.Match
		want      string
		anomalies []string
	}{
		{"solicit", solicit, proto.Yes, solicitEVE + `}`, nil},
		{"reply", reply, proto.Yes, `"dhcpv6":{"type":"reply","id":1193046,"client_duid":"00:01:00:01:2a:00:00:00:02:00:00:00:00:0a","client_mac":"02:00:00:00:00:0a",` +
			`"server_duid":"00:03:00:01:02:00:00:00:00:0b","addresses":[{"addr":"2001:db8::7","preferred":3600,"valid":7200},{"addr":"2001:db8::7","preferred":3600,"valid":7200}],` +
			`"prefixes":[{"prefix":"2001:db8::7/56","preferred":3600,"valid":7200}],"dns_servers":["2001:db8::7","2001:db8::7"],"search":["lab.home","x"],` +
			`"status":5,"status_message":"NotOnLink"}`, nil},
		{"relayed", relayed, proto.Yes, solicitEVE + `,"relay":{"type":"relay_forw","hops":1,"link":"2001:db8::7","peer":"fe80::ff:fe00:b","interface_id":"07"}}`, nil},
		{"relayed as often as allowed", relay(MaxRelays, solicit), proto.Yes, solicitEVE + `,"relay":{"type":"relay_forw","hops":0,"link":"2001:db8::7","peer":"fe80::ff:fe00:b"}}`, nil},
		{"relayed too often", relay(MaxRelays+1, solicit), proto.No, "", []string{"too_many_relays"}},
		{"relay of nothing", "\x0d\x00" + addr + peer, proto.No, `"dhcpv6":{"type":"relay_repl","id":0,"relay":{"type":"relay_repl","hops":0,"link":"2001:db8::7","peer":"fe80::ff:fe00:b"}}`, bad},
		{"relay cut", relayed[:30], proto.No, "", bad},
		{"information request without identifier", "\x0b\x00\x00\x01" + opt(6, "\x00\x17"), proto.Weak, `"dhcpv6":{"type":"information_request","id":1,"params":[23]}`, nil},
		{"late type", "\x24\x00\x00\x01" + opt(1, duidLL), proto.Weak, `"dhcpv6":{"type":"unknown","id":1,"client_duid":"00:03:00:01:02:00:00:00:00:0b","client_mac":"02:00:00:00:00:0b"}`, nil},
		{"option beyond the end", solicit[:20], proto.No, head + `}`, bad},
		{"trailing octets", solicit + "x", proto.No, solicitEVE + `}`, bad},
		{"no options", "\x01\x00\x00\x01", proto.No, `"dhcpv6":{"type":"solicit","id":1}`, nil},
		{"type zero", "\x00" + solicit[1:], proto.No, "", bad},
		{"type unknown", "\x25" + solicit[1:], proto.No, "", bad},
		{"too many options", "\x01\x12\x34\x56" + opt(1, duidLL) + strings.Repeat(opt(8, "ab"), MaxOptions), proto.Yes, head + `}`, []string{"too_many_options"}},
		{"odd lengths", "\x01\x12\x34\x56" + opt(1, duidLL) + opt(3, "x") + opt(25, ia+opt(26, times+addr)) + opt(39, "x") + opt(16, "abc") + opt(15, "\x00\x09a") + opt(13, "x") + opt(23, addr[1:]),
			proto.Yes, head + `,"user_class":[]}`, nil},
		{"dns", "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x00\x00\x01\x00\x01", proto.No, `"dhcpv6":{"type":"unknown","id":3408128}`, bad},
		{"empty", "", proto.No, "", bad},
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

// TestListsBounded: no list in an event is longer than maxList.
func TestListsBounded(t *testing.T) {
	in := "\x07\x12\x34\x56" + opt(1, duidLL) + opt(3, ia+strings.Repeat(opt(5, addr+times), 200)) + opt(23, strings.Repeat(addr, 200)) +
		opt(24, strings.Repeat("\x01x\x00", 200)) + opt(6, strings.Repeat("\x00\x07", 200)) + opt(15, strings.Repeat("\x00\x01q", 200))
	eve, _, _ := prototest.One(t, Protocol, in)
	for what, want := range map[string]int{`"valid"`: maxList, `"2001:db8::7"`: 2 * maxList, `"x"`: maxList, `"q"`: maxList} {
		if n := strings.Count(eve, what); n != want {
			t.Errorf("%s: %d, want %d", what, n, want)
		}
	}
}

func TestBuffers(t *testing.T) {
	_, _, v := prototest.One(t, Protocol, solicit)
	want := []string{"dhcpv6.client_duid=" + duidLL, "dhcpv6.vendor_class=\x00\x00\x01\x37\x00\x08MSFT 5.0", "dhcpv6.fqdn=\x01\x03cam\x04home\x00"}
	if !slices.Equal(v, want) {
		t.Errorf("%q", v)
	}
}

func TestNoAllocs(t *testing.T)   { prototest.NoAllocs(t, Protocol, solicit, reply, relayed) }
func FuzzParse(f *testing.F)      { prototest.Fuzz(f, Protocol, solicit, reply, relayed) }
func BenchmarkParse(b *testing.B) { prototest.Bench(b, Protocol, reply) }
