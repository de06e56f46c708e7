package ldap

import (
	"slices"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

var (
	c = prototest.C
	s = prototest.S
)

// el makes an element; lengths take the shortest form.
func el(tag byte, in ...string) string {
	v := strings.Join(in, "")
	n := len(v)
	switch {
	case n < 0x80:
		return string([]byte{tag, byte(n)}) + v
	case n < 0x100:
		return string([]byte{tag, 0x81, byte(n)}) + v
	}
	return string([]byte{tag, 0x83, byte(n >> 16), byte(n >> 8), byte(n)}) + v
}

func str(v string) string    { return el(tagStr, v) }
func num(n byte) string      { return el(tagInt, string([]byte{n})) }
func enum(n byte) string     { return el(tagEnum, string([]byte{n})) }
func flag(n byte) string     { return el(tagBool, string([]byte{n})) }
func seq(v ...string) string { return el(tagSeq, v...) }

func msg(id byte, op uint8, in ...string) string { return seq(num(id), el(0x60|op, in...)) }

func result(id byte, op uint8, code byte, text string) string {
	return msg(id, op, enum(code), str(""), str(text))
}

func attr(name string, values ...string) string {
	var v []string
	for _, x := range values {
		v = append(v, str(x))
	}
	return seq(str(name), el(tagSet, v...))
}

var (
	bind      = msg(1, BindRequest, num(3), str("cn=robin"), el(0x80, "secret"))
	bindSASL  = msg(1, BindRequest, num(3), str(""), el(0xa3, str("GSSAPI"), str("token")))
	bound     = result(1, BindResponse, 0, "")
	search    = msg(2, SearchRequest, str("dc=home"), enum(2), enum(0), num(0), num(5), flag(0), el(0x87, "objectClass"), seq(str("cn"), str("mail")))
	entry     = msg(2, SearchEntry, str("cn=a,dc=home"), seq(attr("cn", "a"), attr("mail", "x", "y")))
	reference = msg(2, SearchReference, str("ldap://other/"))
	searched  = result(2, SearchDone, 0, "fine")
	wantTLS   = msg(3, ExtendedRequest, el(0x80, startTLS))
	unbind    = seq(num(9), "\x42\x00")
)

const (
	eveBind   = `"ldap":{"request":{"message_id":1,"operation":"bind_request","bind_request":{"version":3,"name":"cn=robin"}},"responses":[{"operation":"bind_response","bind_response":{"result_code":"success","matched_dn":"","message":""},"message_id":1}]}`
	eveSearch = `"ldap":{"request":{"message_id":2,"operation":"search_request","search_request":{"base_object":"dc=home","scope":2,"deref_alias":0,"size_limit":0,"time_limit":5,"types_only":false,"attributes":["cn","mail"]}},"responses":[{"operation":"search_result_entry","search_result_entry":{"base_object":"cn=a,dc=home","attributes":[{"type":"cn"},{"type":"mail"}]},"message_id":2},{"operation":"search_result_reference","message_id":2},{"operation":"search_result_done","search_result_done":{"result_code":"success","matched_dn":"","message":"fine"},"message_id":2}]}`
)

func req(id, op, in string) string {
	return `"ldap":{"request":{"message_id":` + id + `,"operation":"` + op + `"` + in + `}}`
}

func TestMessages(t *testing.T) {
	for _, tt := range []struct {
		name      string
		parts     []prototest.Part
		want      []string
		anomalies string
		err       bool
	}{
		{"bind", []prototest.Part{c(bind), s(bound)}, []string{eveBind}, "", false},
		{"search", []prototest.Part{c(search), s(entry + reference + searched)}, []string{eveSearch}, "", false},
		{"pipelined", []prototest.Part{c(bind + search), s(entry + reference + searched + bound)}, []string{eveSearch, eveBind}, "", false},
		{"unbind", []prototest.Part{c(unbind)}, []string{req("9", "unbind_request", "")}, "", false},
		{"abandon", []prototest.Part{c(seq(num(4), el(0x50, "\x02")))}, []string{req("4", "abandon_request", `,"abandon_request":{"message_id":2}`)}, "", false},
		{"delete", []prototest.Part{c(seq(num(4), el(0x4a, "cn=a")))}, []string{req("4", "del_request", `,"del_request":{"dn":"cn=a"}`)}, "", false},
		{"compare", []prototest.Part{c(msg(4, CompareRequest, str("cn=a"), seq(str("sn"), str("b"))))}, []string{req("4", "compare_request", `,"compare_request":{"entry":"cn=a","attribute_value_assertion":{"description":"sn"}}`)}, "", false},
		{"add", []prototest.Part{c(msg(4, AddRequest, str("cn=a"), seq(attr("sn", "b"))))}, []string{req("4", "add_request", `,"add_request":{"entry":"cn=a","attributes":[{"name":"sn"}]}`)}, "", false},
		{"modify", []prototest.Part{c(msg(4, ModifyRequest, str("cn=a"), seq(seq(enum(2), attr("sn", "b")), seq(enum(1), attr("mail")))))}, []string{req("4", "modify_request", `,"modify_request":{"object":"cn=a","changes":[{"operation":"replace","modification_type":"sn"},{"operation":"delete","modification_type":"mail"}]}`)}, "", false},
		{"rename", []prototest.Part{c(msg(4, ModDNRequest, str("cn=a"), str("cn=b"), flag(255), el(0x80, "dc=c")))}, []string{req("4", "mod_dn_request", `,"mod_dn_request":{"entry":"cn=a","new_rdn":"cn=b","delete_old_rdn":true,"new_superior":"dc=c"}`)}, "", false},
		{"controls", []prototest.Part{c(seq(num(4), el(0x4a, "cn=a"), el(0xa0, seq(str("1.2.3")))))}, []string{req("4", "del_request", `,"del_request":{"dn":"cn=a"}`)}, "", false},
		{"notice", []prototest.Part{s(msg(0, ExtendedAnswer, enum(52), str(""), str("bye"), el(0x8a, "1.3.6.1.4.1.1466.20036")))}, []string{`"ldap":{"responses":[{"operation":"extended_response","extended_response":{"result_code":"unavailable","matched_dn":"","message":"bye","name":"1.3.6.1.4.1.1466.20036"},"message_id":0}]}`}, "", false},
		{"answer to nothing", []prototest.Part{s(searched)}, []string{`"ldap":{"responses":[{"operation":"search_result_done","search_result_done":{"result_code":"success","matched_dn":"","message":"fine"},"message_id":2}]}`}, "request_not_found", false},
		{"wrong side", []prototest.Part{s(bind)}, nil, "", true},
		{"no message", []prototest.Part{c("GET / HTTP/1.1\r\n")}, nil, "", true},
		{"endless length", []prototest.Part{c("\x30\x80\x02\x01")}, nil, "", true},
		{"unknown operation", []prototest.Part{c(seq(num(1), el(0x7e, "x")))}, nil, "", true},
		{"cut inside", []prototest.Part{c(seq(num(4), el(0x63, str("dc=home"), enum(2))))}, []string{req("4", "search_request", `,"search_request":{"base_object":"dc=home","scope":2,"deref_alias":0,"size_limit":0,"time_limit":0,"types_only":false,"attributes":[]}`)}, "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for seed := uint64(0); seed < 20; seed++ {
				parts := tt.parts
				if seed > 0 {
					parts = prototest.Split(seed, parts...)
				}
				r := prototest.Drive(Protocol, prototest.Options{}, parts...)
				if !tt.err && !slices.Equal(r.Events, tt.want) || (r.Err != nil) != tt.err || strings.Join(r.Anomalies, " ") != tt.anomalies {
					t.Fatalf("seed %d: %v %v\n%s\nwant\n%s", seed, r.Err, r.Anomalies, r.Joined(), strings.Join(tt.want, "\n"))
				}
			}
		})
	}
}

func TestStartTLS(t *testing.T) {
	yes, no := result(3, ExtendedAnswer, 0, ""), result(3, ExtendedAnswer, 2, "no")
	for _, tt := range []struct {
		name   string
		parts  []prototest.Part
		events int
		next   string
		rest   string
	}{
		{"granted", []prototest.Part{c(wantTLS), s(yes), c("\x16\x03")}, 1, "tls", "\x16\x03"},
		{"eager client", []prototest.Part{c(wantTLS + "\x16\x03"), s(yes + "\x16")}, 1, "tls", "\x16\x03"},
		{"one side", []prototest.Part{c(wantTLS + "\x16\x03")}, 1, "tls", "\x16\x03"},
		{"refused", []prototest.Part{c(wantTLS), s(no), c(unbind)}, 2, "", ""},
		{"refused, eager client", []prototest.Part{c(wantTLS + unbind), s(no)}, 2, "", ""},
	} {
		r := prototest.Drive(Protocol, prototest.Options{}, tt.parts...)
		if len(r.Events) != tt.events || r.Next != tt.next {
			t.Errorf("%s: %d events, next %q, %v\n%s", tt.name, len(r.Events), r.Next, r.Err, r.Joined())
		}
	}
}

// TestSealed: what follows a bind with SASL may be encrypted.
func TestSealed(t *testing.T) {
	p, k := Protocol.New(), prototest.Quiet(proto.TCP)
	for _, part := range []prototest.Part{c(bindSASL), s(bound), c("\x00\x00\x00\x20abcdef")} {
		if n, err := p.Parse(k, part.Dir, part.Data); err != nil || n != len(part.Data) {
			t.Fatal(n, err)
		}
	}
	if !k.Finished() {
		t.Error("still parsing")
	}
}

func TestUDP(t *testing.T) {
	o := prototest.Options{Conn: proto.Conn{Transport: proto.UDP}}
	r := prototest.Drive(Protocol, o, c(search), s(entry+reference+searched))
	if r.Joined() != eveSearch || r.Err != nil {
		t.Error(r.Err, r.Joined())
	}
	if r = prototest.Drive(Protocol, o, c(search[:20])); r.Err == nil {
		t.Error("half a datagram is a message")
	}
}

func TestLimits(t *testing.T) {
	big := msg(2, SearchEntry, str("cn=a"), seq(attr("jpegPhoto", strings.Repeat("x", 3*MaxMessage))))
	r := prototest.Drive(Protocol, prototest.Options{}, c(search), s(big+entry+searched))
	if len(r.Events) != 1 || !strings.Contains(r.Joined(), "jpegPhoto") || !strings.Contains(r.Joined(), "fine") || r.Err != nil {
		t.Error("long message: ", r.Err, r.Joined())
	}
	r = prototest.Drive(Protocol, prototest.Options{}, c(search), s(big[:MaxMessage+5]), prototest.Part{Dir: packet.ToClient, Gap: len(big) - MaxMessage - 5, Data: []byte(searched)})
	if !strings.Contains(r.Joined(), "fine") {
		t.Error("gap in what is passed over: ", r.Err, r.Joined())
	}
	r = prototest.Drive(Protocol, prototest.Options{}, c(search), s(entry[:10]), prototest.Part{Dir: packet.ToClient, Gap: 20, Data: []byte("yyy")}, s(searched))
	if !strings.Contains(r.Joined(), "fine") {
		t.Error("gap in a message: ", r.Err, r.Joined())
	}
	r = prototest.Drive(Protocol, prototest.Options{}, c(wantTLS), prototest.Part{Dir: packet.ToClient, Gap: 20, Data: []byte(searched)})
	if r.Err == nil {
		t.Error("gap before TLS")
	}
	r = prototest.Drive(Protocol, prototest.Options{}, c(strings.Repeat(bind, MaxOpen+3)))
	if len(r.Events) != MaxOpen+3 || strings.Join(r.Anomalies, " ") != "too_many_transactions" {
		t.Error("requests: ", len(r.Events), r.Anomalies)
	}
	var seen []string
	o := prototest.Options{OnTx: func(tx proto.Tx, _ bool) {
		m := tx.(*Tx).Responses
		if n := len(m); n > MaxResponses {
			t.Error(n, "answers kept")
		} else if n == MaxResponses {
			seen = append(seen, string(m[n-1].DN))
		}
	}}
	var many string
	for i := range MaxResponses + 5 {
		many += msg(2, SearchEntry, str("cn="+string(rune('A'+i))), seq(attr("cn", "a")))
	}
	r = prototest.Drive(Protocol, o, c(search), s(many+searched))
	if strings.Join(seen, " ") != "cn=P cn=Q cn=R cn=S cn=T cn=U " || !strings.Contains(r.Joined(), `"responses_count":22`) || !strings.Contains(r.Joined(), `"cn=O"`) {
		t.Errorf("answers: %q %s", seen, r.Joined())
	}
	var names []string
	for range MaxAttributes + 1 {
		names = append(names, str("a"))
	}
	wide := msg(2, SearchRequest, str(strings.Repeat("d", MaxText+1)), enum(2), enum(0), num(0), num(5), flag(0), el(0x87, "x"), seq(names...))
	prototest.Drive(Protocol, prototest.Options{OnTx: func(tx proto.Tx, _ bool) {
		if q := &tx.(*Tx).Request; len(q.DN) != MaxText || len(q.Attributes) != MaxAttributes || len(q.Attributes[0]) != 0 {
			t.Error(len(q.DN), len(q.Attributes))
		}
	}}, c(wide))
}

func TestBuffers(t *testing.T) {
	var got []string
	prototest.Drive(Protocol, prototest.Options{OnTx: func(tx proto.Tx, done bool) {
		if done {
			got = prototest.Values(t, Protocol, tx)
		}
	}}, c(search), s(entry+reference+searched))
	want := []string{"ldap.request.operation=\x03", "ldap.request.dn=dc=home", "ldap.request.attribute_type=cn", "ldap.request.attribute_type=mail",
		"ldap.responses.operation=\x04\x13\x05", "ldap.responses.result_code=\x00\x00", "ldap.responses.count=3", "ldap.responses.dn=cn=a,dc=home", "ldap.responses.message=fine", "ldap.responses.attribute_type=cn", "ldap.responses.attribute_type=mail"}
	if !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
}

func TestProbe(t *testing.T) {
	for name, tt := range map[string]struct {
		dir  packet.Dir
		in   string
		want proto.Match
	}{
		"nothing": {0, "", proto.More}, "bind": {0, bind, proto.Yes}, "bind, cut": {0, bind[:8], proto.More}, "SASL": {0, bindSASL, proto.Yes},
		"search": {0, search, proto.Yes}, "start of TLS": {0, wantTLS, proto.Yes}, "unbind": {0, unbind, proto.Weak}, "answer": {1, bound, proto.Yes},
		"entry": {1, entry, proto.Yes}, "wrong side": {1, bind, proto.No}, "answer asked": {0, bound, proto.No}, "reference": {1, reference, proto.Yes},
		"snmp":                               {0, seq(num(1), str("public"), el(0xa0, num(1), num(0), num(0), seq())), proto.No},
		"kerberos":                           {0, el(0x6a, seq(num(5))), proto.No},
		"certificate":                        {0, seq(seq(num(2), num(1))), proto.No},
		"http":                               {0, "0 HTTP", proto.No},
		"abandon none":                       {0, seq(num(1), el(0x50)), proto.No},
		"bad name":                           {0, msg(3, ExtendedRequest, el(0x80, "hello")), proto.No},
		"bind with no password or mechanism": {0, msg(1, BindRequest, num(3), str("x"), el(0x81, "y")), proto.No},
		"cut in itself":                      {0, msg(1, BindRequest, num(3)), proto.No},
		"endless":                            {0, "\x30\x80\x02\x01\x01\x60", proto.No}, "huge": {0, "\x30\x84\x7f\xff\xff\xff\x02\x01\x01", proto.No},
		"number below zero": {0, seq(el(tagInt, "\xff"), el(0x60, num(3), str(""), el(0x80))), proto.No},
	} {
		if got := probe(tt.dir, []byte(tt.in)); got != tt.want {
			t.Errorf("%s: %d, want %d", name, got, tt.want)
		}
	}
	for i := range len(search) {
		if probe(packet.ToServer, []byte(search[:i])) != proto.More && i < 30 {
			t.Errorf("%d bytes of a search", i)
		}
	}
}

// TestReset: a parser used again gives what a new one gives, and keeps little.
func TestReset(t *testing.T) {
	p := Protocol.New()
	prototest.DriveParser(Protocol, p, prototest.Options{}, c(strings.Repeat(search, MaxOpen)), s(strings.Repeat(entry, 100)))
	if n := p.(*parser).Size(); n == 0 || n > 1<<20 {
		t.Error(n, "bytes held")
	}
	p.Reset()
	if n := p.(*parser).Size(); n > 16<<10 {
		t.Error(n, "bytes kept")
	}
	r := prototest.DriveParser(Protocol, p, prototest.Options{}, c(bind), s(bound))
	if r.Joined() != eveBind {
		t.Error(r.Joined())
	}
}

func TestAllocs(t *testing.T) {
	prototest.SessionNoAllocs(t, Protocol, c(bind), s(bound), c(search), s(entry+reference+searched), c(unbind))
}

func BenchmarkParse(b *testing.B) {
	prototest.SessionBench(b, Protocol, c(bind), s(bound), c(search), s(entry+reference+searched))
}

func FuzzParse(f *testing.F) {
	for i, x := range []string{bind, bindSASL, search, wantTLS, unbind} {
		f.Add([]byte(x+search), []byte(bound+entry+searched), uint64(i))
	}
	f.Fuzz(func(t *testing.T, a, b []byte, seed uint64) {
		prototest.Drive(Protocol, prototest.Options{Conn: proto.Conn{Transport: proto.UDP}}, c(string(a)), s(string(b)))
		x := prototest.Drive(Protocol, prototest.Options{}, c(string(a)), s(string(b)))
		y := prototest.Drive(Protocol, prototest.Options{}, prototest.Split(seed, c(string(a)), s(string(b)))...)
		probe(packet.ToServer, a)
		probe(packet.ToClient, b)
		if x.Err == nil && y.Err == nil && len(a) < MaxMessage && len(b) < MaxMessage && x.Joined() != y.Joined() {
			t.Fatalf("whole\n%s\ncut\n%s", x.Joined(), y.Joined())
		}
	})
}
