package socks

import (
	"fmt"
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

const (
	greet  = "\x05\x02\x00\x02"
	none   = "\x05\x00"
	byName = "\x05\x01\x00\x03\x07pool.io\x0d\x05" // pool.io:3333
	byIPv4 = "\x05\x01\x00\x01\xc0\x00\x02\x01\x00\x50"
	byIPv6 = "\x05\x01\x00\x04\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x01\xbb"
	ok5    = "\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"
	ok4    = "\x00\x5a\x00\x00\x00\x00\x00\x00"
	req4   = "\x04\x01\x00\x50\xc0\x00\x02\x01me\x00"
	req4a  = "\x04\x01\x0d\x05\x00\x00\x00\x01\x00pool.io\x00"
)

// run returns the last transaction emitted, as text.
func run(parts ...prototest.Part) (r prototest.Result, last string) {
	return runOn(Protocol.New(), parts...)
}

func runOn(p proto.Parser, parts ...prototest.Part) (r prototest.Result, last string) {
	r = prototest.DriveParser(Protocol, p, prototest.Options{OnTx: func(tx proto.Tx, done bool) {
		t := tx.(*Tx)
		host := string(t.Host)
		if host == "" && t.Port != 0 {
			host = t.Addr.String()
		}
		last = fmt.Sprintf("v%d cmd %d %s:%d user %q method %d reply %d granted %v done %v",
			t.Version, t.Command, host, t.Port, t.User, t.Method, t.Reply, t.Granted, done)
	}}, parts...)
	return r, last
}

var table = []struct {
	name     string
	parts    []prototest.Part
	want     string
	switched bool
	rest     string // of the client
	finished bool
	err      bool
}{
	{"5 by name", []prototest.Part{c(greet), s(none), c(byName), s(ok5), c("hello")},
		`v5 cmd 1 pool.io:3333 user "" method 0 reply 0 granted true done true`, true, "hello", false, false},
	{"5 by IPv4", []prototest.Part{c(greet), s(none), c(byIPv4), s(ok5)},
		`v5 cmd 1 192.0.2.1:80 user "" method 0 reply 0 granted true done true`, true, "", false, false},
	{"5 by IPv6, bound to a name", []prototest.Part{c(greet), s(none), c(byIPv6), s("\x05\x00\x00\x03\x01a\x00\x00")},
		`v5 cmd 1 2001:db8::1:443 user "" method 0 reply 0 granted true done true`, true, "", false, false},
	{"5 with a password", []prototest.Part{c(greet), s("\x05\x02"), c("\x01\x03joe\x03pwd"), s("\x01\x00"), c(byIPv4), s(ok5)},
		`v5 cmd 1 192.0.2.1:80 user "joe" method 2 reply 0 granted true done true`, true, "", false, false},
	{"5 password refused", []prototest.Part{c(greet), s("\x05\x02"), c("\x01\x03joe\x03pwd"), s("\x01\x01")},
		`v5 cmd 0 :0 user "joe" method 2 reply 1 granted false done true`, false, "", true, false},
	{"5 everything ahead of the answers", []prototest.Part{c(greet + byName + "early"), s(none + ok5)},
		`v5 cmd 1 pool.io:3333 user "" method 0 reply 0 granted true done true`, true, "early", false, false},
	{"5 no method acceptable", []prototest.Part{c(greet), s("\x05\xff")},
		`v5 cmd 0 :0 user "" method 255 reply 0 granted false done true`, false, "", true, false},
	{"5 refused", []prototest.Part{c(greet), s(none), c(byName), s("\x05\x05\x00\x01\x00\x00\x00\x00\x00\x00")},
		`v5 cmd 1 pool.io:3333 user "" method 0 reply 5 granted false done true`, false, "", true, false},
	{"5 bind", []prototest.Part{c(greet), s(none), c("\x05\x02" + byIPv4[2:]), s(ok5), s(ok5 + "data")},
		`v5 cmd 2 192.0.2.1:80 user "" method 0 reply 0 granted true done true`, true, "", false, false},
	{"5 udp associate", []prototest.Part{c(greet), s(none), c("\x05\x03" + byIPv4[2:]), s(ok5), c("x"), s("y")},
		`v5 cmd 3 192.0.2.1:80 user "" method 0 reply 0 granted true done true`, false, "", false, false},
	{"5 client only", []prototest.Part{c(greet), c(byName), c("hello")},
		`v5 cmd 1 pool.io:3333 user "" method 0 reply 0 granted false done true`, false, "hello", false, false},
	{"5 client only, much", []prototest.Part{c(greet), c(byName), c(strings.Repeat("x", maxTunnelWait+1))},
		`v5 cmd 1 pool.io:3333 user "" method 0 reply 0 granted false done true`, true, strings.Repeat("x", maxTunnelWait+1), false, false},
	{"4", []prototest.Part{c(req4), s(ok4), c("hello")},
		`v4 cmd 1 192.0.2.1:80 user "me" method 0 reply 90 granted true done true`, true, "hello", false, false},
	{"4a", []prototest.Part{c(req4a + "early"), s(ok4)},
		`v4 cmd 1 pool.io:3333 user "" method 0 reply 90 granted true done true`, true, "early", false, false},
	{"4 refused", []prototest.Part{c(req4), s("\x00\x5b\x00\x00\x00\x00\x00\x00")},
		`v4 cmd 1 192.0.2.1:80 user "me" method 0 reply 91 granted false done true`, false, "", true, false},
	{"4 user too long", []prototest.Part{c(req4[:8] + strings.Repeat("u", MaxUser+1))}, ``, false, strings.Repeat("u", 0) + req4[:8] + strings.Repeat("u", MaxUser+1), false, true},
	{"4 longest user", []prototest.Part{c(req4[:8] + strings.Repeat("u", MaxUser) + "\x00"), s(ok4)},
		`v4 cmd 1 192.0.2.1:80 user "` + strings.Repeat("u", MaxUser) + `" method 0 reply 90 granted true done true`, true, "", false, false},
	{"5 longest name", []prototest.Part{c(greet), s(none), c("\x05\x01\x00\x03\xff" + strings.Repeat("h", 255) + "\x00\x50"), s(ok5)},
		`v5 cmd 1 ` + strings.Repeat("h", 255) + `:80 user "" method 0 reply 0 granted true done true`, true, "", false, false},
	{"5 address type unknown", []prototest.Part{c(greet), s(none), c("\x05\x01\x00\x09\x00\x00")}, `v5 cmd 0 :0 user "" method 0 reply 0 granted false done true`, false, "\x05\x01\x00\x09\x00\x00", false, true},
	{"gap for the method, then the rest", []prototest.Part{c(greet), {Dir: packet.ToClient, Gap: 2}, c(byName), s(ok5), c("hello")},
		`v5 cmd 1 pool.io:3333 user "" method 0 reply 0 granted true done true`, true, "hello", false, false},
	{"gap for both answers", []prototest.Part{c(greet), {Dir: packet.ToClient, Gap: 12}, c(byName), s("+OK"), c("hello")},
		`v5 cmd 1 pool.io:3333 user "" method 0 reply 0 granted false done true`, true, "hello", false, false},
	{"gap for the answer", []prototest.Part{c(greet), s(none), c(byName), {Dir: packet.ToClient, Gap: 10, Data: []byte("+OK")}, c("hello")},
		`v5 cmd 1 pool.io:3333 user "" method 0 reply 0 granted false done true`, true, "hello", false, false},
	{"gap for the request", []prototest.Part{c(greet), s(none), {Dir: packet.ToServer, Gap: len(byName), Data: []byte("hello")}},
		`v5 cmd 0 :0 user "" method 0 reply 0 granted false done true`, true, "hello", false, false},
	{"gap before version 4's answer", []prototest.Part{c(req4a), {Dir: packet.ToClient, Gap: 8}, c("hello")},
		`v4 cmd 1 pool.io:3333 user "" method 0 reply 0 granted false done true`, true, "hello", false, false},
	{"gap on the control connection", []prototest.Part{c(greet), s(none), c("\x05\x03" + byIPv4[2:]), s(ok5), {Dir: packet.ToClient, Gap: 5}, c("x")},
		`v5 cmd 3 192.0.2.1:80 user "" method 0 reply 0 granted true done true`, false, "", false, false},
}

func TestNegotiations(t *testing.T) {
	for _, tt := range table {
		t.Run(tt.name, func(t *testing.T) {
			for seed := uint64(0); seed < 20; seed++ {
				parts := tt.parts
				if seed > 0 {
					parts = prototest.Split(seed, parts...)
				}
				r, got := run(parts...)
				if got != tt.want || r.Switched != tt.switched || r.Next != "" || r.Finished != tt.finished || (r.Err != nil) != tt.err {
					t.Fatalf("seed %d: %s\nwant %s\n%+v", seed, got, tt.want, r)
				}
				if seed == 0 && r.Rest[0] != tt.rest {
					t.Errorf("rest %q, want %q", r.Rest[0], tt.rest)
				}
			}
		})
	}
}

// What was asked for is the target of what follows.
func TestTarget(t *testing.T) {
	for req, want := range map[string]string{byName: "pool.io:3333", byIPv4: "192.0.2.1:80", byIPv6: "[2001:db8::1]:443"} {
		if r, _ := run(c(greet), s(none), c(req), s(ok5)); r.Target != want {
			t.Errorf("target %q, want %q", r.Target, want)
		}
	}
	if r, _ := run(c(req4a), s(ok4)); r.Target != "pool.io:3333" {
		t.Errorf("version 4a: target %q", r.Target)
	}
	if r, _ := run(c(greet), s(none), c(byName), s("\x05\x05\x00\x01\x00\x00\x00\x00\x00\x00")); r.Target != "" {
		t.Errorf("refused: target %q", r.Target)
	}
}

func TestProbe(t *testing.T) {
	for _, tt := range []struct {
		d    packet.Dir
		b    string
		want proto.Match
	}{
		{packet.ToServer, "", proto.More},
		{packet.ToServer, "\x05", proto.More},
		{packet.ToServer, "\x05\x02\x00", proto.More},
		{packet.ToServer, greet, proto.Weak},
		{packet.ToServer, greet + "\x05\x01", proto.Weak},
		{packet.ToServer, greet + byName, proto.Yes},
		{packet.ToServer, greet + "\x01\x03joe\x03pwd", proto.Yes},
		{packet.ToServer, greet + "GET", proto.No},
		{packet.ToServer, "\x05\x00", proto.No},
		{packet.ToServer, "\x05\x02\x00\x00", proto.No},
		{packet.ToServer, "\x05\x01\x42", proto.No},
		{packet.ToServer, "\x05\xff\x00", proto.No},
		{packet.ToServer, req4, proto.Weak},
		{packet.ToServer, req4[:9], proto.More},
		{packet.ToServer, req4a, proto.Yes},
		{packet.ToServer, "\x04\x01\x00\x00\x01\x02\x03\x04\x00", proto.No},
		{packet.ToServer, "\x04\x01\x00\x50\x01\x02\x03\x04\x01\x02\x00", proto.No},
		{packet.ToServer, "\x04\x03", proto.No},
		{packet.ToServer, "GET / HTTP/1.1\r\n", proto.No},
		{packet.ToServer, "\x16\x03\x01", proto.No},
		{packet.ToClient, "\x05", proto.More},
		{packet.ToClient, none, proto.Weak},
		{packet.ToClient, none + ok5, proto.Weak},
		{packet.ToClient, none + "x", proto.No},
		{packet.ToClient, "\x05\x42", proto.No},
		{packet.ToClient, ok4, proto.Weak},
		{packet.ToClient, ok4[:4], proto.More},
		{packet.ToClient, "\x00\x00\x00\x00\x00\x00\x00\x00", proto.No},
		{packet.ToClient, "\x00\x5f\x00\x00\x00\x00\x00\x00", proto.No},
	} {
		if got := probe(tt.d, []byte(tt.b)); got != tt.want {
			t.Errorf("%v %q: %v, want %v", tt.d, tt.b, got, tt.want)
		}
	}
}

func TestReset(t *testing.T) {
	p := Protocol.New()
	_, first := runOn(p, c(req4a), s(ok4))
	p.Reset()
	_, second := runOn(p, c(greet), s(none), c(byIPv4), s(ok5))
	if !strings.Contains(first, "pool.io") || !strings.Contains(second, "192.0.2.1") || strings.Contains(second, "pool") {
		t.Errorf("%s, then %s", first, second)
	}
}

var session = []prototest.Part{c(greet), s(none), c(byName), s(ok5)}

func TestNoAllocs(t *testing.T) { prototest.SessionNoAllocs(t, Protocol, session...) }

func BenchmarkParse(b *testing.B) { prototest.SessionBench(b, Protocol, session...) }

func FuzzParse(f *testing.F) {
	for _, tt := range table {
		var x [2]string
		for _, p := range tt.parts {
			x[p.Dir] += string(p.Data)
		}
		f.Add([]byte(x[0]), []byte(x[1]), uint64(1))
	}
	f.Fuzz(func(t *testing.T, a, b []byte, seed uint64) {
		probe(packet.ToServer, a)
		probe(packet.ToClient, b)
		parts := []prototest.Part{c(string(a)), s(string(b))}
		_, whole := run(parts...)
		_, cut := run(prototest.Split(seed, parts...)...)
		if whole != cut {
			t.Fatalf("whole %s\ncut %s", whole, cut)
		}
	})
}
