package tls

import (
	"encoding/hex"
	"testing"
)

// The hellos of RFC 8448 section 3, "Simple 1-RTT Handshake".
const (
	helloRFC8448 = "010000c00303cb34ecb1e78163ba1c38c6dacb196a6dffa21a8d9912ec18a2ef6283024dece7000006130113031302010000910000000b0009000006736572766572" +
		"ff01000100000a00140012001d0017001800190100010101020103010400230000003300260024001d002099381de560e4bd43d23d8e435a7dbafeb3c06e51c13cae4d" +
		"5413691e529aaf2c002b0003020304000d0020001e040305030603020308040805080604010501060102010402050206020202002d00020101001c00024001"
	answerRFC8448 = "020000560303a6af06a4121860dc5e6e60249cd34c95930c8ac5cb1434dac155772ed3e2692800130100002e00330024001d0020c9828876112095fe66762bdbf7c672e1" +
		"56d6cc253b833df1dd69b1b04e751f0f002b00020304"
)

func TestRFC8448(t *testing.T) {
	b, err := hex.DecodeString(helloRFC8448)
	if err != nil || len(b) != 4+u24(b[1:]) {
		t.Fatal(err, len(b))
	}
	var ch ClientHello
	if err := ParseClientHello(b[4:], &ch); err != nil || ch.Malformed || ch.GREASE {
		t.Fatalf("%v %+v", err, ch)
	}
	g, n, ok := ch.KeyShareAt(0)
	if string(ch.SNI) != "server" || ch.NumExt != 9 || ch.MaxVersion() != VersionTLS13 || len(ch.SigAlgs) != 30 || g != 29 || n != 32 || !ok {
		t.Errorf("%+v", ch)
	}
	const ja3 = "771,4865-4867-4866,0-65281-10-35-51-43-13-45-28,29-23-24-25-256-257-258-259-260,"
	if got := string(AppendJA3(nil, &ch)); got != ja3 {
		t.Errorf("JA3 %s", got)
	}
	b, err = hex.DecodeString(answerRFC8448)
	if err != nil || len(b) != 4+u24(b[1:]) {
		t.Fatal(err, len(b))
	}
	var sh ServerHello
	if err := ParseServerHello(b[4:], &sh); err != nil || sh.Malformed || sh.Selected != VersionTLS13 || sh.Cipher != 0x1301 || sh.Group != 29 || sh.Retry {
		t.Errorf("%v %+v", err, sh)
	}
}
