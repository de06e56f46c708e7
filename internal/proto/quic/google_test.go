package quic

import (
	"encoding/binary"
	"strings"
	"testing"
)

// chlo encodes a CHLO message.
func chlo(kv ...string) []byte {
	le := binary.LittleEndian
	b := append([]byte("CHLO"), byte(len(kv)/2), 0, 0, 0)
	end := 0
	var vals []byte
	for i := 0; i < len(kv); i += 2 {
		tag := append([]byte(kv[i]), 0, 0, 0, 0)[:4]
		end += len(kv[i+1])
		b = le.AppendUint32(append(b, tag...), uint32(end))
		vals = append(vals, kv[i+1]...)
	}
	return append(b, vals...)
}

// googleHello is a client's first datagram in a version before the standard.
func googleHello(version string) []byte {
	m := chlo("PAD", strings.Repeat("-", 100), "SNI", "cam.example", "UAID", "Toaster/1")
	frame := cat([]byte{0xa0, 1}, binary.BigEndian.AppendUint16(nil, uint16(len(m))), m) // stream 1, offset 0, with length
	if version > "Q043" {
		return cat([]byte{0xc3}, []byte(version), []byte{0x50}, dcid, []byte{0, 0, 0, 1}, noise(hashLength), frame, make([]byte, 50))
	}
	return cat([]byte{0x09}, dcid, []byte(version), []byte{1}, noise(hashLength), frame, make([]byte, 50))
}

func TestGoogle(t *testing.T) {
	for _, v := range []string{"Q035", "Q039", "Q043", "Q044", "Q046"} {
		r := drive(c(googleHello(v)))
		want := `"quic":{"version":"` + v + `","sni":"cam.example","ua":"Toaster/1","cyu":[{"hash":"`
		if r.Err != nil || !r.Finished || !strings.HasPrefix(r.Joined(), want) || !strings.Contains(r.Joined(), `"string":"`+v[2:]+`,PAD-SNI-UAID"`) {
			t.Errorf("%s: %+v", v, r)
		}
	}
	// Inside protected packets, Q050.
	m := chlo("SNI", "cam.example")
	r := drive(c(first(q050, cat([]byte{googleCrypto}, vi(0), vi(len(m)), m))))
	if !strings.Contains(r.Joined(), `"version":"Q050","sni":"cam.example"`) {
		t.Errorf("Q050: %+v", r)
	}
}

func TestGoogleMalformed(t *testing.T) {
	whole := googleHello("Q043")
	for n := range len(whole) {
		r := drive(c(whole[:n]))
		if r.Err != nil || r.Done > 1 {
			t.Fatalf("%d bytes: %+v", n, r)
		}
	}
	var g GoogleHello
	many := chlo()
	binary.LittleEndian.PutUint16(many[4:], maxTags+1)
	if g.chlo(q043, cat(many, make([]byte, 16*maxTags))) || g.Seen {
		t.Error("more than maxTags")
	}
	back := chlo("SNI", "cam.example", "UAID", "x")
	binary.LittleEndian.PutUint32(back[8+8+4:], 3) // ends before it begins
	if !g.chlo(q043, back) || string(g.SNI) != "cam.example" || g.UA != nil {
		t.Errorf("%+v", g)
	}
	g.reset()
	if g.Seen || g.Hash() != nil || g.SNI != nil {
		t.Error("reset")
	}
	for name, b := range map[string][]byte{"no stream frame": {7, 7}, "no offset": {0xbc, 1}, "no length": {0xa0, 1, 9}, "padding only": make([]byte, 30), "empty": {}} {
		if g.nullFrames(q043, cat(noise(hashLength), b)) {
			t.Errorf("%s: a hello", name)
		}
	}
}
