package stratum

import (
	"slices"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

var (
	c = prototest.C
	s = prototest.S
)

const (
	h64    = "00000000000000000005bcb46bf3f2f14a2f1a3f6e2ef9d1a7f2c8d9e0b1a2c3"
	blob   = "1010fa918ed806819efc4058071b9576b833b1ae4860d5c81f76f2afe00f3eb9301128f8aaf3720000008265afba6b8971a77ff82e1fa5e21b05c3895d8d622d4d3480bd12899342d9c98c34"
	wallet = "4" + "8edfHu7V9Z84YzzMa6fUueoELZ9ZRXq9VetWzYGzKt52XU5xvqgzYnDK9URnRoJMk1j8nLwEVsaSWJ4fhdUyZijBGUicoD"
)

// session is a CryptoNote conversation with an answer, a push, a share.
var session = []prototest.Part{
	c(`{"id":1,"jsonrpc":"2.0","method":"login","params":{"login":"` + wallet + `.rig","pass":"x","agent":"XMRig/6.21.0 (Linux x86_64)","algo":["rx/0","cn/r"]}}` + "\n"),
	s(`{"id":1,"jsonrpc":"2.0","error":null,"result":{"id":"s1","job":{"blob":"` + blob + `","job_id":"j1","target":"b88d0600","algo":"rx/0","height":7},"status":"OK"}}` + "\n"),
	c(`{"id":2,"jsonrpc":"2.0","method":"submit","params":{"id":"s1","job_id":"j1","nonce":"d0030040","result":"` + h64 + `"}}` + "\r\n"),
	s(`{"id":2,"jsonrpc":"2.0","error":null,"result":{"status":"OK"}}` + "\n" + `{"jsonrpc":"2.0","method":"job","params":{"blob":"` + blob + `","job_id":"j2","target":"b88d0600"}}` + "\n"),
	c(`{"id":3,"jsonrpc":"2.0","method":"submit","params":{"id":"s1","job_id":"j1","nonce":"d1030040","result":"` + h64 + `"}}`),
	s(`{"id":3,"jsonrpc":"2.0","error":{"code":-1,"message":"Low difficulty share"}}`),
}

const sessionEvent = `"stratum":{"dialect":"cryptonote","coin":"monero","algorithm":"rx/0","agent":"XMRig/6.21.0 (Linux x86_64)",` +
	`"wallet":"` + wallet + `","worker":"rig","difficulty":"b88d0600","messages_toserver":3,"messages_toclient":4,"jobs":2,"shares":2,"accepted":1,"rejected":1}`

func TestSession(t *testing.T) {
	for seed := range uint64(40) {
		parts := session
		if seed > 0 {
			parts = prototest.Split(seed, session...)
		}
		r := prototest.Drive(Protocol, prototest.Options{}, parts...)
		if r.Err != nil || r.Joined() != sessionEvent || r.AppProto != "stratum" || len(r.Anomalies) > 0 || r.Emits != 8 || r.Done != 1 || r.Rest != [2]string{} {
			t.Fatalf("seed %d: %+v", seed, r)
		}
	}
}

// read drives parts through the parser and returns the methods and ids of the
// messages as they come, and the result.
func read(conn proto.Conn, parts ...prototest.Part) (out []string, r prototest.Result) {
	r = prototest.Drive(Protocol, prototest.Options{Conn: conn, OnTx: func(tx proto.Tx, done bool) {
		if t := tx.(*Tx); !done {
			out = append(out, string(t.Msg.MethodName())+string(t.Msg.Text(t.Msg.Top.Get(KeyID))))
		}
	}}, parts...)
	return out, r
}

func TestFraming(t *testing.T) {
	a, b := `{"id":1,"method":"a"}`, `{"id":2,"method":"b"}`
	gap := func(p prototest.Part) prototest.Part { p.Gap = 9; return p }
	mid := proto.Conn{Midstream: true}
	for _, tt := range []struct {
		name  string
		conn  proto.Conn
		parts []prototest.Part
		want  string
		odd   string
	}{
		{"lines", proto.Conn{}, []prototest.Part{c(a + "\n" + b + "\n")}, "a1 b2", ""},
		{"carriage returns", proto.Conn{}, []prototest.Part{c(a + "\r\n" + b + "\r")}, "a1 b2", ""},
		{"nothing between", proto.Conn{}, []prototest.Part{c(a + b)}, "a1 b2", ""},
		{"nul", proto.Conn{}, []prototest.Part{c(a + "\x00" + b + "\x00")}, "a1 b2", ""},
		{"byte order mark", proto.Conn{}, []prototest.Part{c("\xef\xbb\xbf" + a), c("\xef\xbb"), c("\xbf" + b)}, "a1 b2", ""},
		{"batch", proto.Conn{}, []prototest.Part{c("[" + a + " ,\n " + b + "]\n")}, "a1 b2", ""},
		{"written out", proto.Conn{}, []prototest.Part{c("{\n  \"id\" : 1 ,\n\t\"method\" :\r\n\"a\"\n}\n" + b)}, "a1 b2", ""},
		{"not a message between", proto.Conn{}, []prototest.Part{c(a + "\nhello\n" + b)}, "a1 b2", "junk_between_messages"},
		{"open brace between", proto.Conn{}, []prototest.Part{c(a + "\n{\"x\":\"" + "\n" + b)}, "a1 b2", "malformed_message"},
		{"open braces between", proto.Conn{}, []prototest.Part{c(a + "\n" + strings.Repeat("{\n[\n", 3000) + b)}, "a1 b2", "malformed_message"},
		{"bad word inside", proto.Conn{}, []prototest.Part{c(`{"id":nope}` + "\n" + b)}, "b2", "malformed_message"},
		{"midstream, at a message", mid, []prototest.Part{c(a + b)}, "a1 b2", ""},
		{"midstream, in a message", mid, []prototest.Part{c(`hod":"x"}` + "\n" + a)}, "a1", ""},
		{"midstream, in a nested object", mid, []prototest.Part{c(`{"x":1}},"id":5}` + "\n" + a)}, " a1", ""},
		{"midstream, nothing between", mid, []prototest.Part{c(`hod":"x"}` + a + b)}, "a1 b2", ""},
		{"midstream, between braces", mid, []prototest.Part{c(`hod":"x"}`), c(a)}, "a1", ""},
		{"gap, then a message", proto.Conn{}, []prototest.Part{c(a + `{"id":9`), gap(c(b))}, "a1 b2", ""},
		{"gap, then the rest of one", proto.Conn{}, []prototest.Part{c(a + `{"id":9`), gap(c(`"z"}` + "\n" + b))}, "a1 b2", ""},
		{"gap, then the rest of a quotation", proto.Conn{}, []prototest.Part{c(a + `{"x":"`), gap(c(`{\"id\":3,\"method\":\"c\"}"}` + "\n" + b))}, "a1 b2", ""},
		{"cut off", proto.Conn{}, []prototest.Part{c(a + `{"id":9`)}, "a1", ""},
		{"quoted", proto.Conn{}, []prototest.Part{c(`{"id":1,"method":"say","params":["{\"id\":2,\"method\":\"mining.subscribe\",\"params\":[\"cpuminer/2.5\"]}\n{}"]}` + b)}, "say1 b2", ""},
	} {
		for seed := range uint64(12) {
			parts := tt.parts
			if seed > 0 {
				parts = prototest.Split(seed, parts...)
			}
			got, r := read(tt.conn, parts...)
			if strings.Join(got, " ") != tt.want || r.Err != nil {
				t.Errorf("%s (seed %d): %q, want %q (%v)", tt.name, seed, got, tt.want, r.Err)
				break
			}
			if strings.Join(r.Anomalies, " ") != tt.odd {
				t.Errorf("%s (seed %d): anomalies %q, want %q", tt.name, seed, r.Anomalies, tt.odd)
				break
			}
		}
	}
}

func TestOverLimit(t *testing.T) {
	head := `{"id":1,"method":"login","params":{"pad":"`
	long := head + strings.Repeat("x", MaxMessage) + `","deep":[{"a":"}{"}]}}`
	for seed := range uint64(6) {
		parts := []prototest.Part{c(long + `{"id":2,"method":"b"}` + "\n"), c(`{"id":3,"method":"c"}`)}
		if seed > 0 {
			parts = prototest.Split(seed, parts...)
		}
		got, r := read(proto.Conn{}, parts...)
		if want := []string{"login1", "b2", "c3"}; !slices.Equal(got, want) || r.Err != nil {
			t.Errorf("seed %d: %q, want %q (%v)", seed, got, want, r.Err)
		}
		if want := []string{"message_over_limit"}; !slices.Equal(r.Anomalies, want) && seed > 0 {
			t.Errorf("seed %d: anomalies %q, want %q", seed, r.Anomalies, want)
		}
	}
	// One that turns out to be nothing: the line after it counts again.
	got, r := read(proto.Conn{}, c(head+strings.Repeat("x", MaxMessage)), c("yyy\x01\n"), c(`{"id":2,"method":"b"}`))
	if want := []string{"login1", "b2"}; !slices.Equal(got, want) || !slices.Equal(r.Anomalies, []string{"message_over_limit", "malformed_message"}) {
		t.Errorf("%q %q", got, r.Anomalies)
	}
	// Just under the bound nothing is cut.
	fits := head + strings.Repeat("x", MaxMessage-len(head)-len(`"}}`)-1) + `"}}`
	if _, r := read(proto.Conn{}, c(fits[:len(fits)-1]), c(fits[len(fits)-1:])); len(r.Anomalies) > 0 || r.Err != nil {
		t.Errorf("a message of %d bytes: %q %v", len(fits), r.Anomalies, r.Err)
	}
}

func TestMessages(t *testing.T) {
	msg := proto.Conn{Transport: proto.Message}
	var got []string
	r := prototest.Drive(Protocol, prototest.Options{Conn: msg, OnTx: func(tx proto.Tx, done bool) {
		got = append(got, tx.(*Tx).Dialect.String())
	}}, c(`{"type":"auth","params":{"site_key":"k","type":"anonymous","user":null,"goal":0}}`),
		s(`{"type":"job","params":{"job_id":"1","blob":"`+blob+`","target":"ffffff00"}}`), s(`no message`), s(``))
	if len(got) != 3 || got[0] != "coinhive" || r.AppProto != "stratum" || r.Done != 1 {
		t.Errorf("%q %+v", got, r)
	}
	if want := []string{"malformed_message"}; !slices.Equal(r.Anomalies, want) {
		t.Errorf("anomalies %q, want %q", r.Anomalies, want)
	}
	// Other JSON inside WebSocket leaves the name to WebSocket.
	msg.AppProto = "websocket"
	if r := prototest.Drive(Protocol, prototest.Options{Conn: msg}, c(`{"id":1,"method":"Page.enable"}`)); len(r.Events) > 0 || r.AppProto != "stratum" {
		t.Errorf("%+v", r)
	}
}

func TestOtherRPC(t *testing.T) {
	r := prototest.Drive(Protocol, prototest.Options{}, c(`{"jsonrpc":"2.0","id":0,"method":"server.version","params":["x","1.4"]}`+"\n"), s(`{"jsonrpc":"2.0","id":0,"result":["y","1.4"]}`+"\n"))
	if r.AppProto != "jsonrpc" || len(r.Events) > 0 || r.Done != 1 || r.Emits != 3 {
		t.Errorf("%+v", r)
	}
	if r := prototest.Drive(Protocol, prototest.Options{}, c(`{"id":1,"method":"mini`)); r.AppProto != "jsonrpc" || r.Emits != 0 {
		t.Errorf("a beginning: %+v", r)
	}
	if r := prototest.Drive(Protocol, prototest.Options{}); r.Emits != 0 {
		t.Errorf("a transaction of nothing: %+v", r)
	}
}

func TestBuffers(t *testing.T) {
	var got []string
	prototest.Drive(Protocol, prototest.Options{OnTx: func(tx proto.Tx, _ bool) {
		for _, b := range Protocol.Buffers {
			if v, ok := b.Get(tx, 0); ok {
				got = append(got, strings.TrimPrefix(b.Name, "stratum.")+"="+string(v))
			}
			if _, ok := b.Get(tx, 1); ok {
				t.Errorf("%s has a second instance", b.Name)
			}
			if _, ok := b.Get(otherTx{}, 0); ok {
				t.Errorf("%s in another protocol's transaction", b.Name)
			}
		}
	}}, c(`{"id":1,"method":"mining.subscribe","params":["cgminer/4"]}`), s(`{"id":null,"method":"mining.set_difficulty","params":[8]}`), c(`{"id":2,"method":"mining.authorize","params":["me.1","x"]}`))
	want := "method=mining.subscribe agent=cgminer/4 server_method=mining.set_difficulty agent=cgminer/4 method=mining.authorize agent=cgminer/4 login=me.1 agent=cgminer/4 login=me.1"
	if strings.Join(got, " ") != want {
		t.Errorf("%q\nwant %q", got, want)
	}
}

type otherTx struct{}

func (otherTx) EventType() event.Type    { return "" }
func (otherTx) EncodeEVE(*event.Encoder) {}

func TestProbe(t *testing.T) {
	big := `{"id":"` + strings.Repeat("x", maxProbe)
	for _, tt := range []struct {
		in   string
		want proto.Match
	}{
		{``, proto.More}, {" \r\n", proto.More}, {"\xef\xbb", proto.More}, {strings.Repeat(" ", maxLead+1), proto.No},
		{`{`, proto.More}, {`{"id":1,`, proto.More}, {`{"id":1,"meth`, proto.More}, {`{"id":1,"method"`, proto.Yes},
		{`{"id":1,"m\u0065thod":"x"}`, proto.Yes}, {`{"x":"method","y":["method"],"id":3}`, proto.More}, {`{"x":{"method":1}}`, proto.More},
		{"\xef\xbb\xbf [ {\"jsonrpc\":\"2.0\"", proto.Yes}, {`{"id":1,"result":null`, proto.Yes}, {`{"error":null,"id":1}`, proto.Yes},
		{`{"worker": "w", "params"`, proto.Yes}, {`{"type":"auth","params":{}}`, proto.Yes}, {`{"type":"auth","user":{}}`, proto.More}, {`{"identifier":"job","job_id":1}`, proto.Yes},
		{`{"job_id":"1","blob":"x"}`, proto.Yes}, {`{}`, proto.More}, {`{"a":1}`, proto.More}, {`{a:1}`, proto.No}, {`{"a" 1}`, proto.No}, {`{{`, proto.No},
		{big, proto.No}, {big[:maxProbe-1], proto.More}, {`[1,2]`, proto.No},
		// After objects that are no calls.
		{"{}\n{\"id\":1,\"method\"", proto.Yes}, {`{"hello":1}{"a":[{}]} {"jsonrpc"`, proto.Yes}, {"{}\n{\"meth", proto.More}, {"{}\nhello", proto.No},
		{"{}\n\xef\xbb", proto.More}, {strings.Repeat("{}\n", maxProbe), proto.No}, {"{\"a\":\"" + strings.Repeat("x", maxProbe-20) + "\"}\n{\"b\":\"yyyyyyyyyyyyyyyyyyyy", proto.No},
		{"GET / HTTP/1.1\r\n\r\n{\"method\":\"x\"}", proto.No}, {"HTTP/1.1 200 OK\r\n\r\n{\"id\":1,\"result\":1}", proto.No}, {"Content-Length: 52\r\n\r\n{\"jsonrpc\":\"2.0\"}", proto.No},
		{"SSH-2.0-x\r\n", proto.No}, {"220 ready\r\n", proto.No}, {"EHLO x", proto.No}, {"\x16\x03\x01", proto.No}, {"PRIVMSG #a :{\"method\":\"mining.subscribe\"}\r\n", proto.No},
		// In the middle of a message.
		{`"status":"OK"}}` + "\n", proto.More}, {`"status":"OK"}}` + "\n{\"id\":1,\"method\":", proto.Yes}, {`status":"OK"}}{"id":1,"method":`, proto.Yes},
		{`0011ffee`, proto.More}, {`0011","b":2}` + "\r\n" + `{"id":1,"result":true}`, proto.Yes}, {`x","b":2}` + "\nhello", proto.No}, {`x","b":2}` + "\n{\"a\":1}", proto.More},
		{`x","b":2` + "\n{\"method\":1}", proto.No}, {"ab\x01", proto.No}, {strings.Repeat("a", maxProbe), proto.No},
	} {
		if got := probe(packet.ToServer, []byte(tt.in)); got != tt.want {
			t.Errorf("%.60q: %d, want %d", tt.in, got, tt.want)
		}
	}
}

// TestReset: a parser used again gives what a new one gives.
func TestReset(t *testing.T) {
	p := Protocol.New()
	prototest.DriveParser(Protocol, p, prototest.Options{}, c(`{"id":1,"method":"eth_submitLogin","params":["0x1"],"worker":"w"}`), s(`{"id":1,`), c("junk"))
	p.Reset()
	if r := prototest.DriveParser(Protocol, p, prototest.Options{}, session...); r.Joined() != sessionEvent || len(r.Anomalies) > 0 {
		t.Errorf("%+v", r)
	}
}

func TestAllocs(t *testing.T) {
	if raceOn {
		t.Skip("skips 1 case: the race detector makes sync.Pool allocate")
	}
	p := Protocol.New()
	var conn proto.Conn
	conn.OnTx, conn.OnAnomaly = func(proto.Tx, bool) {}, func(string) {}
	conn.Transport = proto.TCP
	escaped := []byte(`{"\u0061":1,"m\u0065thod":"x"}`)
	run := func() {
		for _, part := range session {
			if _, err := p.Parse(&conn, part.Dir, part.Data); err != nil {
				t.Fatal(err)
			}
			probe(part.Dir, part.Data)
			probe(part.Dir, escaped)
		}
		p.End(&conn)
		p.Reset()
	}
	if n := testing.AllocsPerRun(100, run); n != 0 {
		t.Errorf("%v allocations in a session, want 0", n)
	}
}

func BenchmarkParse(b *testing.B) {
	p := Protocol.New()
	var conn proto.Conn
	conn.OnTx, conn.OnAnomaly = func(proto.Tx, bool) {}, func(string) {}
	conn.Transport = proto.TCP
	size := 0
	for _, part := range session {
		size += len(part.Data)
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		for _, part := range session {
			_, _ = p.Parse(&conn, part.Dir, part.Data)
		}
		p.End(&conn)
		p.Reset()
	}
}

// FuzzSession drives whole streams in pieces: no panic, nothing consumed that
// is not there, and the same messages however the bytes are cut.
func FuzzSession(f *testing.F) {
	for _, p := range session {
		f.Add(p.Data, uint64(1), false)
	}
	f.Add([]byte("x\"}\n{\"id\":1,\"method\":\"a\"}{\"id\":{\n{}[]\x00{\"a\":\"\\u00"), uint64(7), true)
	f.Fuzz(func(t *testing.T, b []byte, seed uint64, mid bool) {
		if len(b) > MaxMessage {
			return // what a cut shows of a message over the limit depends on the cut
		}
		conn := proto.Conn{Midstream: mid}
		one, r1 := read(conn, c(string(b)))
		two, r2 := read(conn, prototest.Split(seed, c(string(b)))...)
		if !slices.Equal(one, two) || r1.Joined() != r2.Joined() || !slices.Equal(r1.Anomalies, r2.Anomalies) {
			t.Fatalf("%q %q %q\nin pieces %q %q %q", one, r1.Joined(), r1.Anomalies, two, r2.Joined(), r2.Anomalies)
		}
	})
}
