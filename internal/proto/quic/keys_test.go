package quic

import (
	"bytes"
	"encoding/hex"
	"testing"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The keys of RFC 9001 appendix A.1 and RFC 9369 appendix A.1.
func TestKeys(t *testing.T) {
	dcid := unhex(t, "8394c8f03e515708")
	for _, x := range []struct {
		name           string
		suite          *suite
		client, server string
		ck, civ, chp   string
		sk, siv, shp   string
	}{
		{"version 1", &suite1,
			"c00cf151ca5be075ed0ebfb5c80323c42d6b7db67881289af4008f1f6c357aea", "3c199828fd139efd216c155ad844cc81fb82fa8d7446fa7d78be803acdda951b",
			"1f369613dd76d5467730efcbe3b1a22d", "fa044b2f42a3fd3b46fb255c", "9f50449e04a0e810283a1e9933adedd2",
			"cf3a5331653c364c88f0f379b6067e37", "0ac1493ca1905853b0bba03e", "c206b8d9b9f0f37644430b490eeaa314"},
		{"version 2", &suite2,
			"14ec9d6eb9fd7af83bf5a668bc17a7e283766aade7ecd0891f70f9ff7f4bf47b", "0263db1782731bf4588e7e4d93b7463907cb8cd8200b5da55a8bd488eafc37c1",
			"8b1a0bc121284290a29e0971b5cd045d", "91f73e2351d8fa91660e909f", "45b95e15235d6f45a6b19cbcb0294ba9",
			"82db637861d55e1d011f19ea71d5d2a7", "dd13c276499c0249d3310652", "edf6d05c83121201b436e16877593c3a"},
	} {
		client, server := secrets(x.suite, dcid)
		if hex.EncodeToString(client[:]) != x.client || hex.EncodeToString(server[:]) != x.server {
			t.Errorf("%s: secrets %x, %x", x.name, client, server)
		}
		for i, want := range [][3]string{{x.ck, x.civ, x.chp}, {x.sk, x.siv, x.shp}} {
			sec := [2][32]byte{client, server}[i]
			for k, label := range []string{"key", "iv", "hp"} {
				n := len(want[k]) / 2
				if got := expand(&sec, x.suite.prefix+label, n); hex.EncodeToString(got[:n]) != want[k] {
					t.Errorf("%s: %s of side %d: %x", x.name, label, i, got[:n])
				}
			}
		}
	}
}

// The server's Initial of RFC 9001 appendix A.3.
func TestServerInitial(t *testing.T) {
	b := unhex(t, "cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a5816b6394100f37a1c69797554780bb38cc5a99f5ede4cf7"+
		"3c3ec2493a1839b3dbcba3f6ea46c5b7684df3548e7ddeb9c3bf9c73cc3f3bded74b562bfb19fb84022f8ef4cdd93795d77d06edbb7aaf2f58891850"+
		"abbdca3d20398c276456cbc42158407dd074ee")
	var h header
	if !parseLong(b, &h) || h.typ != typeInitial || len(h.dcid) != 0 || hex.EncodeToString(h.scid) != "f067a5502a4262b5" || h.end != len(b) {
		t.Fatalf("%+v", h)
	}
	_, server := secrets(&suite1, unhex(t, "8394c8f03e515708"))
	k := newKeys(&suite1, &server)
	var scratch []byte
	frames, ok := k.open(&scratch, b, h.pn)
	if !ok || k.largest != 1 {
		t.Fatalf("not opened, packet number %d", k.largest)
	}
	want := unhex(t, "02000000000600405a020000560303eefce7f7b37ba1d1632e96677825ddf73988cfc79825df566dc5430b9a045a1200130100002e00330024001d00"+
		"209d3c940d89690b84d08a60993c144eca684d1081287c834d5311bcf32bb9da1a002b00020304")
	if !bytes.Equal(frames, want) {
		t.Errorf("frames %x", frames)
	}
	b[len(b)-1] ^= 1
	if _, ok := k.open(&scratch, b, h.pn); ok {
		t.Error("opened with a wrong tag")
	}
}

// The examples of RFC 9000 appendix A.3 and the edges around them.
func TestCompleteNumber(t *testing.T) {
	for _, x := range []struct {
		largest, truncated int64
		n                  int
		want               int64
	}{
		{0xa82f30ea, 0x9b32, 2, 0xa82f9b32},
		{-1, 0, 1, 0},
		{-1, 200, 1, 200},
		{255, 0, 1, 256},
		{256, 255, 1, 255},
		{1000, 1, 4, 1},
	} {
		if got := completeNumber(x.largest, x.truncated, x.n); got != x.want {
			t.Errorf("%#x after %#x: %#x, want %#x", x.truncated, x.largest, got, x.want)
		}
	}
}

func TestVersions(t *testing.T) {
	for _, x := range []struct {
		v    uint32
		s    *suite
		text string
	}{
		{v1, &suite1, "1"}, {v2, &suite2, "6b3343cf"}, {v2Draft, &suite2Draft, "709a50c4"},
		{0xff000015, &suite21, "ff000015"}, {0xff000016, &suite21, "ff000016"}, {0xff000017, &suite23, "ff000017"},
		{0xff00001c, &suite23, "ff00001c"}, {0xff00001d, &suite29, "ff00001d"}, {0xff000020, &suite29, "ff000020"},
		{0xff000021, &suite1, "ff000021"}, {0xff000022, &suite1, "ff000022"}, {0xff000023, nil, "ff000023"}, {0xff000001, nil, "ff000001"},
		{mvfst22, &suite21, "faceb001"}, {mvfst27, &suite23, "faceb002"}, {mvfstExp, &suite23, "faceb00e"},
		{q050, &suiteQ050, "Q050"}, {t050, &suiteT050, "T050"}, {t051, &suiteT051, "T051"}, {q043, nil, "Q043"},
		{0x0a1a2a3a, nil, "a1a2a3a"}, {0, nil, "0"},
	} {
		if suiteOf(x.v) != x.s || string(appendVersion(nil, x.v)) != x.text {
			t.Errorf("%08x: %q", x.v, appendVersion(nil, x.v))
		}
	}
	if longGoogle(q043) || !longGoogle(q046) || !longGoogle(t050) || isGoogle('Q'<<24|'9'<<16|'4'<<8|'3') || isGoogle(v1) {
		t.Error("Google's versions")
	}
}
