package dhcp

import (
	"encoding/binary"
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

// bootp is the fixed part.
func bootp(op byte, sname, file string) string {
	b := make([]byte, fixed)
	copy(b, []byte{op, 1, 6, 0, 0x12, 0x34, 0x56, 0x78})
	copy(b[28:], []byte{2, 0, 0, 0, 0, 0x0b})
	if op == 2 {
		copy(b[16:], []byte{192, 0, 2, 50})
	}
	copy(b[snameAt:], sname)
	copy(b[fileAt:], file)
	return string(b)
}

const magic = "\x63\x82\x53\x63"

func opt(code byte, v string) string { return string([]byte{code, byte(len(v))}) + v }

var (
	request = bootp(1, "", "") + magic + opt(53, "\x03") + opt(61, "\x01\x02\x00\x00\x00\x00\x0b") + opt(12, "cam") +
		opt(50, "\xc0\x00\x02\x32") + opt(55, "\x01\x03\x06\x0f\x77\xfc") + opt(60, "udhcp 1.35") + opt(77, "home") +
		opt(81, "\x00\x00\x00cam.home") + opt(57, "\x05\xdc") + "\x00\x00\xff"
	reply = bootp(2, "srv", "boot") + magic + opt(53, "\x05") + opt(54, "\xc0\x00\x02\x01") + opt(51, "\x00\x00\x0e\x10") +
		opt(58, "\x00\x00\x07\x08") + opt(59, "\x00\x00\x0c\x4e") + opt(1, "\xff\xff\xff\x00") + opt(3, "\xc0\x00\x02\x01") +
		opt(6, "\xc0\x00\x02\x01\xc0\x00\x02\x02") + opt(42, "\xc0\x00\x02\x03") + opt(15, "home.example\x00") +
		opt(119, "\x03lab\x04home\x00\x01x\xc0\x04") + opt(121, "\x18\xc6\x33\x64\xc0\x00\x02\x01\x00\xc0\x00\x02\x09") +
		opt(114, "http://portal/") + opt(252, "http://wpad/") + opt(66, "tftp") + opt(56, "hi") +
		opt(82, "\x01\x02\x00\x07\x02\x01\xaa") + "\xff"
)

const (
	reqHead  = `"dhcp":{"type":"request","id":305419896,"client_mac":"02:00:00:00:00:0b","assigned_ip":"0.0.0.0","client_ip":"0.0.0.0"`
	respHead = `"dhcp":{"type":"reply","id":305419896,"client_mac":"02:00:00:00:00:0b","assigned_ip":"192.0.2.50","client_ip":"0.0.0.0","relay_ip":"0.0.0.0","next_server_ip":"0.0.0.0"`
)

func TestMessages(t *testing.T) {
	base := bootp(1, "", "") + magic
	many := ""
	for c := byte(100); c < 100+MaxOptions+1; c++ {
		many += opt(c, "")
	}
	tests := []struct {
		name, in  string
		probe     proto.Match
		want      string
		anomalies []string
	}{
		{"request", request, proto.Yes, reqHead + `,"dhcp_type":"request","client_id":"02:00:00:00:00:0b","hostname":"cam","requested_ip":"192.0.2.50",` +
			`"params":["subnet_mask","router","dns_server","domain"],"param_list":"1,3,6,15,119,252","vendor_class_identifier":"udhcp 1.35",` +
			`"user_class":"home","fqdn":"cam.home","max_message_size":1500,"option_list":"53,61,12,50,55,60,77,81,57"}`, nil},
		{"reply", reply, proto.Yes, respHead + `,"dhcp_type":"ack","server_id":"192.0.2.1","subnet_mask":"255.255.255.0","routers":["192.0.2.1"],` +
			`"dns_servers":["192.0.2.1","192.0.2.2"],"ntp_servers":["192.0.2.3"],"lease_time":3600,"renewal_time":1800,"rebinding_time":3150,` +
			`"domain":"home.example","search":["lab.home","x.home"],"routes":[{"dest":"198.51.100.0/24","router":"192.0.2.1"},{"dest":"0.0.0.0/0","router":"192.0.2.9"}],` +
			`"captive_portal":"http://portal/","wpad":"http://wpad/","tftp_server":"tftp","boot_file":"boot","server_name":"srv","message":"hi",` +
			`"relay_agent":{"circuit_id":"0007","remote_id":"aa"},"option_list":"53,54,51,58,59,1,3,6,42,15,119,121,114,252,66,56,82"}`, nil},
		{"split option", base + opt(12, "ca") + opt(53, "\x01") + opt(12, "m-") + opt(12, "7") + "\xff", proto.Yes,
			reqHead + `,"dhcp_type":"discover","hostname":"cam-7","option_list":"12,53,12,12"}`, nil},
		{"overloaded", bootp(1, opt(12, "m")+"\xff", opt(60, "v")+opt(12, "ca")+"\xff") + magic + opt(53, "\x01") + opt(52, "\x03") + "\xff", proto.Yes,
			reqHead + `,"dhcp_type":"discover","hostname":"cam","vendor_class_identifier":"v","option_list":"53,52,60,12,12"}`, nil},
		{"overloaded file only", bootp(1, "srv", opt(12, "cam")+"\xff") + magic + opt(52, "\x01") + "\xff", proto.Yes,
			reqHead + `,"hostname":"cam","server_name":"srv","option_list":"52,12"}`, nil},
		{"fqdn in wire form", base + opt(53, "\x08") + opt(81, "\x04\x00\x00\x03cam\x04home\x00") + "\xff", proto.Yes,
			reqHead + `,"dhcp_type":"inform","fqdn":"cam.home","option_list":"53,81"}`, nil},
		{"name not UTF-8", base + opt(12, "c\xe4m") + "\xff", proto.Yes, reqHead + `,"hostname":"c\\xe4m","option_list":"12"}`, nil},
		{"unknown type", base + opt(53, "\x63") + "\xff", proto.Yes, reqHead + `,"dhcp_type":"unknown","option_list":"53"}`, nil},
		{"bootp", bootp(1, "", "x") + strings.Repeat("\x00", 64), proto.Weak, reqHead + `,"bootp":true,"boot_file":"x"}`, nil},
		{"no end", base + opt(53, "\x01"), proto.Yes, reqHead + `,"dhcp_type":"discover","option_list":"53"}`, []string{"malformed_options"}},
		{"option beyond the end", base + opt(53, "\x01") + "\x0c\x09cam", proto.Yes, reqHead + `,"dhcp_type":"discover","option_list":"53"}`, []string{"malformed_options"}},
		{"odd lengths", base + opt(50, "\x01") + opt(51, "\x01") + opt(81, "\x00") + opt(121, "\x21") + opt(119, "\x41") + opt(82, "\x01\x09") + "\xff", proto.Yes,
			reqHead + `,"search":[""],"routes":[],"option_list":"50,51,81,121,119,82"}`, nil},
		{"too many options", base + many + "\xff", proto.Yes, "", []string{"too_many_options"}},
		{"too many pieces", base + strings.Repeat(opt(12, strings.Repeat("x", 255)), 200) + "\xff", proto.Yes, "", []string{"too_many_options"}},
		{"neither request nor reply", "\x03" + request[1:], proto.No, "", []string{"malformed_data"}},
		{"hardware address too long", "\x01\x01\x11" + request[3:], proto.No, "", []string{"malformed_data"}},
		{"cut", request[:200], proto.No, "", []string{"malformed_data"}},
		{"other hardware without cookie", "\x01\x07" + bootp(1, "", "")[2:], proto.No, reqHead + `,"bootp":true}`, nil},
	}
	for _, tt := range tests {
		if m := probe(packet.ToServer, []byte(tt.in)); m != tt.probe {
			t.Errorf("%s: probe %v, want %v", tt.name, m, tt.probe)
		}
		eve, anomalies, _ := prototest.One(t, Protocol, tt.in)
		if eve != tt.want && !strings.HasPrefix(tt.name, "too many") || !slices.Equal(anomalies, tt.anomalies) {
			t.Errorf("%s: %v\n%s\nwant %s", tt.name, anomalies, eve, tt.want)
		}
	}
}

// TestListsBounded: an option as long as a datagram does not make an event of
// its size squared.
func TestListsBounded(t *testing.T) {
	s := bootp(2, "", "") + magic
	for range 12 {
		s += opt(119, strings.Repeat("\xc0\x00", 127)) + opt(6, strings.Repeat("abcd", 63)) + opt(121, strings.Repeat("\x00abcd", 51))
	}
	eve, _, _ := prototest.One(t, Protocol, s+"\xff")
	if n := strings.Count(eve, `"97.98.99.100"`); n != 2*maxList {
		t.Errorf("%d addresses", n)
	}
	if len(eve) > 8<<10 {
		t.Errorf("event of %d octets", len(eve))
	}
}

func TestBuffers(t *testing.T) {
	_, _, v := prototest.One(t, Protocol, request)
	if want := []string{"dhcp.hostname=cam", "dhcp.vendor_class=udhcp 1.35", "dhcp.params=\x01\x03\x06\x0f\x77\xfc"}; !slices.Equal(v, want) {
		t.Errorf("%q", v)
	}
	_, _, v = prototest.One(t, Protocol, reply)
	if want := []string{"dhcp.leasetime=3600", "dhcp.renewal_time=1800", "dhcp.rebinding_time=3150"}; !slices.Equal(v, want) {
		t.Errorf("%q", v)
	}
}

func TestProbeOthers(t *testing.T) {
	rtp := make([]byte, 300)
	binary.BigEndian.PutUint32(rtp, 0x80600001)
	for name, in := range map[string][]byte{"rtp": rtp, "zeros": make([]byte, 300), "text": []byte(strings.Repeat("M-SEARCH ", 40))} {
		if m := probe(packet.ToServer, in); m != proto.No {
			t.Errorf("%s: %v", name, m)
		}
	}
}

func TestNoAllocs(t *testing.T)   { prototest.NoAllocs(t, Protocol, request, reply) }
func FuzzParse(f *testing.F)      { prototest.Fuzz(f, Protocol, request, reply) }
func BenchmarkParse(b *testing.B) { prototest.Bench(b, Protocol, reply) }
