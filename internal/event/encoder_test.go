package event

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/yamori-net/yamori/internal/packet"
)

func TestEncoder(t *testing.T) {
	e := &Encoder{}
	e.Obj("")
	e.Str("s", "a\"b\\c\n\x01é\xff")
	e.Int("i", -5)
	e.Uint("u", 1<<63)
	e.Float("f", 0.98765, 3)
	e.Bool("b", true)
	e.Arr("a")
	e.Str("", "x")
	e.Uint("", 7)
	e.Arr("")
	e.EndArr()
	e.Obj("")
	e.Hex("h", []byte{0, 255})
	e.EndObj()
	e.EndArr()
	e.Obj("empty")
	e.EndObj()
	e.Base64("b64", []byte("hi!"))
	e.OptStr("left", "")
	e.OptBytes("out", nil)
	e.Addr("ip4", packet.AddrFrom4([]byte{192, 0, 2, 1}))
	e.Addr("ip6", packet.AddrFrom16([]byte{0x20, 1, 0xd, 0xb8, 15: 1}))
	e.EndObj()
	want := `{"s":"a\"b\\c\n\u0001é` + "\ufffd" + `","i":-5,"u":9223372036854775808,"f":0.988,"b":true,"a":["x",7,[],{"h":"00ff"}],` +
		`"empty":{},"b64":"aGkh","ip4":"192.0.2.1","ip6":"2001:db8::1"}`
	if got := string(e.B); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// The standard library is the oracle: whatever the bytes are, the string is
// valid JSON and reads back as the same text.
func FuzzAppendString(f *testing.F) {
	for _, s := range []string{"", "plain", "q\"uote", "\x00\x1f\x7f", "日本", "\xe6\x97", "a\xffb\xc0\x80", "\u2028", "\xed\xa0\x80"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		b := AppendString(nil, s)
		if string(b) != string(AppendString(nil, []byte(s))) {
			t.Fatal("string and bytes differ")
		}
		var back string
		if err := json.Unmarshal(b, &back); err != nil {
			t.Fatalf("%q: %v", b, err)
		}
		if want := strings.ToValidUTF8(s, "\ufffd"); utf8.ValidString(s) && back != want {
			t.Fatalf("%q reads back as %q", s, back)
		}
	})
}

// Time is compared with the standard library's over the whole range.
func FuzzTime(f *testing.F) {
	for _, ns := range []int64{0, -1, 1, 951782399999999999, 951782400000000000, 1e18, 1 << 62, -1 << 62, 4107542399999999999} {
		f.Add(ns)
	}
	f.Fuzz(func(t *testing.T, ns int64) {
		e := &Encoder{}
		for range 2 { // the second time from the cached date
			e.B = e.B[:0]
			e.Time("", ns)
			if want := time.Unix(0, ns).UTC().Format(`"2006-01-02T15:04:05.000000-0700"`); string(e.B) != want {
				t.Fatalf("%d: got %s, want %s", ns, e.B, want)
			}
		}
	})
}

func sample() *Event {
	return &Event{
		Time: 1763863200123456789, Type: Alert, FlowID: 42, PcapCnt: 7, HasAddr: true, Proto: packet.ProtoTCP,
		Src: packet.AddrFrom4([]byte{192, 168, 1, 2}), Dst: packet.AddrFrom4([]byte{192, 0, 2, 1}), SrcPort: 40000, DstPort: 3333,
		VLANs: 1, VLAN: [2]uint16{10}, AppProto: "stratum",
		Finding: &Finding{Category: Mining, Family: "stratum", Detector: "mining", Level: Confirmed, Confidence: 0.99,
			SignatureID: 1, Signature: "s", Severity: 1, Evidence: []Evidence{{"stratum.login", "login", 4.5}},
			Code: "mining.stratum", Args: []Arg{{"pool", "p:1"}}, Mining: &MiningDetail{Dialect: "cryptonote", Pool: "p:1"},
			Device: DeviceRef{ID: "mac:02:00:00:00:00:01", Kind: "unknown"}},
	}
}

func TestEVEAlert(t *testing.T) {
	var w EVE
	got := string(w.Append(nil, sample()))
	want := `{"timestamp":"2025-11-23T02:00:00.123456+0000","flow_id":42,"pcap_cnt":7,"event_type":"alert","vlan":[10],` +
		`"src_ip":"192.168.1.2","src_port":40000,"dest_ip":"192.0.2.1","dest_port":3333,"proto":"TCP","community_id":"` +
		string(packet.AppendCommunityID(nil, sample().Src, sample().Dst, 40000, 3333, 6, 0)) + `","app_proto":"stratum",` +
		`"alert":{"action":"allowed","gid":7411,"signature_id":1,"rev":1,"signature":"s","category":"Crypto Currency Mining Activity Detected","severity":1},` +
		`"yamori":{"category":"mining","family":"stratum","detector":"mining","verdict":"confirmed","confidence":0.990,"action":"allowed",` +
		`"evidence":[{"code":"stratum.login","value":"login","weight":4.50}],"mining":{"dialect":"cryptonote","pool":"p:1"},` +
		`"device":{"id":"mac:02:00:00:00:00:01","kind":"unknown","name":""},"explain":{"code":"mining.stratum","args":{"pool":"p:1"}}}}` + "\n"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestEVENoAllocs(t *testing.T) {
	var w EVE
	ev := sample()
	ev.Finding = nil
	buf := make([]byte, 0, 4096)
	if n := testing.AllocsPerRun(100, func() { buf = w.Append(buf[:0], ev) }); n > 1 { // the SHA-1 state of the community ID
		t.Errorf("%v allocations per line", n)
	}
}

func BenchmarkEVE(b *testing.B) {
	var w EVE
	ev := sample()
	buf := make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		buf = w.Append(buf[:0], ev)
	}
}

func TestPrintable(t *testing.T) {
	var e Encoder
	e.Obj("")
	e.Printable("a", []byte("x\"\\\r\n\x00\x7f\xc3\xa9~"))
	e.EndObj()
	if got, want := string(e.B), `{"a":"x\"\\\r\n....~"}`; got != want {
		t.Errorf("%s, not %s", got, want)
	}
}
