package dcerpc

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

var update = prototest.UpdateFlag()

// TestCaptures compares what is read from every testdata/*.pcap with the
// golden file beside it.
func TestCaptures(t *testing.T) { prototest.GoldenUDP(t, Protocol, *update) }

// TestReadme holds README.md against the code and the captures.
func TestReadme(t *testing.T) { prototest.Readme(t, Protocol) }

// order makes integers of one byte order.
type order struct{ binary.AppendByteOrder }

var (
	le = order{binary.LittleEndian}
	be = order{binary.BigEndian}
)

func (o order) u16(v ...int) string {
	var b []byte
	for _, x := range v {
		b = o.AppendUint16(b, uint16(x))
	}
	return string(b)
}

func (o order) u32(v ...int) string {
	var b []byte
	for _, x := range v {
		b = o.AppendUint32(b, uint32(x))
	}
	return string(b)
}

func (o order) drep() string {
	if o == le {
		return "\x10\x00\x00\x00"
	}
	return "\x00\x00\x00\x00"
}

// pdu is a message, C706 section 12.6.3.1.
func (o order) pdu(typ, flags byte, call int, body string) string {
	return "\x05\x00" + string([]byte{typ, flags}) + o.drep() + o.u16(16+len(body), 0) + o.u32(call) + body
}

// svcctl is 367abb81-9844-35f1-ad32-98f038001003 on the wire.
func (o order) svcctl(major int) string {
	return o.u32(0x367abb81) + o.u16(0x9844, 0x35f1) + "\xad\x32\x98\xf0\x38\x00\x10\x03" + o.u32(major)
}

func (o order) bind(typ, flags byte, call int, contexts ...int) string {
	b := o.u16(4280, 4280) + o.u32(0) + string([]byte{byte(len(contexts)), 0, 0, 0})
	for _, c := range contexts {
		b += o.u16(c) + "\x01\x00" + o.svcctl(c+2) + strings.Repeat("\x01", 20)
	}
	return o.pdu(typ, flags, call, b)
}

func (o order) ack(typ byte, call int, results ...int) string {
	b := o.u16(4280, 4280) + o.u32(1) + o.u16(4) + "135\x00\x00\x00" + string([]byte{byte(len(results)), 0, 0, 0})
	for _, r := range results {
		b += o.u16(r, 0) + strings.Repeat("\x01", 20)
	}
	return o.pdu(typ, 3, call, b)
}

func (o order) request(flags byte, call, context, opnum int, stub string) string {
	return o.pdu(TypeRequest, flags, call, o.u32(len(stub))+o.u16(context, opnum)+stub)
}

func (o order) response(flags byte, call int, stub string) string {
	return o.pdu(TypeResponse, flags, call, o.u32(len(stub))+o.u16(0, 0)+stub)
}

// datagram is a message of the connectionless protocol, C706 section 12.5.2.
func (o order) datagram(typ, flags byte, seq, opnum, frag int, stub string) string {
	return "\x04" + string([]byte{typ, flags, 0}) + o.drep()[:3] + "\x00" + strings.Repeat("\x00", 16) + o.svcctl(2)[:16] + "activity01234567" +
		o.u32(1, 2, seq) + o.u16(opnum, 0xffff, 0xffff, len(stub), frag) + "\x00\x00" + stub
}

// show says what the matcher would see of a call.
func show(tx proto.Tx, done bool) string {
	c := tx.(*Call)
	s := map[bool]string{false: "…", true: "."}[done]
	if c.Req.Done {
		s += fmt.Sprintf(" req %d/%d", c.Req.Type, c.Req.Frags)
	}
	if c.Rsp.Done {
		s += fmt.Sprintf(" rsp %d/%d", c.Rsp.Type, c.Rsp.Frags)
	}
	if n, ok := c.Opnum(); ok {
		s += fmt.Sprintf(" op %d", n)
	}
	if i, ok := c.Interface(); ok {
		s += fmt.Sprintf(" of %x v%d first %v", i.UUID[:6], i.Major, i.First)
	}
	for _, i := range c.Interfaces() {
		s += fmt.Sprintf(" [%d: %x v%d %v %d]", i.Context, i.UUID[:2], i.Major, i.Acked, i.Result)
	}
	for d := range packet.Dir(2) {
		if b, ok := c.Stub(d); ok {
			if len(b) > 20 {
				b = fmt.Appendf(nil, "%d octets", len(b))
			}
			s += fmt.Sprintf(" %s%s", [2]string{">", "<"}[d], b)
		}
		if c.BigEndian(d) {
			s += " big"
		}
	}
	return s
}

func run(o prototest.Options, parts ...prototest.Part) ([]string, prototest.Result) {
	var out []string
	o.OnTx = func(tx proto.Tx, done bool) { out = append(out, show(tx, done)) }
	r := prototest.Drive(Protocol, o, parts...)
	return out, r
}

func TestStreams(t *testing.T) {
	c, s := prototest.C, prototest.S
	bound := []prototest.Part{c(le.bind(TypeBind, 3, 1, 0, 1)), s(le.ack(TypeBindAck, 1, 2, 0))}
	boundWant := []string{"… req 11/1 [0: 367a v2 false 0] [1: 367a v3 false 0]", ". req 11/1 rsp 12/1 [0: 367a v2 true 2] [1: 367a v3 true 0]"}
	after := func(p ...prototest.Part) []prototest.Part { return append(bound[:2:2], p...) }
	tests := []struct {
		name  string
		parts []prototest.Part
		want  []string // after boundWant when parts begin with bound
		anom  string
	}{
		{"call", after(c(le.request(3, 2, 1, 15, "args")), s(le.response(3, 2, "results"))),
			[]string{"… req 0/1 op 15 of 367abb819844 v3 first true >args", ". req 0/1 rsp 2/1 op 15 of 367abb819844 v3 first true >args <results"}, ""},
		{"rejected interface", after(c(le.request(3, 2, 0, 15, "args"))), []string{"… req 0/1 op 15 >args", ". req 0/1 op 15 >args"}, ""},
		{"fault", after(c(le.request(3, 2, 1, 15, "args")), s(le.pdu(TypeFault, 3, 2, le.u32(0, 0, 5, 0)))),
			[]string{"… req 0/1 op 15 of 367abb819844 v3 first true >args", ". req 0/1 rsp 3/1 op 15 of 367abb819844 v3 first true >args"}, ""},
		{"fragments", after(c(le.request(1, 2, 1, 15, "ar")+le.request(0, 2, 1, 15, "gum")+le.request(2, 2, 1, 15, "ents")), s(le.response(1, 2, "re")+le.response(2, 2, "sults"))),
			[]string{"… req 0/3 op 15 of 367abb819844 v3 first true >arguments", ". req 0/3 rsp 2/2 op 15 of 367abb819844 v3 first true >arguments <results"}, ""},
		{"fragments of two calls mixed", after(c(le.request(1, 2, 1, 15, "a")+le.request(1, 3, 1, 16, "c")+le.request(2, 2, 1, 15, "b")+le.request(2, 3, 1, 16, "d")), s(le.response(3, 3, "three")+le.response(3, 2, "two"))),
			[]string{"… req 0/2 op 15 of 367abb819844 v3 first true >ab", "… req 0/2 op 16 of 367abb819844 v3 first true >cd",
				". req 0/2 rsp 2/1 op 16 of 367abb819844 v3 first true >cd <three", ". req 0/2 rsp 2/1 op 15 of 367abb819844 v3 first true >ab <two"}, ""},
		{"fragments without end", after(c(le.request(1, 2, 1, 15, "a") + le.request(0, 2, 1, 15, "b"))),
			[]string{". req 0/2 op 15 of 367abb819844 v3 first true >ab"}, ""},
		{"fragments begun again", after(c(le.request(1, 2, 1, 15, "a") + le.request(3, 2, 1, 15, "b"))),
			[]string{"… req 0/1 op 15 of 367abb819844 v3 first true >b", ". req 0/1 op 15 of 367abb819844 v3 first true >a", ". req 0/1 op 15 of 367abb819844 v3 first true >b"}, ""},
		{"object", after(c(le.pdu(TypeRequest, 0x83, 2, le.u32(4)+le.u16(1, 15)+"object0123456789args"))),
			[]string{"… req 0/1 op 15 of 367abb819844 v3 first true >args", ". req 0/1 op 15 of 367abb819844 v3 first true >args"}, ""},
		{"alter context", after(c(le.bind(TypeAlter, 3, 2, 7)), s(le.ack(TypeAlterResp, 2, 0)), c(le.request(3, 3, 7, 1, "x")+le.request(3, 4, 1, 2, "y"))),
			[]string{"… req 14/1 [7: 367a v9 false 0]", ". req 14/1 rsp 15/1 [7: 367a v9 true 0]", "… req 0/1 op 1 of 367abb819844 v9 first true >x",
				"… req 0/1 op 2 of 367abb819844 v3 first true >y", ". req 0/1 op 1 of 367abb819844 v9 first true >x", ". req 0/1 op 2 of 367abb819844 v3 first true >y"}, ""},
		{"bind without first flag", []prototest.Part{c(be.bind(TypeBind, 0, 1, 4)), s(be.ack(TypeBindAck, 1, 0)), c(be.request(3, 1, 4, 259, "args")), s(be.response(3, 1, "r"))},
			[]string{"… req 11/1 [4: 367a v6 false 0] big", ". req 11/1 rsp 12/1 [4: 367a v6 true 0] big big", "… req 0/1 op 259 of 367abb819844 v6 first false >args big",
				". req 0/1 rsp 2/1 op 259 of 367abb819844 v6 first false >args big <r big"}, ""},
		{"refused", []prototest.Part{c(le.bind(TypeBind, 3, 1, 0)), s(le.pdu(TypeBindNak, 3, 1, le.u16(4)+"\x00"))},
			[]string{"… req 11/1 [0: 367a v2 false 0]", ". req 11/1 rsp 13/1 [0: 367a v2 false 0]"}, ""},
		{"third leg of an authentication", []prototest.Part{c(le.pdu(TypeAuth3, 3, 1, "pad.ntlm"))}, []string{". req 16/1"}, ""},
		{"answer alone", []prototest.Part{s(le.response(3, 9, "results"))}, []string{". rsp 2/1 <results"}, ""},
		{"junk between", after(c("\x05\x05junk" + strings.Repeat("\x05", 40) + le.request(3, 2, 1, 15, "args"))),
			[]string{"… req 0/1 op 15 of 367abb819844 v3 first true >args", ". req 0/1 op 15 of 367abb819844 v3 first true >args"}, "dcerpc_framing_lost"},
		{"gap", after(c(le.request(3, 2, 1, 15, "args")[:20]), prototest.Part{Gap: 100, Data: []byte("rest of something" + le.request(3, 3, 1, 16, "more"))}),
			[]string{"… req 0/1 op 16 of 367abb819844 v3 first true >more", ". req 0/1 op 16 of 367abb819844 v3 first true >more"}, ""},
		{"cut bodies", []prototest.Part{c(le.pdu(TypeRequest, 3, 1, "1234") + le.pdu(TypeBind, 3, 2, "x")), s(le.pdu(TypeBindAck, 3, 2, "12345678\xff\xff"))},
			[]string{"… req 0/1", "… req 11/1", ". req 11/1 rsp 12/1", ". req 0/1"}, ""},
	}
	for _, tt := range tests {
		want := tt.want
		if &tt.parts[0] == &bound[0] || len(tt.parts) > 1 && string(tt.parts[0].Data) == string(bound[0].Data) {
			want = append(slices.Clone(boundWant), want...)
		}
		for seed := range uint64(5) {
			parts := tt.parts
			if seed > 0 {
				parts = prototest.Split(seed, parts...)
			}
			got, r := run(prototest.Options{}, parts...)
			if !slices.Equal(got, want) || r.Err != nil || strings.Join(r.Anomalies, " ") != tt.anom {
				t.Fatalf("%s, seed %d: %v %v\n%s\nwant\n%s", tt.name, seed, r.Err, r.Anomalies, strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		}
	}
}

func TestDatagrams(t *testing.T) {
	c, s := prototest.C, prototest.S
	o := prototest.Options{Conn: proto.Conn{Transport: proto.UDP}}
	tests := []struct {
		name  string
		parts []prototest.Part
		want  []string
		anom  string
	}{
		{"call", []prototest.Part{c(le.datagram(0, 0x08, 5, 1, 0, "args")), s(le.datagram(2, 0x08, 5, 1, 0, "results"))},
			[]string{"… req 0/1 op 1 of 367abb819844 v2 first true >args", ". req 0/1 rsp 2/1 op 1 of 367abb819844 v2 first true >args <results"}, ""},
		{"big-endian", []prototest.Part{c(be.datagram(0, 0, 5, 1, 0, "args"))},
			[]string{"… req 0/1 op 1 of 367abb819844 v2 first true >args big", ". req 0/1 op 1 of 367abb819844 v2 first true >args big"}, ""},
		{"fragments", []prototest.Part{c(le.datagram(0, 4, 5, 1, 0, "ar")), c(le.datagram(0, 6, 5, 1, 1, "gs")), c(le.datagram(0, 6, 5, 1, 1, "gs"))},
			[]string{"… req 0/2 op 1 of 367abb819844 v2 first true >args", ". req 0/2 op 1 of 367abb819844 v2 first true >args"}, ""},
		{"ping", []prototest.Part{c(le.datagram(1, 0, 5, 1, 0, "")), s(le.datagram(4, 0, 5, 1, 0, ""))}, nil, ""},
		{"short", []prototest.Part{c("\x04\x00")}, nil, "malformed_data"},
	}
	for _, tt := range tests {
		got, r := run(o, tt.parts...)
		if !slices.Equal(got, tt.want) || strings.Join(r.Anomalies, " ") != tt.anom {
			t.Errorf("%s: %v\n%s\nwant\n%s", tt.name, r.Anomalies, strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
		}
	}
	_, r := run(o, tests[0].parts...)
	want := `"dcerpc":{"request":"REQUEST","req":{"opnum":1,"frag_cnt":1,"stub_data_size":4},"interfaces":[{"uuid":"367abb81-9844-35f1-ad32-98f038001003","version":"2.0","ack_result":0}],` +
		`"response":"RESPONSE","res":{"frag_cnt":1,"stub_data_size":7},"activityuuid":"69746361-6976-7974-3031-323334353637","seqnum":5,"rpc_version":"4.0"}`
	if r.Joined() != want {
		t.Error(r.Joined())
	}
}
