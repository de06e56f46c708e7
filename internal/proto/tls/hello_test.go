package tls

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"testing"
)

func TestClientHelloFields(t *testing.T) {
	var ch ClientHello
	if err := ParseClientHello(chrome(), &ch); err != nil {
		t.Fatal(err)
	}
	if ch.Version != 0x303 || string(ch.SNI) != "www.example.com" || !ch.GREASE || ch.Malformed || ch.Padding != 17 ||
		ch.NumExt != 18 || !bytes.Equal(ch.SessionID, []byte{0xaa, 0xbb}) || ch.MaxVersion() != 0x304 || ch.Ticket == nil ||
		!bytes.Equal(ch.PSKModes, []byte{1}) || ch.DTLS || ch.PSK || ch.EarlyData || ch.ECH {
		t.Errorf("%+v", ch)
	}
	if v, ok := ALPNAt(ch.ALPN, 1); !ok || string(v) != "http/1.1" {
		t.Errorf("second ALPN %q %v", v, ok)
	}
	if _, ok := ALPNAt(ch.ALPN, 2); ok {
		t.Error("a third ALPN")
	}
	if g, n, ok := ch.KeyShareAt(1); g != 29 || n != 32 || !ok {
		t.Errorf("key share %d %d %v", g, n, ok)
	}
	if _, _, ok := ch.KeyShareAt(2); ok {
		t.Error("a third key share")
	}
}

func TestClientHelloFlags(t *testing.T) {
	body := clientHello(0xfefd, u16(0x1301), cat(ext(ExtPreSharedKey), ext(ExtEarlyData), ext(ExtECH, 1), ext(ExtESNI),
		ext(ExtQUICParameters, 9, 9), ext(ExtSupportedVersions, vec8(u16(0xfefd, 0xfefc)...)...)))
	var ch ClientHello
	if err := ParseClientHello(body, &ch); err != nil {
		t.Fatal(err)
	}
	if !ch.DTLS || !bytes.Equal(ch.Cookie, []byte{1, 2, 3}) || !ch.PSK || !ch.EarlyData || !ch.ECH || !ch.ESNI ||
		!bytes.Equal(ch.QUICParams, []byte{9, 9}) || ch.MaxVersion() != VersionDTLS13 {
		t.Errorf("%+v", ch)
	}
}

// Every proper prefix is either refused or, once the compression methods are
// complete, kept as far as it goes.
func TestClientHelloCut(t *testing.T) {
	body := chrome()
	var whole ClientHello
	if err := ParseClientHello(body, &whole); err != nil {
		t.Fatal(err)
	}
	fixed := 2 + 32 + 3 + 2 + 32 + 2
	for n := range len(body) {
		var ch ClientHello
		err := ParseClientHello(body[:n], &ch)
		if (err != nil) != (n < fixed) {
			t.Fatalf("%d bytes: %v", n, err)
		}
		if n > fixed && !ch.Malformed {
			t.Fatalf("%d bytes: not marked as malformed", n)
		}
		if ch.NumExt > whole.NumExt {
			t.Fatalf("%d bytes: %d extensions", n, ch.NumExt)
		}
	}
}

func TestClientHelloMalformed(t *testing.T) {
	for name, exts := range map[string][]byte{
		"name longer than list":   ext(0, 0, 5, 0, 0, 9, 'a', 'b'),
		"list longer than block":  ext(10, 0, 9, 1),
		"ALPN name beyond list":   ext(16, 0, 2, 9, 'h'),
		"point formats too long":  ext(11, 5, 1),
		"extension beyond block":  {0, 10, 0, 9, 1},
		"block ends in a header":  {0, 10, 0},
		"signature algorithms":    ext(13, 0),
		"supported versions":      ext(43, 8, 3),
		"key shares beyond block": ext(51, 1, 0, 0),
	} {
		var ch ClientHello
		if err := ParseClientHello(clientHello(0x303, u16(1), exts), &ch); err != nil || !ch.Malformed {
			t.Errorf("%s: error %v, malformed %v", name, err, ch.Malformed)
		}
	}
	odd := cat(u16(0x303), random(), vec8(), vec16(0, 1, 2), vec8(0))
	var ch ClientHello
	if err := ParseClientHello(odd, &ch); err != nil || !ch.Malformed || len(ch.Ciphers) != 2 {
		t.Errorf("odd cipher list: %v %+v", err, ch)
	}
	long := cat(u16(0x303), random(), vec8(make([]byte, 33)...), vec16(0, 1), vec8(0))
	if err := ParseClientHello(long, &ch); err != ErrHello {
		t.Errorf("session id of 33 bytes: %v", err)
	}
}

func TestMaxExtensions(t *testing.T) {
	var exts []byte
	for i := range MaxExtensions + 3 {
		exts = append(exts, ext(1000+i)...)
	}
	var ch ClientHello
	if err := ParseClientHello(clientHello(0x303, u16(1), exts), &ch); err != nil {
		t.Fatal(err)
	}
	if !ch.TooMany || ch.NumExt != MaxExtensions || len(ch.Extensions) != 4*MaxExtensions {
		t.Errorf("too many %v, %d extensions, %d bytes", ch.TooMany, ch.NumExt, len(ch.Extensions))
	}
	ch = ClientHello{}
	if ParseClientHello(clientHello(0x303, u16(1), exts[:4*MaxExtensions]), &ch); ch.TooMany {
		t.Error("exactly the limit is too many")
	}
}

func TestMaxList(t *testing.T) {
	var ch ClientHello
	body := clientHello(0x303, bytes.Repeat([]byte{0, 1}, MaxList), ext(13, vec16(bytes.Repeat([]byte{4, 3}, MaxList+1)...)...))
	if err := ParseClientHello(body, &ch); err != nil || len(ch.Ciphers) != 2*MaxList || len(ch.SigAlgs) != 2*MaxList || !ch.LongList {
		t.Errorf("%v, %d ciphers, %d algorithms, marked %v", err, len(ch.Ciphers)/2, len(ch.SigAlgs)/2, ch.LongList)
	}
	if ParseClientHello(body[:len(body)-2*MaxList-12], &ch); ch.LongList {
		t.Error("exactly the limit is too long")
	}
}

func TestServerHello(t *testing.T) {
	var sh ServerHello
	body := serverHello(0x303, 0xc02f, cat(alpn("h2"), ext(ExtSessionTicket), ext(0xff01, 0)))
	if err := ParseServerHello(body, &sh); err != nil || sh.Selected != 0x303 || sh.Cipher != 0xc02f || string(sh.ALPN) != "h2" || !sh.Ticket || sh.Malformed {
		t.Errorf("TLS 1.2: %v %+v", err, sh)
	}
	body = serverHello(0x303, 0x1301, cat(ext(43, 3, 4), ext(51, cat(u16(29), vec16(1))...), ext(41, 0, 0)))
	if err := ParseServerHello(body, &sh); err != nil || sh.Selected != 0x304 || sh.Group != 29 || !sh.PSK || sh.Retry {
		t.Errorf("TLS 1.3: %v %+v", err, sh)
	}
	body = cat(u16(0x7f12), random(), u16(0x1301), vec16(ext(40, 0)...))
	if err := ParseServerHello(body, &sh); err != nil || sh.Selected != 0x7f12 || sh.Cipher != 0x1301 || len(sh.Extensions) != 5 {
		t.Errorf("draft 18: %v %+v", err, sh)
	}
	body = cat(u16(0x303), retryRandom, vec8(), u16(0x1301), []byte{0}, vec16(ext(43, 3, 4)...))
	if err := ParseServerHello(body, &sh); err != nil || !sh.Retry {
		t.Errorf("HelloRetryRequest: %v %+v", err, sh)
	}
	for n := range 2 + 32 + 1 + 2 + 1 {
		if ParseServerHello(body[:n], &sh) == nil {
			t.Errorf("%d bytes are a ServerHello", n)
		}
	}
}

func TestJA3(t *testing.T) {
	for _, c := range []struct {
		name string
		body []byte
		want string
	}{
		{"Chrome, GREASE left out", chrome(), "771,4865-4866-4867-49195-49199-49196-49200-52393-52392-49171-49172-156-157-47-53," +
			"0-23-65281-10-11-35-16-5-13-18-51-45-43-27-17513-21,29-23-24,0"},
		// The example of the JA3 paper for a hello without extensions.
		{"no extensions", clientHello(0x301, u16(4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99), nil), "769,4-5-10-9-100-98-3-6-19-18-99,,,"},
		{"empty block", clientHello(0x301, u16(4), []byte{}), "769,4,,,"},
	} {
		var ch ClientHello
		if err := ParseClientHello(c.body, &ch); err != nil {
			t.Fatal(err)
		}
		if got := string(AppendJA3(nil, &ch)); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
		var p Prints
		sum := md5.Sum([]byte(c.want))
		if got := string(p.JA3Hash(&ch)); got != hex.EncodeToString(sum[:]) {
			t.Errorf("%s: hash %s", c.name, got)
		}
	}
	var ch ClientHello
	var p Prints
	ParseClientHello(clientHello(0x301, u16(4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99), nil), &ch)
	if got := string(p.JA3Hash(&ch)); got != "de350869b8c85de67a350c8d186f11e6" { // as the authors publish it
		t.Errorf("published hash: %s", got)
	}
	var sh ServerHello
	ParseServerHello(serverHello(0x303, 0xc02f, cat(ext(0xff01, 0), ext(0x0a0a), ext(16), ext(11))), &sh)
	if got := string(AppendJA3S(nil, &sh)); got != "771,49199,65281-16-11" {
		t.Errorf("JA3S %s", got)
	}
}

func TestJA4(t *testing.T) {
	exts := func(e ...[]byte) []byte { return clientHello(0x303, u16(0x2f), cat(e...)) }
	var many []byte
	for i := range 120 {
		many = append(many, ext(2000+i)...)
	}
	for _, c := range []struct {
		name string
		over byte
		body []byte
		want string // "" in a place: not compared
	}{
		// The example that FoxIO's specification computes step by step.
		{"FoxIO example", OverTCP, chrome(), "t13d1516h2_8daaf6152771_e5627efa2ab1"},
		{"over QUIC", OverQUIC, chrome(), "q13d1516h2_8daaf6152771_e5627efa2ab1"},
		{"nothing", OverTCP, clientHello(0x301, nil, nil), "t10i000000_000000000000_000000000000"},
		{"SSL 3", OverTCP, clientHello(0x300, nil, nil), "ts3i000000_000000000000_000000000000"},
		{"TLS 1.1", OverTCP, clientHello(0x302, nil, nil), "t11i000000_000000000000_000000000000"},
		{"DTLS 1.2", OverDTLS, clientHello(0xfefd, nil, nil), "dd2i000000_000000000000_000000000000"},
		{"DTLS 1.0", OverDTLS, clientHello(0xfeff, nil, nil), "dd1i000000_000000000000_000000000000"},
		{"DTLS 1.3", OverDTLS, clientHello(0xfefd, nil, ext(43, vec8(u16(0xfefd, 0xfefc)...)...)), "dd3i000100_000000000000_"},
		{"unknown version", OverTCP, clientHello(0x399, nil, nil), "t00i000000_000000000000_000000000000"},
		{"at most 99", OverTCP, clientHello(0x303, bytes.Repeat(u16(0x2f), 200), many), "t12i999900_"},
		{"empty ALPN", OverTCP, exts(ext(ExtALPN, vec16()...)), "t12i010100_"},
		{"ALPN of one letter", OverTCP, exts(alpn("z")), "t12i0101zz_"},
		{"ALPN not alphanumeric", OverTCP, exts(alpn("\xab\xcd")), "t12i0101ad_"},
		{"ALPN ends in a sign", OverTCP, exts(alpn("h2-")), "t12i01016d_"},
		{"ALPN begins with GREASE", OverTCP, exts(alpn("\xba\xba", "h2")), "t12i0101ba_"},
		{"only server name and ALPN", OverTCP, exts(sni("a"), alpn("h2")), "t12d0102h2_ba72b8082249_000000000000"},
	} {
		var ch ClientHello
		if err := ParseClientHello(c.body, &ch); err != nil {
			t.Fatal(c.name, err)
		}
		var p Prints
		got := string(p.JA4(&ch, c.over))
		if len(got) != 36 || got[:len(c.want)] != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}
