package dns

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

var update = prototest.UpdateFlag()

func TestGolden(t *testing.T) { prototest.GoldenUDP(t, Protocol, *update) }

func TestReadme(t *testing.T) { prototest.Readme(t, Protocol) }

// msg is an encoder of messages for tests.
type msg struct{ b []byte }

func header(id, flags uint16, counts ...uint16) *msg {
	m := &msg{}
	m.u16(id, flags)
	m.u16(counts...)
	for len(m.b) < HeaderLen {
		m.u16(0)
	}
	return m
}

func (m *msg) u16(vs ...uint16) *msg {
	for _, v := range vs {
		m.b = binary.BigEndian.AppendUint16(m.b, v)
	}
	return m
}

func (m *msg) name(n string) *msg {
	m.b = appendName(m.b, n)
	return m
}

func appendName(b []byte, n string) []byte {
	for l := range strings.SplitSeq(n, ".") {
		if l != "" {
			b = append(b, byte(len(l)))
			b = append(b, l...)
		}
	}
	return append(b, 0)
}

func (m *msg) question(n string, t Type) *msg { return m.name(n).u16(uint16(t), 1) }

// rr appends a record; an empty name is a pointer to the first question.
func (m *msg) rr(n string, t Type, ttl uint32, data ...byte) *msg {
	if n == "" {
		m.u16(0xc00c)
	} else {
		m.name(n)
	}
	m.u16(uint16(t), 1)
	m.b = binary.BigEndian.AppendUint32(m.b, ttl)
	m.u16(uint16(len(data)))
	m.b = append(m.b, data...)
	return m
}

func (m *msg) opt(size uint16, ttl uint32, options ...byte) *msg {
	m.b = append(m.b, 0)
	m.u16(uint16(TypeOPT), size)
	m.b = binary.BigEndian.AppendUint32(m.b, ttl)
	m.u16(uint16(len(options)))
	m.b = append(m.b, options...)
	return m
}

func (m *msg) String() string { return string(m.b) }

func framed(ms ...*msg) string {
	var b []byte
	for _, m := range ms {
		b = binary.BigEndian.AppendUint16(b, uint16(len(m.b)))
		b = append(b, m.b...)
	}
	return string(b)
}

func query(n string, t Type) *msg { return header(0x1234, FlagRD, 1).question(n, t) }

func reply(an, ns, ar uint16) *msg {
	return header(0x1234, FlagQR|FlagRD|FlagRA, 1, an, ns, ar).question("www.example.com", TypeA)
}

const answerHead = `"dns":{"version":2,"type":"answer","id":4660,"flags":"8180","qr":true,"rd":true,"ra":true,"opcode":0,` +
	`"rrname":"www.example.com","rrtype":"A","rcode":"NOERROR"`

func answers(one, grouped string) string {
	if grouped != "" {
		grouped = `,"grouped":{` + grouped + `}`
	}
	return answerHead + `,"answers":[{"rrname":"www.example.com",` + one + `}]` + grouped + `}`
}

func TestEvents(t *testing.T) {
	soa := append(appendName(appendName(nil, "ns.example.com"), "root.example.com"),
		0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 5)
	tests := []struct {
		name string
		in   *msg
		want string
	}{
		{"query", query("www.example.com", TypeA),
			`"dns":{"version":2,"type":"query","id":4660,"rrname":"www.example.com","rrtype":"A","tx_id":0,"opcode":0}`},
		{"root", query("", TypeNS), `"dns":{"version":2,"type":"query","id":4660,"rrname":"","rrtype":"NS","tx_id":0,"opcode":0}`},
		{"unknown type", query("x", 4660), `"dns":{"version":2,"type":"query","id":4660,"rrname":"x","rrtype":"4660","tx_id":0,"opcode":0}`},
		{"letters as sent", query("wWw.eXample", TypeHTTPS),
			`"dns":{"version":2,"type":"query","id":4660,"rrname":"wWw.eXample","rrtype":"HTTPS","tx_id":0,"opcode":0}`},
		{"octets above 127", query("a\xff\"\n", TypeA),
			`"dns":{"version":2,"type":"query","id":4660,"rrname":"a\\xff\"\n","rrtype":"A","tx_id":0,"opcode":0}`},
		{"utf-8", query("bücher", TypeA),
			`"dns":{"version":2,"type":"query","id":4660,"rrname":"bücher","rrtype":"A","tx_id":0,"opcode":0}`},
		{"two questions", header(1, 0, 2).question("a", TypeA).question("b", TypeAAAA),
			`"dns":{"version":2,"type":"query","id":1,"rrname":"a","rrtype":"A","tx_id":0,"opcode":0,` +
				`"queries":[{"rrname":"a","rrtype":"A"},{"rrname":"b","rrtype":"AAAA"}]}`},
		{"edns", header(1, FlagRD, 1, 0, 0, 1).question("a", TypeA).opt(1232, 0x8000, 0, 8, 0, 7, 0, 1, 24, 0, 192, 0, 2),
			`"dns":{"version":2,"type":"query","id":1,"rrname":"a","rrtype":"A","tx_id":0,"opcode":0,` +
				`"edns":{"version":0,"udp_size":1232,"dnssec_ok":true,"client_subnet":"192.0.2.0/24"}}`},
		{"edns cookie and subnet 6", header(1, 0, 1, 0, 0, 1).question("a", TypeA).opt(512, 0, 0, 10, 0, 2, 0xab, 0xcd, 0, 8, 0, 6, 0, 2, 16, 0, 0x20, 1),
			`"dns":{"version":2,"type":"query","id":1,"rrname":"a","rrtype":"A","tx_id":0,"opcode":0,` +
				`"edns":{"version":0,"udp_size":512,"client_subnet":"2001::/16","cookie":"abcd"}}`},
		{"A", reply(1, 0, 0).rr("", TypeA, 60, 192, 0, 2, 1), answers(`"rrtype":"A","ttl":60,"rdata":"192.0.2.1"`, `"A":["192.0.2.1"]`)},
		{"A too short", reply(1, 0, 0).rr("", TypeA, 60, 192, 0), answers(`"rrtype":"A","ttl":60`, `"A":[]`)},
		{"AAAA", reply(1, 0, 0).rr("", TypeAAAA, 60, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
			answers(`"rrtype":"AAAA","ttl":60,"rdata":"2001:db8::1"`, `"AAAA":["2001:db8::1"]`)},
		{"AAAA mapped", reply(1, 0, 0).rr("", TypeAAAA, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1),
			answers(`"rrtype":"AAAA","ttl":60,"rdata":"::ffff:192.0.2.1"`, `"AAAA":["::ffff:192.0.2.1"]`)},
		{"CNAME", reply(1, 0, 0).rr("", TypeCNAME, 60, 3, 'c', 'd', 'n', 0xc0, 16),
			answers(`"rrtype":"CNAME","ttl":60,"rdata":"cdn.example.com"`, `"CNAME":["cdn.example.com"]`)},
		{"MX", reply(1, 0, 0).rr("", TypeMX, 60, 0, 10, 2, 'm', 'x', 0),
			answers(`"rrtype":"MX","ttl":60,"rdata":"mx"`, `"MX":["mx"]`)},
		{"TXT", reply(1, 0, 0).rr("", TypeTXT, 60, 3, 'v', '=', 's', 2, 'p', 'f', 9),
			answers(`"rrtype":"TXT","ttl":60,"rdata":"v=spf"`, `"TXT":["v=spf"]`)},
		{"NULL", reply(1, 0, 0).rr("", TypeNULL, 60, 'a', 0), answers(`"rrtype":"NULL","ttl":60,"rdata":"a\u0000"`, `"NULL":["a\u0000"]`)},
		{"SRV", reply(1, 0, 0).rr("", TypeSRV, 60, 0, 1, 0, 2, 0, 80, 1, 'h', 0),
			answers(`"rrtype":"SRV","ttl":60,"srv":{"priority":1,"weight":2,"port":80,"name":"h"}`, `"SRV":[{"priority":1,"weight":2,"port":80,"name":"h"}]`)},
		{"SSHFP", reply(1, 0, 0).rr("", TypeSSHFP, 60, 4, 2, 0xab, 1),
			answers(`"rrtype":"SSHFP","ttl":60,"sshfp":{"fingerprint":"ab:01","algo":4,"type":2}`, `"SSHFP":[{"fingerprint":"ab:01","algo":4,"type":2}]`)},
		{"HTTPS", reply(1, 0, 0).rr("", TypeHTTPS, 60, 0, 1, 0, 0, 1, 0, 6, 2, 'h', '2', 2, 'h', '3', 0, 3, 0, 2, 1, 187, 0, 4, 0, 4, 192, 0, 2, 1, 0, 5, 0, 1, 9),
			answers(`"rrtype":"HTTPS","ttl":60,"svcb":{"priority":1,"target":"","alpn":["h2","h3"],"port":443,"ipv4hint":["192.0.2.1"],"ech":true}`, "")},
		{"SVCB alias with hint", reply(1, 0, 0).rr("", TypeSVCB, 60, 0, 0, 1, 'x', 0, 0, 6, 0, 16, 0x20, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9),
			answers(`"rrtype":"SVCB","ttl":60,"svcb":{"priority":0,"target":"x","ipv6hint":["2001::9"]}`, "")},
		{"CAA", reply(1, 0, 0).rr("", TypeCAA, 60, 0x80, 5, 'i', 's', 's', 'u', 'e', 'c', 'a'),
			answers(`"rrtype":"CAA","ttl":60,"caa":{"flags":128,"tag":"issue","value":"ca"}`, "")},
		{"DS", reply(1, 0, 0).rr("", 43, 60, 1, 2, 8, 2, 0xfe), answers(`"rrtype":"DS","ttl":60,"rdata_hex":"01020802fe"`, "")},
		{"SOA and NXDOMAIN", header(0x1234, 0x8583, 1, 0, 1).question("www.example.com", TypeA).rr("example.com", TypeSOA, 60, soa...),
			`"dns":{"version":2,"type":"answer","id":4660,"flags":"8583","qr":true,"aa":true,"rd":true,"ra":true,"opcode":0,` +
				`"rrname":"www.example.com","rrtype":"A","rcode":"NXDOMAIN","authorities":[{"rrname":"example.com","rrtype":"SOA","ttl":60,` +
				`"soa":{"mname":"ns.example.com","rname":"root.example.com","serial":1,"refresh":2,"retry":3,"expire":4,"minimum":5}}]}`},
		{"extended rcode", reply(0, 0, 1).opt(1232, 1<<24),
			strings.Replace(answerHead, "NOERROR", "BADVERS", 1) + `,"edns":{"version":0,"udp_size":1232}}`},
		{"unassigned rcode", header(0x1234, 0x818f, 1).question("www.example.com", TypeA),
			strings.Replace(strings.Replace(answerHead, "NOERROR", "15", 1), "8180", "818f", 1) + `}`},
		{"header only", header(1, 0x8005),
			`"dns":{"version":2,"type":"answer","id":1,"flags":"8005","qr":true,"opcode":0,"rcode":"REFUSED"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := prototest.Drive(Protocol, prototest.Options{Conn: proto.Conn{Transport: proto.UDP}}, prototest.C(tt.in.String()))
			if r.Joined() != tt.want {
				t.Errorf("got  %s\nwant %s", r.Joined(), tt.want)
			}
			if len(r.Anomalies) > 0 || r.Err != nil {
				t.Errorf("anomalies %v, error %v", r.Anomalies, r.Err)
			}
		})
	}
}

func TestFlaws(t *testing.T) {
	long := query(strings.Repeat("abcdefghijklmnopqrstuvwxyz01234.", 8)+"x", TypeA)
	hops := header(1, FlagQR, 0, 1)
	hops.b = append(hops.b, 0xc0, 12)
	hops.u16(1, 1, 0, 60, 0)
	many := header(1, FlagQR, 1, MaxRecords).question("a", TypeA)
	for range MaxRecords {
		many.rr("", TypeA, 1, 1, 2, 3, 4)
	}
	chain := header(1, FlagQR, 1, 1).question("a", TypeA)
	at := len(chain.b) + 12
	var links []byte
	for i := range MaxPointers + 1 {
		links = append(links, 0xc0|byte((at+2*i+2)>>8), byte(at+2*i+2))
	}
	chain.rr("", TypeCNAME, 1, append(links, 0)...)
	tests := []struct {
		name string
		in   string
		want []string
	}{
		{"short header", "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00", []string{"malformed_data"}},
		{"question cut", query("www.example.com", TypeA).String()[:20], []string{"malformed_data"}},
		{"record cut", reply(1, 0, 0).rr("", TypeA, 60, 1, 2, 3, 4).String()[:40], []string{"malformed_data"}},
		{"reserved label", header(1, 0, 1).String() + "\x41a\x00\x00\x01\x00\x01", []string{"malformed_data"}},
		{"z bit", header(1, FlagZ, 1).question("a", TypeA).String(), []string{"z_flag_set"}},
		{"opcode", header(1, 9<<11, 1).question("a", TypeA).String(), []string{"invalid_opcode"}},
		{"name of 258 octets", long.String(), []string{"name_too_long"}},
		{"pointer to itself", hops.String(), []string{"forward_pointer", "pointer_loop"}},
		{"chain of pointers", chain.String(), []string{"forward_pointer", "pointer_loop"}},
		{"more records than kept", many.String(), []string{"too_many_records"}},
		{"trailing", query("a", TypeA).String() + "x", []string{"trailing_bytes"}},
		{"counts beyond the message", header(1, FlagQR, 1, 65535, 65535, 65535).question("a", TypeA).String(), []string{"malformed_data"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := prototest.Drive(Protocol, prototest.Options{Conn: proto.Conn{Transport: proto.UDP}}, prototest.C(tt.in))
			if !slices.Equal(r.Anomalies, tt.want) {
				t.Errorf("anomalies %v, want %v", r.Anomalies, tt.want)
			}
			if r.Err != nil {
				t.Errorf("a datagram ended the flow: %v", r.Err)
			}
		})
	}
}

func TestStream(t *testing.T) {
	parts := []prototest.Part{
		prototest.C(framed(query("a.example", TypeA), query("b.example", TypeAAAA))),
		prototest.S(framed(reply(1, 0, 0).rr("", TypeA, 60, 192, 0, 2, 1))),
		prototest.C(framed(query("c.example", TypeMX))),
	}
	whole := prototest.Drive(Protocol, prototest.Options{}, parts...)
	if len(whole.Events) != 4 || whole.Err != nil || len(whole.Anomalies) != 0 {
		t.Fatalf("%v %v %v", whole.Events, whole.Err, whole.Anomalies)
	}
	if !strings.Contains(whole.Events[3], `"rrname":"c.example","rrtype":"MX","tx_id":3`) {
		t.Errorf("numbering: %s", whole.Events[3])
	}
	for seed := range uint64(50) {
		cut := prototest.Drive(Protocol, prototest.Options{}, prototest.Split(seed, parts...)...)
		if cut.Joined() != whole.Joined() {
			t.Fatalf("seed %d: %s", seed, cut.Joined())
		}
	}
}

func TestGap(t *testing.T) {
	a, b := framed(query("a.example", TypeA)), framed(query("b.example", TypeA))
	r := prototest.Drive(Protocol, prototest.Options{},
		prototest.C(a[:9]),
		prototest.Part{Data: []byte("lost framing"), Gap: 7},
		prototest.C(b), prototest.C(a))
	if len(r.Events) != 2 || !strings.Contains(r.Events[0], "b.example") || !strings.Contains(r.Events[1], "a.example") {
		t.Errorf("events %v", r.Events)
	}
}

func TestLimits(t *testing.T) {
	// A stream that promises a message below a header's size is not DNS.
	r := prototest.Drive(Protocol, prototest.Options{}, prototest.C("\x00\x0bxxxxxxxxxxxxxx"))
	if r.Err == nil || !slices.Equal(r.Anomalies, []string{"malformed_data"}) {
		t.Errorf("error %v, anomalies %v", r.Err, r.Anomalies)
	}
	// The longest message fits the limit of held-back bytes.
	big := header(1, FlagQR, 1, 1).question("a", TypeA)
	big.rr("", 60000, 1, make([]byte, MaxMessage-len(big.b)-12)...)
	if len(big.b) != MaxMessage {
		t.Fatal(len(big.b))
	}
	s := framed(big)
	r = prototest.Drive(Protocol, prototest.Options{}, prototest.S(s[:MaxMessage]), prototest.S(s[MaxMessage:]))
	if r.Done != 1 || r.Err != nil {
		t.Errorf("done %d, error %v", r.Done, r.Err)
	}
	var m Message
	if m.Parse(append(big.b, 0)); m.Flaws&TrailingBytes == 0 || len(m.Wire()) != MaxMessage {
		t.Error("a message beyond 65,535 octets was not cut")
	}
	// The largest event of the most and longest names stays bounded.
	worst := header(1, FlagQR, 1, MaxRecords-1).question(strings.Repeat(strings.Repeat("\xff", 62)+".", 4), TypeA)
	for range MaxRecords - 1 {
		worst.rr("", TypeCNAME, 1, 0xc0, 12)
	}
	m.Parse(worst.b)
	var e event.Encoder
	m.EncodeEVE(&e)
	if const1 := 512 << 10; len(e.B) > const1 || len(m.text) > MaxRecords*2*MaxName {
		t.Errorf("event of %d octets, %d of names", len(e.B), len(m.text))
	}
}
