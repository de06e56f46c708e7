package http

import (
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

// TestAsLibhtp holds what Suricata 7.0.10 shows of unusual heads, asked for
// with one rule for each buffer.
func TestAsLibhtp(t *testing.T) {
	ok := s("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	tests := []struct {
		name, buffer string
		parts        []prototest.Part
		want         string
	}{
		{"the target ends at a space", "http.uri", []prototest.Part{c("GET /a?b c HTTP/1.1\r\n\r\n"), ok}, "/a?b"},
		{"the rest is the version", "http.protocol", []prototest.Part{c("GET /a?b c HTTP/1.1\r\n\r\n"), ok}, "c HTTP/1.1"},
		{"a tab within the target", "http.uri", []prototest.Part{c("GET /a\tb HTTP/1.1\r\n\r\n"), ok}, "/a\tb"},
		{"tabs alone", "http.uri", []prototest.Part{c("GET\t/a\tHTTP/1.1\r\n\r\n"), ok}, "/a"},
		{"CONNECT has no path", "http.uri", []prototest.Part{c("CONNECT A.example:443 HTTP/1.1\r\nHost: b\r\n\r\n"), ok}, ""},
		{"host of CONNECT", "http.host.raw", []prototest.Part{c("CONNECT A.example:443 HTTP/1.1\r\nHost: b\r\n\r\n"), ok}, "a.example"},
		{"host of an absolute target", "http.host.raw", []prototest.Part{c("GET http://u@A.example:80/ HTTP/1.1\r\nHost: b\r\n\r\n"), ok}, "a.example"},
		{"host field", "http.host.raw", []prototest.Part{c("GET / HTTP/1.1\r\nHost: A.example:80\r\n\r\n"), ok}, "A.example:80"},
		{"fold keeps its blanks", "http.header", []prototest.Part{c("GET / HTTP/1.1\r\nA: b \r\n \tc\r\n d \r\n\r\n"), ok}, "A: b  \tc d\r\n"},
		{"fold of nothing", "http.header", []prototest.Part{c("GET / HTTP/1.1\r\nA: b\r\n  \r\nC: d\r\n\r\n"), ok}, "A: b\r\nC: d\r\n"},
		{"other white space is no fold", "http.header", []prototest.Part{c("GET / HTTP/1.1\r\nA: b\r\n\vc: d\r\n\r\n"), ok}, "A: b\r\nc: d\r\n"},
		{"start of fields and cookies", "http.start", []prototest.Part{c("GET / HTTP/1.1\r\nA:b\r\nCookie: c\r\na: d\r\n\r\n"), ok}, "GET / HTTP/1.1\r\nA: b, d\r\nCookie: c\r\n\r\n"},
		{"the first length counts", "http.header", []prototest.Part{c("POST / HTTP/1.1\r\nContent-Length: 2\r\ncontent-length: 3\r\n\r\nab"), ok}, "Content-Length: 2\r\n"},
		{"repeated fields are one line", "http.request_header", []prototest.Part{c("GET / HTTP/1.1\r\nA: b\r\na: c\r\n\r\n"), ok}, "A: b, c"},
		{"start without fields", "http.start", []prototest.Part{c("GET / HTTP/1.1\r\n\r\n"), ok}, "GET / HTTP/1.1\r\n"},
		{"status text with blanks behind", "http.stat_msg", []prototest.Part{c("GET / HTTP/1.1\r\n\r\n"), s("HTTP/1.1 404  Not  Found \r\nContent-Length: 0\r\n\r\n")}, "Not  Found "},
	}
	for _, tt := range tests {
		got, seen := "", false
		prototest.Drive(Protocol, prototest.Options{OnTx: func(tx proto.Tx, done bool) {
			for _, d := range []packet.Dir{packet.ToServer, packet.ToClient} {
				for _, b := range Protocol.Buffers {
					if v, ok := b.Get(tx, 0); ok && b.Name == tt.buffer && b.Dir == d && !seen {
						got, seen = string(v), true
					}
				}
			}
		}}, tt.parts...)
		if !seen || got != tt.want {
			t.Errorf("%s: %s %q %v, want %q", tt.name, tt.buffer, got, seen, tt.want)
		}
	}
}
