package http

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

var (
	c = prototest.C
	s = prototest.S
)

const get = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n"

func gz(b string) string {
	var w bytes.Buffer
	z := gzip.NewWriter(&w)
	z.Write([]byte(b))
	z.Close()
	return w.String()
}

func deflated(b string) string {
	var w bytes.Buffer
	z, _ := flate.NewWriter(&w, 6)
	z.Write([]byte(b))
	z.Close()
	return w.String()
}

func zlibbed(b string) string {
	var w bytes.Buffer
	z := zlib.NewWriter(&w)
	z.Write([]byte(b))
	z.Close()
	return w.String()
}

func answer(extra, body string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s", extra, len(body), body)
}

// summary is what a test sees of a finished transaction.
func summary(t *Tx) string {
	return fmt.Sprintf("%s %s %s>%q %d %s<%q", t.Method, t.URI, t.Host, t.RequestBody, t.Status, t.ContentType, t.ResponseBody)
}

// run drives the parts and returns the summaries of the finished transactions.
func run(o prototest.Options, parts ...prototest.Part) (prototest.Result, []string) {
	var out []string
	o.OnTx = func(tx proto.Tx, done bool) {
		if done {
			out = append(out, summary(tx.(*Tx)))
		}
	}
	r := prototest.Drive(Protocol, o, parts...)
	return r, out
}

var messages = []struct {
	name      string
	parts     []prototest.Part
	want      []string
	anomalies string
}{
	{"get", []prototest.Part{c(get), s(answer("Content-Type: text/html; charset=x\r\n", "hi"))},
		[]string{`GET /a h>"" 200 text/html<"hi"`}, ""},
	{"line feeds alone", []prototest.Part{c("GET / HTTP/1.0\nHost: h\n\n"), s("HTTP/1.0 200 OK\nContent-Length: 2\n\nhi")},
		[]string{`GET / h>"" 200 <"hi"`}, ""},
	{"lower-case method and version", []prototest.Part{c("get / http/1.1\r\nhost: H.Example:81\r\n\r\n"), s(answer("", "x"))},
		[]string{`get / h.example>"" 200 <"x"`}, ""},
	{"absolute URI beats Host", []prototest.Part{c("GET http://u:p@A.example:8080/x HTTP/1.1\r\nHost: b\r\n\r\n"), s(answer("", "x"))},
		[]string{`GET http://u:p@A.example:8080/x a.example>"" 200 <"x"`}, ""},
	{"spaces in the URI", []prototest.Part{c("GET /a b c HTTP/1.1\r\nHost: h\r\n\r\n"), s(answer("", "x"))},
		[]string{`GET /a h>"" 200 <"x"`}, ""},
	{"pipelined", []prototest.Part{c("GET /1 HTTP/1.1\r\n\r\nPOST /2 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET /3 HTTP/1.1\r\n\r\n"),
		s(answer("", "1") + "HTTP/1.1 204 No\r\n\r\n" + answer("", "3"))},
		[]string{`GET /1 >"" 200 <"1"`, `POST /2 >"abc" 204 <""`, `GET /3 >"" 200 <"3"`}, ""},
	{"head has no body", []prototest.Part{c("HEAD / HTTP/1.1\r\n\r\n" + get), s("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + answer("", "x"))},
		[]string{`HEAD / >"" 200 <""`, `GET /a h>"" 200 <"x"`}, ""},
	{"304 with a length", []prototest.Part{c(get), s("HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n"), c(get), s(answer("", "x"))},
		[]string{`GET /a h>"" 304 <""`, `GET /a h>"" 200 <"x"`}, ""},
	{"204 with a body", []prototest.Part{c(get), s("HTTP/1.1 204 No\r\nContent-Length: 2\r\n\r\nhi")},
		[]string{`GET /a h>"" 204 <"hi"`}, "body_not_expected"},
	{"100-continue", []prototest.Part{c("POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"), s("HTTP/1.1 100 Continue\r\n\r\n"), c("ab"), s(answer("", "x"))},
		[]string{`POST / >"ab" 200 <"x"`}, ""},
	{"early answer", []prototest.Part{c("POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nab"), s("HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n"), c("cd" + get), s(answer("", "x"))},
		[]string{`POST / >"abcd" 413 <""`, `GET /a h>"" 200 <"x"`}, ""},
	{"chunked", []prototest.Part{c("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;x=\"1\"\r\nabc\r\n0000\r\nX: y\r\n\r\n"), s("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\nA\r\n0123456789\r\n0\r\n\r\n" + answer("", "no"))},
		[]string{`POST / >"abc" 200 <"hi0123456789"`, `  >"" 200 <"no"`}, "response_without_request"},
	{"chunk length invalid", []prototest.Part{c(get), s("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\nzz\r\nrest")},
		[]string{`GET /a h>"" 200 <"hizz\r\nrest"`}, "chunk_length_invalid"},
	{"chunk length with space", []prototest.Part{c(get), s("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n \t2 \r\nhi\n0\n\n")},
		[]string{`GET /a h>"" 200 <"hi"`}, ""},
	{"chunk longer than said", []prototest.Part{c(get), s("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhixx\r\n0\r\n\r\n")},
		[]string{`GET /a h>"" 200 <"hi"`}, "chunk_end_invalid"},
	{"odd transfer coding", []prototest.Part{c(get), s("HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n")},
		[]string{`GET /a h>"" 200 <"hi"`}, "transfer_encoding_invalid"},
	{"until the end", []prototest.Part{c(get), s("HTTP/1.0 200 OK\r\n\r\nhel"), s("lo")},
		[]string{`GET /a h>"" 200 <"hello"`}, ""},
	{"lengths contradict", []prototest.Part{c(get), s("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi")},
		[]string{`GET /a h>"" 200 <"hi"`}, "content_length_conflict"},
	{"length beside chunked", []prototest.Part{c(get), s("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n")},
		[]string{`GET /a h>"" 200 <"hi"`}, "content_length_with_chunked"},
	{"length invalid", []prototest.Part{c(get), s("HTTP/1.1 200 OK\r\nContent-Length: +2x\r\n\r\nhi")},
		[]string{`GET /a h>"" 200 <"hi"`}, "content_length_invalid"},
	{"folded field", []prototest.Part{c("GET / HTTP/1.1\r\nHost:\r\n  h\r\n\r\n"), s("HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n\tchunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n")},
		[]string{`GET / h>"" 200 <"hi"`}, ""},
	{"field without colon", []prototest.Part{c("GET / HTTP/1.1\r\nrubbish\r\nHost : h\r\n\r\n"), s(answer("", "x"))},
		[]string{`GET / h>"" 200 <"x"`}, "header_without_colon"},
	{"lone carriage return", []prototest.Part{c("GET / HTTP/1.1\r\nA: b\rHost: h\r\n\r\n"), s(answer("", "x"))},
		[]string{`GET / h>"" 200 <"x"`}, ""},
	{"http/0.9", []prototest.Part{c("GET /x\r\n"), s("<html>")},
		[]string{`GET /x >"" 0 <"<html>"`}, "status_line_invalid"},
	{"version forgotten", []prototest.Part{c("GET /x\r\nHost: h\r\n\r\n"), s(answer("", "x"))},
		[]string{`GET /x h>"" 200 <"x"`}, "version_missing"},
	{"version forgotten, then no field", []prototest.Part{c("GET /x\nrubbish\nHost: h\n\n"), s("hi")},
		[]string{`GET /x h>"" 0 <"hi"`}, "version_missing header_without_colon status_line_invalid"},
	{"http/0.9 twice", []prototest.Part{c("GET /x\r\nGET /y\r\n\r\n"), s("hi")},
		[]string{`GET /x >"" 0 <"hi"`, `GET /y >"" 0 <""`}, "status_line_invalid"},
	{"icy", []prototest.Part{c(get), s("ICY 200 OK\r\nContent-Type: audio/mpeg\r\n\r\nxx")},
		[]string{`GET /a h>"" 200 audio/mpeg<"xx"`}, ""},
	{"white space before the status line", []prototest.Part{c(get), s("\r\n  HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")},
		[]string{`GET /a h>"" 200 <"x"`}, ""},
	{"gzip", []prototest.Part{c(get), s(answer("Content-Encoding: gzip\r\n", gz("hello hello hello")))},
		[]string{`GET /a h>"" 200 <"hello hello hello"`}, ""},
	{"gzip members", []prototest.Part{c(get), s(answer("Content-Encoding: x-gzip\r\n", gz("hello ")+gz("hello ")+"rubbish"))},
		[]string{`GET /a h>"" 200 <"hello hello "`}, ""},
	{"zlib as deflate", []prototest.Part{c(get), s(answer("Content-Encoding: deflate\r\n", zlibbed("hello")))},
		[]string{`GET /a h>"" 200 <"hello"`}, ""},
	{"bare deflate", []prototest.Part{c(get), s(answer("Content-Encoding: deflate\r\n", deflated("hello")))},
		[]string{`GET /a h>"" 200 <"hello"`}, ""},
	{"two codings", []prototest.Part{c(get), s(answer("Content-Encoding: deflate\r\nContent-Encoding: gzip\r\n", gz(zlibbed("hello"))))},
		[]string{`GET /a h>"" 200 <"hello"`}, ""},
	{"three codings", []prototest.Part{c(get), s(answer("Content-Encoding: gzip, deflate ,gzip\r\n", gz(zlibbed(gz("hello")))))},
		[]string{`GET /a h>"" 200 <"hello"`}, "too_many_encoding_layers"},
	{"four codings", []prototest.Part{c(get), s(answer("Content-Encoding: gzip, gzip, gzip, gzip\r\n", "raw"))},
		[]string{`GET /a h>"" 200 <"raw"`}, "too_many_encoding_layers too_many_content_encodings"},
	{"brotli is kept as sent", []prototest.Part{c(get), s(answer("Content-Encoding: br\r\n", "raw"))},
		[]string{`GET /a h>"" 200 <"raw"`}, ""},
	{"said gzip, is not", []prototest.Part{c(get), s(answer("Content-Encoding: gzip\r\n", "plain text"))},
		[]string{`GET /a h>"" 200 <"plain text"`}, "content_encoding_wrong"},
	{"broken gzip", []prototest.Part{c(get), s(answer("Content-Encoding: gzip\r\n", gz("hello")[:10]+"\x00\x05\x00\xfa\xffhello\x07"))},
		[]string{`GET /a h>"" 200 <"hello"`}, "decompression_failed"},
	{"gzip request chunked", []prototest.Part{c("POST / HTTP/1.1\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n" + fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(gz("hello")), gz("hello"))), s(answer("", "x"))},
		[]string{`POST / >"hello" 200 <"x"`}, ""},
	{"rubbish between requests", []prototest.Part{c(get), s(answer("", "1")), c("extra\r\n" + get), s(answer("", "2"))},
		[]string{`GET /a h>"" 200 <"1"`, `GET /a h>"" 200 <"2"`}, "request_line_invalid"},
	{"unasked answer", []prototest.Part{c(get), s(answer("", "1") + "HTTP/1.1 408 Timeout\r\n\r\nbye")},
		[]string{`GET /a h>"" 200 <"1"`, `  >"" 408 <"bye"`}, "response_without_request"},
}

func TestMessages(t *testing.T) {
	for _, tt := range messages {
		t.Run(tt.name, func(t *testing.T) {
			for seed := uint64(0); seed < 60; seed++ {
				parts := tt.parts
				if seed > 0 {
					parts = prototest.Split(seed, parts...)
				}
				r, got := run(prototest.Options{}, parts...)
				if r.Err != nil || !slices.Equal(got, tt.want) {
					t.Fatalf("seed %d: err %v\n got %q\nwant %q", seed, r.Err, got, tt.want)
				}
				if a := strings.Join(r.Anomalies, " "); a != tt.anomalies {
					t.Fatalf("seed %d: anomalies %q, want %q", seed, a, tt.anomalies)
				}
			}
		})
	}
}
