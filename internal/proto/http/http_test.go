package http

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

var update = prototest.UpdateFlag()

func TestGolden(t *testing.T) { prototest.Golden(t, Protocol, *update) }

func TestReadme(t *testing.T) { prototest.Readme(t, Protocol) }

const connect = "CONNECT pool.example:443 HTTP/1.1\r\nHost: pool.example:443\r\n\r\n"

func TestSwitch(t *testing.T) {
	upgrade := func(to string) string {
		return "GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: " + to + "\r\n\r\n"
	}
	for _, tt := range []struct {
		name     string
		parts    []prototest.Part
		switched bool
		next     string
		rest     [2]string
		done     int
	}{
		{"connect granted", []prototest.Part{c(connect), s("HTTP/1.1 200 OK\r\n\r\n"), c("early")}, true, "", [2]string{"early", ""}, 1},
		{"connect, client ahead", []prototest.Part{c(connect + "early"), s("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nlate")}, true, "", [2]string{"early", "late"}, 1},
		{"connect refused", []prototest.Part{c(connect + get), s("HTTP/1.1 407 Auth\r\nContent-Length: 2\r\n\r\nno"), s(answer("", "x"))}, false, "", [2]string{"", ""}, 2},
		{"connect tunnels http", []prototest.Part{c(connect + get), s("HTTP/1.1 200 OK\r\n\r\n")}, true, "", [2]string{get, ""}, 1},
		{"connect never answered", []prototest.Part{c(connect), c(strings.Repeat("x", maxTunnelWait+1))}, true, "", [2]string{strings.Repeat("x", maxTunnelWait+1), ""}, 1},
		{"connect never answered, little", []prototest.Part{c(connect), c("x")}, false, "", [2]string{"x", ""}, 1},
		{"websocket", []prototest.Part{c(upgrade("websocket") + "\x81\x00"), s("HTTP/1.1 101 S\r\nUpgrade: WebSocket\r\n\r\n\x81\x00")}, true, "websocket", [2]string{"\x81\x00", "\x81\x00"}, 1},
		{"websocket by request alone", []prototest.Part{c(upgrade("websocket")), s("HTTP/1.1 101 S\r\n\r\n")}, true, "websocket", [2]string{"", ""}, 1},
		{"h2c", []prototest.Part{c(upgrade("h2c")), s("HTTP/1.1 101 S\r\nUpgrade: h2c\r\n\r\n")}, true, "http2", [2]string{"", ""}, 1},
		{"unknown upgrade", []prototest.Part{c(upgrade("foo")), s("HTTP/1.1 101 S\r\nUpgrade: foo\r\n\r\n")}, true, "", [2]string{"", ""}, 1},
		{"upgrade declined", []prototest.Part{c(upgrade("h2c")), s(answer("", "x")), c(get), s(answer("", "y"))}, false, "", [2]string{"", ""}, 2},
		{"upgrade ignored, pipelined", []prototest.Part{c(upgrade("h2c") + get + get), s(answer("", "x"))}, false, "", [2]string{"", ""}, 3},
		{"http2 preface after a request", []prototest.Part{c(get), s(answer("", "x")), c("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")}, true, "http2", [2]string{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ""}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for seed := uint64(0); seed < 20; seed++ {
				parts := tt.parts
				if seed > 0 {
					parts = prototest.Split(seed, parts...)
				}
				r, _ := run(prototest.Options{}, parts...)
				if r.Err != nil || r.Switched != tt.switched || r.Next != tt.next || r.Rest != tt.rest || r.Done != tt.done {
					t.Fatalf("seed %d: %+v", seed, r)
				}
				if want := map[bool]string{true: "pool.example:443"}[tt.switched && strings.HasPrefix(tt.name, "connect")]; r.Target != want {
					t.Fatalf("seed %d: target %q, want %q", seed, r.Target, want)
				}
			}
		})
	}
}

func gap(d packet.Dir, n int, data string) prototest.Part {
	return prototest.Part{Dir: d, Gap: n, Data: []byte(data)}
}

func TestGapAndMidstream(t *testing.T) {
	long := "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"
	for _, tt := range []struct {
		name  string
		mid   bool
		parts []prototest.Part
		want  []string
	}{
		{"in a body", false, []prototest.Part{c(get), s(long + "0123"), gap(1, 3, "789"+answer("", "x"))},
			[]string{`GET /a h>"" 200 <"0123"`, `  >"" 200 <"x"`}},
		{"to the end of a body", false, []prototest.Part{c(get + get), s(long + "0123"), gap(1, 6, answer("", "x"))},
			[]string{`GET /a h>"" 200 <"0123"`, `GET /a h>"" 200 <"x"`}},
		{"beyond a body", false, []prototest.Part{c(get + get), s(long + "0123"), gap(1, 60, "tail\r\n"+answer("", "x"))},
			[]string{`GET /a h>"" 200 <"0123"`, `GET /a h>"" 200 <"x"`}},
		{"in a chunk", false, []prototest.Part{c(get), s("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n01"), gap(1, 3, "567\r\n0\r\n\r\n"+answer("", "x"))},
			[]string{`GET /a h>"" 200 <"01"`, `  >"" 200 <"x"`}},
		{"over chunks", false, []prototest.Part{c(get), s("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n01"), gap(1, 9, "567\r\n0\r\n\r\n"), c(get), s(answer("", "x"))},
			[]string{`GET /a h>"" 200 <"01"`, `GET /a h>"" 200 <"x"`}},
		{"in an answer's head", false, []prototest.Part{c(get), s("HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Le"), gap(1, 9, "\r\n\r\nhi\r\n"), c(get), s(answer("", "x"))},
			[]string{`GET /a h>"" 200 a/b<""`, `GET /a h>"" 200 <"x"`}},
		{"in a request's head", false, []prototest.Part{c("POST / HTTP/1.1\r\nHost: h\r\nX: "), gap(0, 9, "z\r\n\r\n"), s(answer("", "x")), c(get), s(answer("", "y"))},
			[]string{`POST / h>"" 200 <"x"`, `GET /a h>"" 200 <"y"`}},
		{"in a request's body", false, []prototest.Part{c("POST / HTTP/1.1\r\nContent-Length: 6\r\n\r\nab"), gap(0, 2, "ef"+get), s(answer("", "x") + answer("", "y"))},
			[]string{`POST / >"ab" 200 <"x"`, `GET /a h>"" 200 <"y"`}},
		{"whole answer lost", false, []prototest.Part{c(get), gap(1, 500, ""), c("GET /b HTTP/1.1\r\n\r\n"), s(answer("", "y"))},
			[]string{`GET /a h>"" 0 <""`, `GET /b >"" 200 <"y"`}},
		{"until the end", false, []prototest.Part{c(get), s("HTTP/1.0 200 OK\r\n\r\nab"), gap(1, 4, "cd")},
			[]string{`GET /a h>"" 200 <"ab"`}},
		{"midstream answer first", true, []prototest.Part{s(answer("", "x")), c(get), s(answer("", "y"))},
			[]string{`  >"" 200 <"x"`, `GET /a h>"" 200 <"y"`}},
		{"midstream body first", true, []prototest.Part{s("some body\r\nof old\x00\x01"), c("lines\r\nof text\r\n"), c(get), s(answer("", "y"))},
			[]string{`GET /a h>"" 200 <"y"`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, got := run(prototest.Options{Conn: proto.Conn{Midstream: tt.mid}}, tt.parts...)
			if r.Err != nil || !slices.Equal(got, tt.want) {
				t.Errorf("err %v\n got %q\nwant %q", r.Err, got, tt.want)
			}
			if tt.mid && len(r.Anomalies) > 0 {
				t.Errorf("anomalies %v", r.Anomalies)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	x := func(n int) string { return strings.Repeat("x", n) }
	type check func(t *testing.T, tx *Tx)
	for _, tt := range []struct {
		name      string
		parts     []prototest.Part
		anomalies string
		check     check
	}{
		{"body kept in part", []prototest.Part{c(get), s(answer("", x(MaxBody+1)))}, "", func(t *testing.T, tx *Tx) {
			if len(tx.ResponseBody) != MaxBody || !tx.ResponseTruncated || tx.ResponseLen != MaxBody+1 {
				t.Error(len(tx.ResponseBody), tx.ResponseTruncated, tx.ResponseLen)
			}
		}},
		{"body kept whole", []prototest.Part{c(get), s(answer("", x(MaxBody)))}, "", func(t *testing.T, tx *Tx) {
			if len(tx.ResponseBody) != MaxBody || tx.ResponseTruncated {
				t.Error(len(tx.ResponseBody), tx.ResponseTruncated)
			}
		}},
		{"gzip bomb", []prototest.Part{c(get), s(answer("Content-Encoding: gzip\r\n", gz(x(10<<20))))}, "", func(t *testing.T, tx *Tx) {
			if len(tx.ResponseBody) != MaxBody || !tx.ResponseTruncated {
				t.Error(len(tx.ResponseBody), tx.ResponseTruncated)
			}
		}},
		{"gzip that gives nothing", []prototest.Part{c(get), s(answer("Content-Encoding: gzip\r\n", gz("")[:10]+strings.Repeat("\x00\x00\x00\xff\xff", maxCompressed/4)))}, "decompression_limit", func(t *testing.T, tx *Tx) {
			if tx.ResponseBody != nil || !tx.ResponseTruncated {
				t.Error(len(tx.ResponseBody), tx.ResponseTruncated)
			}
		}},
		{"layers: outer output too long", []prototest.Part{c(get), s(answer("Content-Encoding: gzip, gzip\r\n", gz(gz("")[:10]+strings.Repeat("\x00\x00\x00\xff\xff", maxLayerOut))))}, "decompression_limit", func(t *testing.T, tx *Tx) {
			if !tx.ResponseTruncated {
				t.Error("not truncated")
			}
		}},
		{"line too long", []prototest.Part{c("GET /" + x(MaxLine) + " HTTP/1.1\r\nHost: h\r\n\r\n"), s(answer("", "x"))}, "line_too_long version_missing", func(t *testing.T, tx *Tx) {
			if len(tx.URI) != MaxLine-4 || string(tx.Host) != "h" {
				t.Error(len(tx.URI), string(tx.Host))
			}
		}},
		{"too many headers", []prototest.Part{c("POST / HTTP/1.1\r\n" + strings.Repeat("A: b\r\n", MaxHeaders+5) + "Content-Length: 2\r\n\r\nhi"), s(answer("", "x"))}, "too_many_headers", func(t *testing.T, tx *Tx) {
			if len(tx.RequestHeaders) != MaxHeaders+1 || string(tx.RequestBody) != "hi" {
				t.Error(len(tx.RequestHeaders), string(tx.RequestBody))
			}
		}},
		{"head too long", []prototest.Part{c("POST / HTTP/1.1\r\n" + strings.Repeat("A: "+x(1000)+"\r\n", 40) + "Content-Length: 2\r\n\r\nhi"), s(answer("", "x"))}, "too_many_headers", func(t *testing.T, tx *Tx) {
			if n := len(tx.msg[0].head); n > MaxHead+framingBytes || string(tx.RequestBody) != "hi" {
				t.Error(n, string(tx.RequestBody))
			}
		}},
		{"folded too long", []prototest.Part{c("POST / HTTP/1.1\r\nA: b\r\n" + strings.Repeat(" "+x(1000)+"\r\n", 40) + "Content-Length: 2\r\n\r\nhi"), s(answer("", "x"))}, "too_many_headers", func(t *testing.T, tx *Tx) {
			if n := len(tx.msg[0].fold); n > MaxHead || string(tx.RequestBody) != "hi" {
				t.Error(n, string(tx.RequestBody))
			}
		}},
		{"chunk length too large", []prototest.Part{c(get), s("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nhi")}, "chunk_length_invalid", func(t *testing.T, tx *Tx) {
			if string(tx.ResponseBody) != "ffffffffffffffff\r\nhi" {
				t.Errorf("%q", tx.ResponseBody)
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for seed := uint64(0); seed < 3; seed++ {
				parts := tt.parts
				if seed > 0 {
					parts = prototest.Split(seed, parts...)
				}
				n := 0
				r := prototest.Drive(Protocol, prototest.Options{OnTx: func(tx proto.Tx, done bool) {
					if done {
						n++
						tt.check(t, tx.(*Tx))
					}
				}}, parts...)
				if r.Err != nil || n != 1 || strings.Join(r.Anomalies, " ") != tt.anomalies {
					t.Errorf("err %v, %d transactions, %v", r.Err, n, r.Anomalies)
				}
			}
		})
	}
}

func TestPendingLimits(t *testing.T) {
	for _, body := range []int{0, MaxBody} {
		var parts []prototest.Part
		for i := range MaxPending + 3 {
			parts = append(parts, c(fmt.Sprintf("POST /%d HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s", i, body, strings.Repeat("x", body))))
		}
		p := Protocol.New().(*parser)
		most := 0
		got := ""
		r := prototest.DriveParser(Protocol, p, prototest.Options{OnTx: func(tx proto.Tx, done bool) {
			most = max(most, len(p.queue))
			if done && tx.(*Tx).Status != 0 {
				got += string(tx.(*Tx).URI)
			}
		}}, append(parts, s(strings.Repeat("HTTP/1.1 204 No\r\n\r\n", MaxPending+3)))...)
		if most > MaxPending || body > 0 && most > maxPendingBytes/body+1 {
			t.Errorf("%d requests waited", most)
		}
		// The answers of those handed over early are not taken for others'.
		if r.Done != 2*(MaxPending+3)-(most) || !strings.HasSuffix(got, fmt.Sprintf("/%d", MaxPending+2)) || !slices.Equal(r.Anomalies, []string{"too_many_pending_requests"}) {
			t.Errorf("done %d, most %d, %v, %s", r.Done, most, r.Anomalies, got)
		}
	}
}

// A request's body is there when the request is complete, before any answer.
func TestRequestVisible(t *testing.T) {
	var seen []string
	prototest.Drive(Protocol, prototest.Options{OnTx: func(tx proto.Tx, done bool) {
		x := tx.(*Tx)
		seen = append(seen, fmt.Sprintf("%v %v %q %v %v", x.RequestHead, x.RequestDone, x.RequestBody, x.ResponseHead, done))
	}}, c("POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nab"), c("cd"), s("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"), s("hi"))
	want := []string{`true false "" false false`, `true true "abcd" false false`, `true true "abcd" true false`, `true true "abcd" true true`}
	if !slices.Equal(seen, want) {
		t.Errorf("%q", seen)
	}
}

func TestEvent(t *testing.T) {
	r, _ := run(prototest.Options{}, c("GET /x HTTP/1.1\r\nHost: Example.org:8080\r\nUser-Agent: ua\r\nReferer: ref\r\n\r\n"),
		s("HTTP/1.1 302 Found\r\nLocation: /y\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 2\r\n\r\nhi"))
	want := `"http":{"hostname":"example.org","http_port":8080,"url":"/x","http_user_agent":"ua","http_content_type":"text/html","http_refer":"ref","http_method":"GET","protocol":"HTTP/1.1","status":302,"redirect":"/y","length":2}`
	if r.Joined() != want {
		t.Errorf("\n got %s\nwant %s", r.Joined(), want)
	}
}

func TestBuffers(t *testing.T) {
	req := "POST /a/../b%20c?d=%41 HTTP/1.1\r\nHost: H.example:81\r\nUser-Agent: ua\r\nReferer: ref\r\nCookie: a=b\r\nAccept: */*\r\nAccept: x\r\nAccept-Language: de\r\nAccept-Encoding: gzip\r\nConnection: close\r\nContent-Type: t/p\r\nContent-Length: 2\r\n\r\nhi"
	res := "HTTP/1.1 201 Made it\r\nServer: srv\r\nLocation: /l\r\nSet-Cookie: c=d\r\nConnection: close\r\nContent-Type: r/p; x\r\nContent-Length: 3\r\n\r\nyes"
	want := map[string][2]string{
		"http.method": {"POST"}, "http.uri": {"/b c?d=A"}, "http.uri.raw": {"/a/../b%20c?d=%41"}, "http.host": {"h.example"}, "http.host.raw": {"H.example:81"},
		"http.user_agent": {"ua"}, "http.referer": {"ref"}, "http.cookie": {"a=b", "c=d"}, "http.accept": {"*/*, x"}, "http.accept_lang": {"de"}, "http.accept_enc": {"gzip"},
		"http.header": {"Host: H.example:81\r\nUser-Agent: ua\r\nReferer: ref\r\nAccept: */*, x\r\nAccept-Language: de\r\nAccept-Encoding: gzip\r\nConnection: close\r\nContent-Type: t/p\r\nContent-Length: 2\r\n",
			"Server: srv\r\nLocation: /l\r\nConnection: close\r\nContent-Type: r/p; x\r\nContent-Length: 3\r\n"},
		"http.header.raw": {req[strings.Index(req, "Host") : len(req)-2], res[strings.Index(res, "Server") : len(res)-3]},
		"http.header_names": {"\r\nHost\r\nUser-Agent\r\nReferer\r\nCookie\r\nAccept\r\nAccept-Language\r\nAccept-Encoding\r\nConnection\r\nContent-Type\r\nContent-Length\r\n\r\n",
			"\r\nServer\r\nLocation\r\nSet-Cookie\r\nConnection\r\nContent-Type\r\nContent-Length\r\n\r\n"},
		"http.request_line": {"POST /a/../b%20c?d=%41 HTTP/1.1"}, "http.request_body": {"hi"}, "http.content_type": {"t/p", "r/p; x"}, "http.content_len": {"2", "3"},
		"http.connection": {"close", "close"}, "http.protocol": {"HTTP/1.1", "HTTP/1.1"}, "http.start": {strings.Replace(req[:len(req)-2], "*/*\r\nAccept: x", "*/*, x", 1), res[:len(res)-3]},
		"http.stat_code": {1: "201"}, "http.stat_msg": {1: "Made it"}, "http.response_line": {1: "HTTP/1.1 201 Made it"}, "http.response_body": {1: "yes"},
		"file.data": {"hi", "yes"}, "http.server": {1: "srv"}, "http.location": {1: "/l"},
		"http.request_header": {"Host: H.example:81"}, "http.response_header": {1: "Server: srv"},
		"frame.http1.request": {req}, "frame.http1.response": {1: res},
	}
	several := map[string]string{"http.request_header": "User-Agent: ua", "http.response_header": "Location: /l"}
	prototest.Drive(Protocol, prototest.Options{OnTx: func(tx proto.Tx, done bool) {
		for _, b := range buffers {
			got, ok := b.Get(tx, 0)
			if b.Dir == packet.ToClient && !tx.(*Tx).ResponseHead && ok {
				t.Errorf("%s is there before the answer", b.Name)
			}
			if done && (!ok || string(got) != want[b.Name][b.Dir]) {
				t.Errorf("%s %v: %q, want %q", b.Name, b.Dir, got, want[b.Name][b.Dir])
			}
			if got, ok := b.Get(tx, 1); done && string(got) != several[b.Name] || ok && several[b.Name] == "" {
				t.Errorf("second instance of %s: %q", b.Name, got)
			}
		}
	}}, c(req), s(res))
}

func TestProbe(t *testing.T) {
	for _, tt := range []struct {
		d    packet.Dir
		b    string
		want proto.Match
	}{
		{0, "", proto.More}, {0, "G", proto.More}, {0, "GET /lo", proto.More}, {0, get, proto.Yes}, {0, "\r\n" + get, proto.Yes},
		{0, "GET /" + strings.Repeat("x", maxProbeLine), proto.Yes}, {0, "get / http/1.0\n", proto.Yes}, {0, "FOO /x HTTP/1.1\r\n", proto.Yes},
		{0, "GET /x\r\n", proto.Weak}, {0, "GET /x\r\nHost: h\r\n", proto.Yes}, {0, "CONNECT a:1 HTTP/1.1\r\n", proto.Yes},
		{0, "NOTIFY * HTTP/1.1\r\n", proto.Yes}, {0, "OPTIONS * RTSP/1.0\r\n", proto.No}, {0, "OPTIONS rtsp://c/ RTSP/1.0\r\n", proto.No},
		{0, "OPTIONS rtsp://c/", proto.No}, {0, "REGISTER sip:x SIP/2.0\r\n", proto.No}, {0, "OPTIONS sip:x", proto.No}, {0, "SOURCE /x ICE/1.0\r\n", proto.No},
		{0, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", proto.No}, {0, "HELO me\r\n", proto.No}, {0, "USER joe\r\n", proto.No}, {0, "SSH-2.0-x\r\n", proto.No},
		{0, "GET key\r\n", proto.No}, {0, "{\"id\":1}\n", proto.No}, {0, "\x16\x03\x01", proto.No}, {0, "GET /\x00", proto.No},
		{0, "DELETE " + strings.Repeat("x", maxProbeLine), proto.Yes}, {0, "FOO " + strings.Repeat("x", maxProbeOther), proto.No},
		{0, "FOO /" + strings.Repeat("x", maxProbeOther), proto.More}, {0, "FOO /" + strings.Repeat("x", maxProbePath), proto.No},
		{0, strings.Repeat("x", 40), proto.No}, {0, "HTTP/1.1 200 OK\r\n", proto.No},
		{1, "HTT", proto.More}, {1, "HTTP/", proto.More}, {1, "HTTP/1.1 200 OK\r\n", proto.Yes}, {1, "ICY 200 OK", proto.Yes}, {1, "ICY 2", proto.More},
		{1, "ICY x00", proto.No}, {1, "RTSP/1.0 200 OK", proto.No}, {1, "SIP/2.0 200", proto.No}, {1, "220 smtp", proto.No}, {1, "HTTP/x", proto.No}, {1, get, proto.No},
	} {
		if got := probe(tt.d, []byte(tt.b)); got != tt.want {
			t.Errorf("%v %.40q: %v, want %v", tt.d, tt.b, got, tt.want)
		}
	}
}

func TestNormalise(t *testing.T) {
	for in, want := range map[string]string{
		"/": "/", "/a/b?c=d#e": "/a/b?c=d#e", "/a//b///c": "/a/b/c", "/a/./b/../c": "/a/c", "/../../x": "/x", "/a/..": "", "/a/.": "/a", "/a/b/..": "/a", "/a/b/../": "/a", "/a/b/": "/a/b/",
		"/%c3%a9x": "/\xe9x", "/\xc3\xa9x": "/\xe9x", "/%c0%ae%c0%ae/x": "/x", "/%c0%af/x": "///x", "/%e0%80%af": "//", "/%fcx": "/?x", "/%E2%88%95": "//", "/%ef%bc%a1": "/A",
		"/%e4%bd%a0": "/?", "/%f0%9f%98%80z": "/?z", "/x%c3": "/x", "/%c3%41": "/?A", "/a?%c3%a9": "/a?\xc3\xa9",
		"/%61%2fb": "/a/b", "/a%2": "/a%2", "/%zz": "/%zz", "/%u0061%uff21%u1234": "/aA?", `\a\b`: "/a/b", "/a+b?c+d=%2b": "/a+b?c+d=+",
		"http://h:1/a/../b": "/b", "http://h": "", "http://h?q": "?q", "*": "*", "/a?x=/../y//z": "/a?x=/../y//z", "/%2e%2e/x": "/x", "/a#%41": "/a#A",
		"/a?b=%2e%2e/": "/a?b=../", "/...": "/...", "/a/...b": "/a/...b", "": "",
	} {
		if _, got := normalise(nil, []byte(in)); string(got) != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func quiet() *proto.Conn {
	return &proto.Conn{Transport: proto.TCP, OnTx: func(proto.Tx, bool) {}, OnAnomaly: func(string) {}}
}

var traffic = struct{ req, res, packed []byte }{
	[]byte("GET /a/../b%20c?d HTTP/1.1\r\nHost: H.example:81\r\nUser-Agent: Mozilla/5.0\r\nAccept: */*\r\nAccept-Encoding: gzip\r\nCookie: a=b\r\nX: y\r\n z\r\n\r\n"),
	[]byte(answer("Content-Type: text/html\r\nServer: x\r\nDate: now\r\n", strings.Repeat("x", 1000))),
	[]byte(answer("Content-Type: text/html\r\nContent-Encoding: gzip\r\n", gz(strings.Repeat("hello world ", 3000)))),
}

func exchange(p proto.Parser, c *proto.Conn) {
	p.Parse(c, packet.ToServer, traffic.req)
	p.Parse(c, packet.ToClient, traffic.res)
	p.Parse(c, packet.ToServer, traffic.req)
	p.Parse(c, packet.ToClient, traffic.packed)
}

func TestAllocs(t *testing.T) {
	if prototest.Race {
		t.Skip("skips 1 case: the race detector takes memory out of sync.Pool at random, so that allocations cannot be counted")
	}
	p, c := Protocol.New(), quiet()
	c.OnTx = func(tx proto.Tx, _ bool) {
		for i := range buffers {
			buffers[i].Get(tx, 0)
		}
	}
	if n := testing.AllocsPerRun(300, func() { exchange(p, c); p.End(c); p.Reset() }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkParse(b *testing.B) {
	p, c := Protocol.New(), quiet()
	b.ReportAllocs()
	b.SetBytes(int64(2*len(traffic.req) + len(traffic.res) + len(traffic.packed)))
	for b.Loop() {
		exchange(p, c)
	}
}

// BenchmarkPlain is one request with a plain answer.
func BenchmarkPlain(b *testing.B) {
	p, c := Protocol.New(), quiet()
	b.ReportAllocs()
	for b.Loop() {
		p.Parse(c, packet.ToServer, traffic.req)
		p.Parse(c, packet.ToClient, traffic.res)
	}
}

// BenchmarkBulk is the cost of a packet within a large body.
func BenchmarkBulk(b *testing.B) {
	p, c := Protocol.New(), quiet()
	p.Parse(c, packet.ToServer, traffic.req)
	p.Parse(c, packet.ToClient, []byte("HTTP/1.1 200 OK\r\nContent-Length: 900000000000000\r\n\r\n"))
	data := make([]byte, 1460)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		p.Parse(c, packet.ToClient, data)
	}
}

func FuzzParse(f *testing.F) {
	for _, tt := range messages {
		var x [2]string
		for _, p := range tt.parts {
			x[p.Dir] += string(p.Data)
		}
		f.Add([]byte(x[0]), []byte(x[1]), uint64(1), uint16(0))
	}
	f.Add([]byte(connect+"x"), []byte("HTTP/1.1 407 x\r\n\r\n"), uint64(1), uint16(9))
	f.Fuzz(func(t *testing.T, a, b []byte, seed uint64, lost uint16) {
		probe(packet.ToServer, a)
		probe(packet.ToClient, b)
		get := func(tx proto.Tx, _ bool) {
			for i := range buffers {
				buffers[i].Get(tx, 0)
			}
		}
		k, l := int(lost)%(len(a)+1), int(lost>>4)%(len(b)+1)
		prototest.Drive(Protocol, prototest.Options{OnTx: get}, c(string(a[:k])), s(string(b[:l])),
			gap(0, int(lost), string(a[k:])), gap(1, int(lost), string(b[l:])))
		parts := []prototest.Part{c(string(a)), s(string(b))}
		x, whole := run(prototest.Options{}, parts...)
		y, cut := run(prototest.Options{}, prototest.Split(seed, parts...)...)
		// After something that is no start line, reading goes on with the next
		// segment, so there the cuts do matter.
		for _, r := range []prototest.Result{x, y} {
			if slices.Contains(r.Anomalies, "request_line_invalid") || slices.Contains(r.Anomalies, "status_line_invalid") {
				return
			}
		}
		if !slices.Equal(whole, cut) {
			t.Fatalf("whole %q\ncut %q", whole, cut)
		}
	})
}

// TestConnectHost: the target of CONNECT is the host, unless it is a path.
func TestConnectHost(t *testing.T) {
	for in, want := range map[string]string{
		"CONNECT Pool.example:443 HTTP/1.1\r\n\r\n":      "pool.example",
		"CONNECT / HTTP/1.1\r\n\r\n":                     "",
		"CONNECT /x HTTP/1.1\r\nHost: a.example\r\n\r\n": "a.example",
	} {
		got := "none"
		prototest.Drive(Protocol, prototest.Options{OnTx: func(tx proto.Tx, _ bool) { got = string(tx.(*Tx).Host) }}, c(in))
		if got != want {
			t.Errorf("%q: host %q, want %q", in, got, want)
		}
	}
}
