package tls

import (
	"bytes"
	"crypto/sha1"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

func c(b ...[]byte) prototest.Part { return prototest.C(string(cat(b...))) }
func s(b ...[]byte) prototest.Part { return prototest.S(string(cat(b...))) }

func drive(parts ...prototest.Part) prototest.Result {
	return prototest.Drive(Protocol, prototest.Options{}, parts...)
}

var (
	leaf = cert([]byte{0x0a, 0xff}, rdn("\x55\x04\x03", 12, "ca"), cat(rdn("\x55\x04\x06", 19, "JP"), rdn("\x55\x04\x03", 12, "cam")),
		der(0x82, []byte("cam.example")), der(0x87, []byte{192, 0, 2, 7}), der(0x88, []byte{1}), der(0x86, []byte("https://cam.example/")))
	certMsg = msg(MsgCertificate, vec24(cat(vec24(leaf...), vec24(1, 2, 3))...)...)
	ccs     = rec(recChangeCipher, 1)
	fin     = rec(recHandshake, make([]byte, 40)...)
	data    = rec(recData, make([]byte, 100)...)
	hello12 = rec(recHandshake, msg(MsgClientHello, clientHello(0x303, u16(0xc02f), cat(sni("cam.example"), alpn("h2")))...)...)
	hello13 = rec(recHandshake, msg(MsgClientHello, chrome()...)...)
	sh12    = msg(MsgServerHello, serverHello(0x303, 0xc02f, alpn("h2"))...)
	sh13    = msg(MsgServerHello, serverHello(0x303, 0x1301, ext(43, 3, 4))...)
	again12 = msg(MsgServerHello, cat(u16(0x303), random(), vec8(0xaa, 0xbb), u16(0xc02f), []byte{0})...)
	hrr     = msg(MsgServerHello, cat(u16(0x303), retryRandom, vec8(), u16(0x1301), []byte{0}, vec16(ext(43, 3, 4)...))...)
	rest12  = cat(msg(msgServerKeyExchange, 1, 2), msg(msgServerHelloDone))
)

// full12 is a handshake of TLS 1.2, the server's flight in one record.
func full12() []prototest.Part {
	return []prototest.Part{c(hello12), s(rec(recHandshake, cat(sh12, certMsg, rest12)...)),
		c(rec(recHandshake, msg(16, 1, 2)...), ccs, fin), s(ccs, fin), c(data), s(data)}
}

const full12JSON = `"tls":{"subject":"C=JP, CN=cam","issuerdn":"CN=ca","serial":"0A:FF",` +
	`"fingerprint":"FP","sni":"cam.example","version":"TLS 1.2","notbefore":"1999-12-31T23:59:59","notafter":"2055-12-31T12:00:00",` +
	`"ja3":{"hash":"c0d5fef2fe90cff012acce3a48f7eb6e","string":"771,49199,0-16,,"},"ja4":"t12d0102h2_f06271c2b022_000000000000",` +
	`"ja3s":{"hash":"896415616b22361262d7a961b6325cfd","string":"771,49199,16"},"client_alpns":["h2"],"server_alpns":["h2"],` +
	`"subjectaltname":["cam.example","192.0.2.7","https://cam.example/"]}`

func TestFull12(t *testing.T) {
	r := drive(full12()...)
	if r.Err != nil || !r.Finished || len(r.Anomalies) > 0 || r.Emits != 4 || r.Done != 1 {
		t.Fatalf("%+v", r)
	}
	sum := sha1.Sum(leaf)
	want := strings.Replace(full12JSON, "FP", string(appendColons(nil, sum[:], false)), 1)
	if r.Events[0] != want {
		t.Errorf("got\n%s\nwant\n%s", r.Events[0], want)
	}
}

// A stream parser must give the same for every segmentation.
func TestSegments(t *testing.T) {
	whole := drive(full12()...)
	for seed := range uint64(200) {
		r := drive(prototest.Split(seed, full12()...)...)
		if r.Joined() != whole.Joined() || r.Emits != whole.Emits || !r.Finished {
			t.Fatalf("seed %d: %+v", seed, r)
		}
	}
}

// Handshakes split over records, down to one byte each, several messages in one.
func TestRecords(t *testing.T) {
	whole := drive(full12()...)
	for _, n := range []int{1, 2, 3, 4, 5, 7, 64} {
		cut := func(m []byte) []byte {
			var out []byte
			for p := range slices.Chunk(m, n) {
				out = append(out, rec(recHandshake, p...)...)
			}
			return out
		}
		parts := full12()
		parts[0] = c(cut(hello12[5:]))
		parts[1] = s(cut(cat(sh12, certMsg, rest12)))
		r := drive(prototest.Split(uint64(n), parts...)...)
		if r.Joined() != whole.Joined() {
			t.Errorf("records of %d: %+v", n, r)
		}
		if p := probe(packet.ToServer, parts[0].Data); p != proto.Yes {
			t.Errorf("records of %d: probe says %v", n, p)
		}
	}
}

func TestHandshakes(t *testing.T) {
	alert := rec(recAlert, 2, 40)
	for _, x := range []struct {
		name     string
		parts    []prototest.Part
		emits    int
		finished bool
		want     []string // members of the one event; none: no event
		not      string
	}{
		{"TLS 1.3", []prototest.Part{c(hello13), s(rec(22, sh13...), ccs, data), c(ccs, data)}, 3, true,
			[]string{`"version":"TLS 1.3"`, `"sni":"www.example.com"`, `"ja4":"t13d1516h2_8daaf6152771_e5627efa2ab1"`}, "resumed"},
		{"TLS 1.3 without ChangeCipherSpec", []prototest.Part{c(hello13), s(rec(22, sh13...), data), c(data)}, 3, true, []string{`"TLS 1.3"`}, "resumed"},
		{"TLS 1.3 with early data", []prototest.Part{c(hello13, ccs, data), s(rec(22, sh13...), ccs, data)}, 3, true, []string{`"TLS 1.3"`}, "resumed"},
		{"TLS 1.3 resumed", []prototest.Part{c(hello13), s(rec(22, msg(2, serverHello(0x303, 0x1301, cat(ext(43, 3, 4), ext(41, 0, 0)))...)...), data), c(data)}, 3, true,
			[]string{`"session_resumed":true`}, "subject"},
		{"HelloRetryRequest", []prototest.Part{c(hello13), s(rec(22, hrr...), ccs), c(ccs, hello12), s(rec(22, sh13...), data), c(data)}, 3, true,
			[]string{`"sni":"www.example.com"`, `"TLS 1.3"`}, "cam.example"},
		{"TLS 1.2 resumed", []prototest.Part{c(hello12), s(rec(22, again12...), ccs, fin), c(ccs, fin)}, 3, true, []string{`"session_resumed":true`}, "subject"},
		{"TLS 1.2 resumed with a new ticket", []prototest.Part{c(hello12), s(rec(22, cat(again12, msg(4, 1))...), ccs, fin), c(ccs, fin)}, 3, true, []string{`"session_resumed":true`}, "subject"},
		{"certificate not seen, another session", []prototest.Part{c(hello12), s(rec(22, sh12...), ccs, fin), c(ccs, fin)}, 3, true, []string{`"TLS 1.2"`}, "resumed"},
		{"anonymous key exchange", []prototest.Part{c(hello12), s(rec(22, cat(sh12, rest12)...), ccs), c(ccs)}, 3, true, []string{`"TLS 1.2"`}, "resumed"},
		{"client certificate", []prototest.Part{c(hello12), s(rec(22, cat(sh12, certMsg, rest12)...)), c(rec(22, certMsg...), ccs), s(ccs)}, 5, true,
			[]string{`"client":{"subject":"C=JP, CN=cam"`}, "resumed"},
		{"client only", []prototest.Part{c(hello12), c(rec(22, msg(16, 1)...), ccs, fin, data)}, 2, false, []string{`"sni":"cam.example"`}, `"version"`},
		{"server only", []prototest.Part{s(rec(22, cat(sh12, certMsg)...), ccs, data)}, 3, false, []string{`"subject":"C=JP, CN=cam"`, `"TLS 1.2"`}, "ja4"},
		{"sides exchanged", []prototest.Part{s(hello12), c(rec(22, cat(sh12, certMsg, rest12)...), ccs), s(ccs)}, 4, true, []string{`"tls":{"subject":"C=JP, CN=cam"`}, "client\":{"},
		{"refused", []prototest.Part{c(hello12), s(alert), c(data)}, 2, true, []string{`"sni"`}, `"version"`},
		{"warning only", []prototest.Part{c(hello12), s(rec(recAlert, 1, 112), rec(22, sh12...))}, 3, false, []string{`"TLS 1.2"`}, "resumed"},
		{"data only", []prototest.Part{c(data), s(data)}, 0, true, nil, ""},
		{"Finished only", []prototest.Part{c(rec(22, bytes.Repeat([]byte{0xee}, 40)...)), s(rec(22, bytes.Repeat([]byte{0xdd}, 40)...))}, 0, true, nil, ""},
		{"ChangeCipherSpec before the hello", []prototest.Part{c(ccs, hello12), s(ccs, rec(22, sh12...))}, 3, false, []string{`"sni":"cam.example"`, `"TLS 1.2"`}, "resumed"},
		{"heartbeat", []prototest.Part{c(hello12, rec(recHeartbeat, 1, 0, 3, 1, 2, 3)), s(rec(22, sh12...))}, 3, false, []string{`"TLS 1.2"`}, ""},
	} {
		r := drive(x.parts...)
		if r.Err != nil || r.Emits != x.emits || r.Finished != x.finished || len(r.Anomalies) != 0 || len(r.Events) != min(1, len(x.want)) {
			t.Errorf("%s: %+v", x.name, r)
			continue
		}
		for _, w := range x.want {
			if !strings.Contains(r.Events[0], w) {
				t.Errorf("%s: no %s in %s", x.name, w, r.Events[0])
			}
		}
		if x.not != "" && strings.Contains(r.Joined(), x.not) {
			t.Errorf("%s: %s in %s", x.name, x.not, r.Events[0])
		}
	}
}

func TestViolations(t *testing.T) {
	tooLong := cat([]byte{22, 3, 1}, vec16(cat([]byte{MsgCertificate, 0x01, 0, 1}, make([]byte, 100))...))
	var certs []byte
	for range MaxCerts + 1 {
		certs = append(certs, vec24(leaf...)...)
	}
	var exts []byte
	for i := range MaxExtensions + 1 {
		exts = append(exts, ext(1000+i)...)
	}
	hello := func(exts []byte) []byte {
		return rec(22, msg(1, clientHello(0x303, u16(1), exts)...)...)
	}
	for _, x := range []struct {
		name    string
		parts   []prototest.Part
		anomaly string // "" : an error instead
	}{
		{"handshake too long", []prototest.Part{s(tooLong)}, "handshake_too_long"},
		{"too many certificates", []prototest.Part{s(rec(22, msg(MsgCertificate, vec24(certs...)...)...))}, "too_many_certificates"},
		{"certificate is none", []prototest.Part{s(rec(22, msg(MsgCertificate, vec24(vec24(1, 2, 3)...)...)...))}, "malformed_certificate"},
		{"certificate list too long", []prototest.Part{s(rec(22, msg(MsgCertificate, 0, 1, 0)...))}, "malformed_certificate"},
		{"certificate list empty", []prototest.Part{s(rec(22, msg(MsgCertificate, 0)...))}, "malformed_certificate"},
		{"too many extensions", []prototest.Part{c(hello(exts))}, "too_many_extensions"},
		{"too many ciphers", []prototest.Part{c(rec(22, msg(1, clientHello(0x303, make([]byte, 2*MaxList+2), nil)...)...))}, "list_too_long"},
		{"too many groups", []prototest.Part{c(hello(ext(10, vec16(make([]byte, 2*MaxList+2)...)...)))}, "list_too_long"},
		{"bad extension", []prototest.Part{c(hello(ext(10, 0, 9)))}, "malformed_extension"},
		{"short hello", []prototest.Part{c(rec(22, msg(1, 3, 3, 1)...))}, "malformed_client_hello"},
		{"short server hello", []prototest.Part{s(rec(22, msg(2, 3, 3, 1)...))}, "malformed_server_hello"},
		{"two hellos", []prototest.Part{c(hello12, hello13)}, "client_hello_repeated"},
		{"two server hellos", []prototest.Part{s(rec(22, cat(sh12, sh13)...))}, "server_hello_repeated"},
		{"not a record", []prototest.Part{c(hello12, []byte("GET / HTTP/1.1\r\n"))}, ""},
		{"record too long", []prototest.Part{c(hello12, []byte{23, 3, 3, 0x48, 1})}, ""},
	} {
		for seed := range uint64(10) {
			r := drive(prototest.Split(seed, x.parts...)...)
			if x.anomaly == "" && r.Err != errRecord || x.anomaly != "" && (r.Err != nil || !slices.Equal(r.Anomalies, []string{x.anomaly})) {
				t.Errorf("%s, seed %d: error %v, anomalies %v", x.name, seed, r.Err, r.Anomalies)
			}
		}
	}
}

// A handshake of exactly the limit is read, through any segmentation; what
// follows an oversized one is still understood.
func TestHandshakeLimit(t *testing.T) {
	big := msg(MsgClientHello, clientHello(0x303, u16(1), ext(0x9999, make([]byte, MaxHandshake-49)...))...)
	if len(big) != 4+MaxHandshake {
		t.Fatalf("test message has %d bytes", len(big)-4)
	}
	records := func(m []byte) (out []byte) {
		for p := range slices.Chunk(m, 16000) {
			out = append(out, rec(22, p...)...)
		}
		return out
	}
	if r := drive(prototest.Split(1, c(records(big)))...); r.Emits != 2 || len(r.Anomalies) != 0 {
		t.Errorf("at the limit: %d emits, %v", r.Emits, r.Anomalies)
	}
	over := append(big, 0)
	over[1], over[2], over[3] = 1, 0, 1
	r := drive(prototest.Split(2, s(records(append(over, cat(sh12, certMsg)...))))...)
	if r.Emits != 3 || !slices.Equal(r.Anomalies, []string{"handshake_too_long"}) {
		t.Errorf("over the limit: %d emits, %v", r.Emits, r.Anomalies)
	}
}

// One side alone is followed for a while only.
func TestOneSided(t *testing.T) {
	big := rec(recData, make([]byte, 16<<10)...)
	parts := []prototest.Part{c(hello12)}
	for range maxOneSided/(16<<10) + 1 {
		parts = append(parts, c(big))
	}
	if r := drive(parts[:len(parts)-1]...); r.Finished {
		t.Error("finished at the limit")
	}
	if r := drive(parts...); !r.Finished || r.Done != 1 {
		t.Errorf("beyond the limit: finished %v, done %d", r.Finished, r.Done)
	}
}

func TestGap(t *testing.T) {
	flight := rec(22, cat(sh12, certMsg)...)
	tail := rec(22, rest12...)
	cut := 5 + len(sh12) + 30 // within the certificate
	lost := 100
	part := func(b []byte, gap int) prototest.Part {
		return prototest.Part{Dir: packet.ToClient, Data: b, Gap: gap}
	}
	r := drive(c(hello12), s(flight[:cut]), part(cat(flight[cut+lost:], tail, ccs, fin), lost), c(ccs, fin))
	if r.Err != nil || !r.Finished || r.Done != 1 || strings.Contains(r.Joined(), "subject") || strings.Contains(r.Joined(), "resumed") {
		t.Errorf("within a record: %+v", r)
	}
	r = drive(c(hello12), s(rec(22, sh12...), rec(22, certMsg...)[:100]), part([]byte("anything"), 2000), c(ccs, fin, data))
	if r.Err != nil || !r.Finished || r.Done != 1 || !strings.Contains(r.Joined(), "TLS 1.2") {
		t.Errorf("beyond a record: %+v", r)
	}
	// Behind a gap the middle of a message may look like the start of one.
	lure := rec(22, cat(msg(MsgCertificate, vec24(vec24(leaf...)...)...)[:20], make([]byte, 100))...)
	r = drive(c(hello12), s(rec(22, sh12...), lure[:30]), part(cat(lure[60:], rec(22, certMsg...)), 30))
	if !strings.Contains(r.Joined(), "C=JP") {
		t.Errorf("not taken up again: %+v", r)
	}
	r = prototest.Drive(Protocol, prototest.Options{}, prototest.Part{Dir: packet.ToServer, Gap: 10, Data: hello12})
	if r.Err != nil || r.Emits != 0 {
		t.Errorf("gap at the start: %+v", r)
	}
}

func TestHello2(t *testing.T) {
	body := cat([]byte{1, 3, 1}, u16(12, 0, 16), []byte{1, 0, 0x80, 0, 0, 4, 0, 0, 5, 7, 0, 0xc0}, make([]byte, 16))
	hello := cat(u16(0x8000|len(body)), body)
	for n := range hello {
		if m := probe(packet.ToServer, hello[:n]); n < 11 && m != proto.More || n >= 11 && m != proto.Yes {
			t.Errorf("probe of %d bytes: %v", n, m)
		}
	}
	for seed := range uint64(5) {
		r := drive(prototest.Split(seed, c(hello), s(rec(22, cat(sh12, certMsg, rest12)...), ccs), c(ccs))...)
		if r.Err != nil || !r.Finished || !strings.Contains(r.Joined(), `"string":"769,4-5,,,"`) || !strings.Contains(r.Joined(), `"ja4":"t10i020000_`) {
			t.Errorf("%+v", r)
		}
	}
	if r := drive(c(hello), s([]byte{0x84, 0, 4, 0, 1, 0, 2})); !r.Finished || !strings.Contains(r.Joined(), `"version":"SSLv2"`) || strings.Contains(r.Joined(), "ja3s") {
		t.Errorf("SSLv2 server: %+v", r)
	}
	for name, b := range map[string][]byte{
		"answer":    {0x84, 0, 4, 0, 1, 0, 2},
		"length":    cat(u16(0x8000|len(body)+1), body, []byte{0}),
		"too long":  cat(u16(0x8000|maxHello2+1), body),
		"type":      cat(u16(0x8000|len(body)), []byte{2}, body[1:]),
		"version":   cat(u16(0x8000|len(body)), []byte{1, 5, 1}, body[3:]),
		"specs":     cat(u16(0x8000|len(body)), []byte{1, 3, 1}, u16(11, 0, 17), body[9:]),
		"challenge": cat(u16(0x8000|len(body)-1), []byte{1, 3, 1}, u16(12, 0, 15), body[9:len(body)-1]),
	} {
		if m := probe(packet.ToServer, b); m != proto.No {
			t.Errorf("%s: probe says %v", name, m)
		}
		if r := drive(c(b)); r.Err != errRecord || r.Emits != 0 {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestBuffers(t *testing.T) {
	got := map[string]string{}
	prototest.Drive(Protocol, prototest.Options{OnTx: func(tx proto.Tx, done bool) {
		if !done {
			return
		}
		for _, b := range Protocol.Buffers {
			for i := 0; ; i++ {
				v, ok := b.Get(tx, i)
				if !ok {
					break
				}
				got[fmt.Sprintf("%s %s %d", b.Name, b.Dir, i)] = string(v)
			}
		}
	}}, []prototest.Part{c(hello12), s(rec(22, cat(sh12, certMsg, rest12)...)), c(rec(22, certMsg...), ccs), s(ccs)}...)
	for k, w := range map[string]string{
		"tls.sni to_server 0":            "cam.example",
		"tls.alpn to_server 0":           "h2",
		"tls.alpn to_client 0":           "h2",
		"tls.version to_client 0":        "TLS 1.2",
		"tls.random to_server 0":         string(random()),
		"tls.random_time to_client 0":    string(random()[:4]),
		"tls.random_bytes to_client 0":   string(random()[4:]),
		"tls.cert_subject to_client 0":   "C=JP, CN=cam",
		"tls.cert_subject to_server 0":   "C=JP, CN=cam",
		"tls.cert_issuer to_client 0":    "CN=ca",
		"tls.cert_serial to_client 0":    "0A:FF",
		"tls.certs to_client 0":          string(leaf),
		"tls.certs to_client 1":          "\x01\x02\x03",
		"tls.subjectaltname to_client 1": "192.0.2.7",
		"tls.subjectaltname to_client 2": "https://cam.example/",
		"ja3.string to_server 0":         "771,49199,0-16,,",
		"ja3s.string to_client 0":        "771,49199,16",
	} {
		if got[k] != w {
			t.Errorf("%s: got %q, want %q", k, got[k], w)
		}
	}
	for _, k := range []string{"tls.certs to_client 2", "tls.subjectaltname to_client 3", "tls.alpn to_server 1", "ja3.hash to_server 1"} {
		if v, ok := got[k]; ok {
			t.Errorf("%s: %q", k, v)
		}
	}
	for _, b := range Protocol.Buffers {
		if _, ok := b.Get(otherTx{}, 0); ok {
			t.Errorf("%s of a foreign transaction", b.Name)
		}
		if _, ok := b.Get(new(Tx), 0); ok {
			t.Errorf("%s of an empty transaction", b.Name)
		}
		if got[b.Name+" "+b.Dir.String()+" 0"] == "" {
			t.Errorf("%s %s has no value", b.Name, b.Dir)
		}
	}
}

type otherTx struct{}

func (otherTx) EventType() event.Type    { return "" }
func (otherTx) EncodeEVE(*event.Encoder) {}

func TestProbe(t *testing.T) {
	for _, x := range []struct {
		name string
		b    []byte
		want proto.Match
	}{
		{"ClientHello", hello12, proto.Yes},
		{"ServerHello", rec(22, sh12...), proto.Yes},
		{"ClientHello begun", hello12[:11], proto.Yes},
		{"certificate", rec(22, certMsg...), proto.Yes},
		{"alert", rec(recAlert, 2, 40), proto.Yes},
		{"ChangeCipherSpec", ccs, proto.Yes},
		{"data", data, proto.Weak},
		{"data and the next record's header", cat(data, data[:5]), proto.Yes},
		{"data cut", data[:50], proto.Weak},
		{"encrypted handshake", rec(22, bytes.Repeat([]byte{0xee}, 40)...), proto.Weak},
		{"nothing", nil, proto.More},
		{"one byte", hello12[:1], proto.More},
		{"header", hello12[:5], proto.More},
		{"eight bytes of hello", hello12[:8], proto.More},
		{"HTTP", []byte("GET / HTTP/1.1\r\n\r\n"), proto.No},
		{"SMB", []byte("\x00\x00\x00\x85\xffSMBr"), proto.No},
		{"text after the type", []byte("\x16\x03 is Ctrl-V"), proto.No},
		{"SSH", []byte("SSH-2.0-OpenSSH_9.2"), proto.No},
		{"data and text", cat(data, []byte("GET")), proto.No},
		{"major version", []byte{22, 2, 1, 0, 50, 1}, proto.No},
		{"minor version", []byte{23, 3, 5, 0, 50, 1}, proto.No},
		{"record too long", []byte{22, 3, 1, 0x48, 1, 1}, proto.No},
		{"empty handshake record", []byte{22, 3, 1, 0, 0}, proto.Weak},
		{"empty handshake records before a hello", cat(bytes.Repeat([]byte{22, 3, 1, 0, 0}, maxEmpty), hello12), proto.Yes},
		{"empty handshake record before text", []byte("\x16\x03\x01\x00\x00GET / HTTP"), proto.No},
		{"hello in a record of version 3.9", cat([]byte{22, 3, 9}, hello12[3:]), proto.Yes},
		{"hello in a record of version 3.9, cut", cat([]byte{22, 3, 9}, hello12[3:8]), proto.More},
		{"part of a hello in a record of version 3.9", cat([]byte{22, 3, 9}, rec(22, hello12[5:30]...)[3:]), proto.No},
		{"hello of version 3.9", rec(22, msg(1, clientHello(0x309, u16(1), nil)...)...), proto.Yes},
		{"hello of unknown version", rec(22, msg(1, 7, 7, 0, 0)...), proto.No},
		{"alert of level 5", rec(recAlert, 5, 0), proto.No},
		{"ChangeCipherSpec of 2", rec(recChangeCipher, 2), proto.No},
		{"DTLS", []byte{22, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 50, 1}, proto.No},
	} {
		if got := probe(packet.ToServer, x.b); got != x.want {
			t.Errorf("%s: %v, want %v", x.name, got, x.want)
		}
	}
	// A prefix of what is TLS is never refused.
	for _, b := range [][]byte{hello12, rec(22, sh12...), cat(ccs, fin), cat(data, data), rec(recAlert, 2, 40)} {
		for n := range b {
			if probe(packet.ToClient, b[:n]) == proto.No {
				t.Errorf("%d bytes of %x refused", n, b[:min(8, len(b))])
			}
		}
	}
}
