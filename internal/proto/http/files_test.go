package http

import (
	"fmt"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

// bigFile is more than the window of DEFLATE and the buffers here, and compresses
// somewhat.
var bigFile = func() string {
	var b strings.Builder
	for i := 0; b.Len() < 300<<10; i++ {
		fmt.Fprintf(&b, "%x line %d\n", i*i*7919, i)
	}
	return b.String()
}()

func ask(path string) prototest.Part {
	return prototest.C("GET " + path + " HTTP/1.1\r\nHost: h\r\n\r\n")
}

func answerWith(fields, body string) prototest.Part {
	return prototest.S(fmt.Sprintf("HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s", fields, len(body), body))
}

func upload(method, typ, body string) prototest.Part {
	return prototest.C(fmt.Sprintf("%s /up/load?q HTTP/1.1\r\nHost: h\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", method, typ, len(body), body))
}

const formBody = "--B\r\nContent-Disposition: form-data; name=a\r\n\r\nfield\r\n" +
	"--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a;b.txt\"\r\nContent-Type: text/plain\r\n\r\none\r\ntwo\r\n" +
	"--B\r\nContent-Disposition: form-data; name=g; filename=empty\r\n\r\n\r\n" +
	"--B\r\ncontent-disposition:form-data;filename=x\r\n\r\n\r\n--b\r\n--B--\r\nepilogue"

func TestFiles(t *testing.T) {
	const multi = "multipart/form-data; boundary=\"B\""
	tests := []struct {
		name  string
		parts []prototest.Part
		want  []string
		text  string // of all files together; empty: not compared
	}{
		{"plain", []prototest.Part{ask("/dir/a%20b.txt?x=/y"), answerWith("", "hello")}, []string{`< "/dir/a b.txt" 5 bytes`}, "hello"},
		{"named", []prototest.Part{ask("/x"), answerWith("Content-Disposition: attachment; filename=\"evil.exe\"\r\n", "MZ")}, []string{`< "evil.exe" 2 bytes`}, "MZ"},
		{"chunked", []prototest.Part{ask("/"), prototest.S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")}, []string{`< "/" 5 bytes`}, "abcde"},
		{"until the end", []prototest.Part{ask("/"), prototest.S("HTTP/1.1 200 OK\r\n\r\nabc")}, []string{`< "/" 3 bytes`}, "abc"},
		{"shorter than announced", []prototest.Part{ask("/"), prototest.S("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")}, []string{`< "/" 3 bytes`}, "abc"},
		{"no body", []prototest.Part{ask("/"), answerWith("", "")}, nil, ""},
		{"large", []prototest.Part{ask("/"), answerWith("", bigFile)}, []string{fmt.Sprintf(`< "/" %d bytes`, len(bigFile))}, bigFile},
		{"gzip", []prototest.Part{ask("/"), answerWith("Content-Encoding: gzip\r\n", gz(bigFile))}, []string{fmt.Sprintf(`< "/" %d bytes`, len(bigFile))}, bigFile},
		{"zlib", []prototest.Part{ask("/"), answerWith("Content-Encoding: deflate\r\n", zlibbed(bigFile))}, []string{fmt.Sprintf(`< "/" %d bytes`, len(bigFile))}, bigFile},
		{"raw deflate", []prototest.Part{ask("/"), answerWith("Content-Encoding: deflate\r\n", deflated(bigFile))}, []string{fmt.Sprintf(`< "/" %d bytes`, len(bigFile))}, bigFile},
		{"three layers", []prototest.Part{ask("/"), answerWith("Content-Encoding: gzip, deflate, gzip\r\n", gz(zlibbed(gz(bigFile))))}, []string{fmt.Sprintf(`< "/" %d bytes`, len(bigFile))}, bigFile},
		{"two members", []prototest.Part{ask("/"), answerWith("Content-Encoding: gzip\r\n", gz(bigFile)+gz("end"))}, []string{fmt.Sprintf(`< "/" %d bytes`, len(bigFile)+3)}, bigFile + "end"},
		{"not compressed after all", []prototest.Part{ask("/"), answerWith("Content-Encoding: gzip\r\n", bigFile)}, []string{fmt.Sprintf(`< "/" %d bytes`, len(bigFile))}, bigFile},
		{"formBody", []prototest.Part{upload("POST", multi, formBody), answerWith("", "ok")},
			[]string{`> "a;b.txt" 8 bytes`, `> "empty" 0 bytes`, `> "x" 5 bytes`, `< "/up/load" 2 bytes`}, "one\r\ntwo\r\n--bok"},
		{"formBody cut off", []prototest.Part{upload("POST", multi, "--B\r\nContent-Disposition: a; filename=x\r\n\r\nabc\r\n--")}, []string{`> "x" 7 bytes cut`}, "abc\r\n--"},
		{"POST", []prototest.Part{upload("POST", "text/plain", "abc")}, []string{`> "/up/load" 3 bytes`}, "abc"},
		{"PUT", []prototest.Part{upload("PUT", multi, formBody)}, []string{fmt.Sprintf(`> "/up/load" %d bytes`, len(formBody))}, formBody},
		{"other methods", []prototest.Part{upload("PROPFIND", "text/xml", "<x/>")}, nil, ""},
		{"two answers", []prototest.Part{ask("/1"), answerWith("", "a"), ask("/2"), answerWith("", "b")}, []string{`< "/1" 1 bytes`, `< "/2" 1 bytes`}, "ab"},
	}
	for _, tt := range tests {
		for seed := range uint64(6) {
			parts := tt.parts
			if seed > 0 {
				parts = prototest.Split(seed, parts...)
			}
			l := &prototest.Files{T: t}
			r := prototest.Drive(Protocol, prototest.Options{OnFile: l.OnFile}, parts...)
			text := ""
			for i, g := range l.List {
				text += g.Content
				if strings.HasPrefix(tt.name, "two answers") && g.TxID != uint64(i) {
					t.Errorf("%s: file %d is of transaction %d", tt.name, i, g.TxID)
				}
			}
			if fmt.Sprint(l.Lines()) != fmt.Sprint(tt.want) || text != tt.text || r.Err != nil {
				t.Errorf("%s, seed %d: %q, want %q; %d bytes, want %d; %v", tt.name, seed, l.Lines(), tt.want, len(text), len(tt.text), r.Err)
				break
			}
		}
	}
}

// What transactions show is the same whether files are wanted or not.
func TestFilesChangeNothing(t *testing.T) {
	for _, body := range []string{"", "hello", bigFile, gz(bigFile), gz(bigFile)[:5000], "\x1f\x8b\x08\x00rubbish"} {
		for _, coding := range []string{"", "Content-Encoding: gzip\r\n", "Content-Encoding: gzip, deflate\r\n"} {
			show := func(o prototest.Options) (out []string) {
				o.OnTx = func(tx proto.Tx, done bool) {
					if done {
						t := tx.(*Tx)
						out = append(out, fmt.Sprintf("%.60q… %d %d %v %v", t.ResponseBody, len(t.ResponseBody), t.ResponseLen, t.ResponseTruncated, t.ResponseEncoded))
					}
				}
				r := prototest.Drive(Protocol, o, ask("/"), answerWith(coding, body))
				return append(out, r.Anomalies...)
			}
			without := show(prototest.Options{})
			with := show(prototest.Options{OnFile: (&prototest.Files{T: t}).OnFile})
			// Only for files a whole body is decoded, and faults far in it found.
			if len(body) < maxCompressed && fmt.Sprint(without) != fmt.Sprint(with) || without[0] != with[0] {
				t.Errorf("%.10q %s\n%q\n%q", body, coding, without, with)
			}
		}
	}
}

func TestFileGap(t *testing.T) {
	for _, tt := range []struct {
		fields, body, want string
	}{
		{"", "0123456789", `< "/" 10 bytes gap cut`}, // in the middle
		{"Content-Encoding: gzip\r\n", gz(bigFile), "gap cut"},
	} {
		l := &prototest.Files{T: t}
		head := fmt.Sprintf("HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n", tt.fields, len(tt.body))
		prototest.Drive(Protocol, prototest.Options{OnFile: l.OnFile}, ask("/"), prototest.S(head+tt.body[:len(tt.body)/2]),
			prototest.Part{Dir: packet.ToClient, Gap: 3, Data: []byte(tt.body[len(tt.body)/2+3:])}, ask("/2"), answerWith("", "next"))
		if got := l.Lines(); len(got) != 2 || !strings.HasSuffix(got[0], tt.want) || got[1] != `< "/2" 4 bytes` {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
	l := &prototest.Files{T: t}
	head := fmt.Sprintf("POST / HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=B\r\nContent-Length: %d\r\n\r\n", len(formBody))
	at := strings.Index(formBody, "one")
	prototest.Drive(Protocol, prototest.Options{OnFile: l.OnFile}, prototest.C(head+formBody[:at]), prototest.Part{Dir: packet.ToServer, Gap: 3, Data: []byte(formBody[at+3:])})
	l.Check(`> "a;b.txt" 8 bytes gap cut`, `> "empty" 0 bytes`, `> "x" 5 bytes`)
}

// A bomb costs no more than freeOutput and maxRatio times its length.
func TestFileBomb(t *testing.T) {
	for _, layers := range []int{1, 2, 3} {
		bomb, coding := strings.Repeat("\x00", 12<<20), "Content-Encoding: gzip"
		for i := range layers {
			bomb = gz(bomb)
			if i > 0 {
				coding += ", gzip"
			}
		}
		l := &prototest.Files{T: t}
		r := prototest.Drive(Protocol, prototest.Options{OnFile: l.OnFile}, ask("/"), answerWith(coding+"\r\n", bomb))
		if len(r.Anomalies) == 0 || r.Anomalies[len(r.Anomalies)-1] != "decompression_limit" || len(l.List) > 1 {
			t.Fatalf("%d layers: %v %v", layers, r.Anomalies, l.Lines())
		}
		if len(l.List) == 1 && (!l.List[0].Truncated || l.List[0].Size > freeOutput+maxRatio*uint64(len(bomb))+maxWindow) {
			t.Errorf("%d layers of %d bytes: %v", layers, len(bomb), l.Lines())
		}
	}
}

// Who has enough is given no more, and the body is not decoded on.
func TestFileEnough(t *testing.T) {
	l := &prototest.Files{T: t, Enough: 1000}
	prototest.Drive(Protocol, prototest.Options{OnFile: l.OnFile}, prototest.Split(1, ask("/"), answerWith("Content-Encoding: gzip\r\n", gz(bigFile)), ask("/2"), answerWith("", "next"))...)
	if len(l.List) != 2 || len(l.List[0].Content) > 100<<10 || !l.List[0].Done || l.List[1].Content != "next" {
		t.Errorf("%v, %d bytes", l.Lines(), len(l.List[0].Content))
	}
}

func TestMultipartLimits(t *testing.T) {
	part := func(head, body string) string { return "--B\r\n" + head + "\r\n\r\n" + body + "\r\n" }
	var many strings.Builder
	for range maxParts + 5 {
		many.WriteString(part("Content-Disposition: form-data; filename=x", "y"))
	}
	for _, tt := range []struct {
		name, body string
		files      int
	}{
		{"many files", many.String() + "--B--", maxParts},
		{"a long header", part("A: "+strings.Repeat("x", maxPartHead)+"\r\nContent-Disposition: form-data; filename=x", "y") + part("Content-Disposition: form-data; filename=z", "y") + "--B--", 1},
		{"a long name", part("Content-Disposition: form-data; filename="+strings.Repeat("n", maxPartName+50), "y") + "--B--", 1},
	} {
		l := &prototest.Files{T: t}
		prototest.Drive(Protocol, prototest.Options{OnFile: l.OnFile}, upload("POST", "multipart/form-data; boundary=B", tt.body))
		if len(l.List) != tt.files || len(l.List[len(l.List)-1].Name) > maxPartName {
			t.Errorf("%s: %d files", tt.name, len(l.List))
		}
	}
	if b := boundary(nil, []byte("multipart/x; boundary="+strings.Repeat("b", maxBoundary+1))); b != nil {
		t.Errorf("a boundary of %d bytes", len(b))
	}
}

func TestByteRange(t *testing.T) {
	for in, want := range map[string][2]uint64{"bytes 5-9/100": {5, 9}, "bytes 0-0/1": {0, 0}, "bytes */5": {}, "9-5": {}, "": {}, "bytes 5": {}} {
		if a, b := byteRange([]byte(in)); a != want[0] || b != want[1] {
			t.Errorf("%q: %d to %d", in, a, b)
		}
	}
}

func TestFileNoAllocs(t *testing.T) {
	if prototest.Race {
		t.Skip("the race detector takes memory out of pools at random: allocations are not counted")
	}
	in := [][]byte{[]byte(ask("/x").Data), []byte(answerWith("Content-Disposition: attachment; filename=a\r\n", bigFile[:20000]).Data),
		[]byte(upload("POST", "multipart/form-data; boundary=B", formBody).Data), []byte(answerWith("", "ok").Data)}
	p := Protocol.New()
	n := 0
	c := proto.Conn{Transport: proto.TCP, WantFiles: true, OnAnomaly: func(string) {}, OnTx: func(proto.Tx, bool) {}, OnFile: func(*proto.File) { n++ }}
	run := func() {
		for i, b := range in {
			p.Parse(&c, packet.Dir(i%2), b)
		}
	}
	run()
	if a := testing.AllocsPerRun(100, run); a > 0 || n == 0 {
		t.Errorf("%v allocations, %d pieces", a, n)
	}
}
