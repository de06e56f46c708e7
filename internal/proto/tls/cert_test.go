package tls

import (
	"bytes"
	"testing"
)

func TestCert(t *testing.T) {
	var ct Cert
	if err := ParseCert(leaf, &ct); err != nil {
		t.Fatal(err)
	}
	if ct.Version != 3 || !bytes.Equal(ct.Serial, []byte{0x0a, 0xff}) || ct.SAN == nil {
		t.Errorf("%+v", ct)
	}
	// Without a version field: version 1, without extensions.
	old := der(tagSequence, der(tagSequence, der(tagInteger, []byte{5}), der(tagSequence), der(tagSequence),
		der(tagSequence, der(tagUTCTime, []byte("500101000000Z")), der(tagUTCTime, []byte("491231000000Z"))), der(tagSequence), der(tagSequence)))
	if err := ParseCert(old, &ct); err != nil || ct.Version != 1 || ct.SAN != nil {
		t.Errorf("version 1: %v %+v", err, ct)
	}
	for n := range leaf {
		if ParseCert(leaf[:n], &ct) == nil {
			t.Fatalf("%d of %d bytes are a certificate", n, len(leaf))
		}
	}
	// A wrong byte anywhere must not panic, and no field may leave the input.
	for i := range leaf {
		b := bytes.Clone(leaf)
		b[i] ^= 0xff
		if ParseCert(b, &ct) == nil && len(ct.Subject)+len(ct.Issuer)+len(ct.SAN) > len(b) {
			t.Fatalf("byte %d: fields longer than the certificate", i)
		}
	}
}

func TestNames(t *testing.T) {
	two := der(tagSet, der(tagSequence, der(tagOID, []byte("\x55\x04\x0b")), der(12, []byte("a"))),
		der(tagSequence, der(tagOID, []byte("\x55\x04\x03")), der(12, []byte("b"))))
	for _, x := range []struct {
		name string
		b    []byte
		want string
	}{
		{"usual", cat(rdn("\x55\x04\x06", 19, "US"), rdn("\x55\x04\x0a", 12, "A, B"), rdn("\x55\x04\x03", 12, "h")), "C=US, O=A, B, CN=h"},
		{"two in one", cat(rdn("\x55\x04\x06", 19, "US"), two), "C=US, OU=a + CN=b"},
		{"unknown type", rdn("\x2a\x86\x48\x86\xf7\x0d\x01\x63", 12, "x"), "1.2.840.113549.1.99=x"},
		{"BMP", rdn("\x55\x04\x03", tagBMPString, "\x00a\x20\xac\xd8\x3d\xde\x00"), "CN=a€😀"},
		{"universal", rdn("\x55\x04\x03", tagUniversalString, "\x00\x01\xf6\x00"), "CN=😀"},
		{"empty", nil, ""},
		{"cut", rdn("\x55\x04\x03", 12, "abc")[:7], ""},
		{"not a set", der(tagSequence), ""},
	} {
		if got := string(AppendName(nil, x.b)); got != x.want {
			t.Errorf("%s: %q, want %q", x.name, got, x.want)
		}
	}
}

func TestTimes(t *testing.T) {
	for _, x := range []struct {
		tag  byte
		text string
		want string
	}{
		{tagUTCTime, "491231235959Z", "2049-12-31T23:59:59"},
		{tagUTCTime, "500101000000Z", "1950-01-01T00:00:00"},
		{tagUTCTime, "2001010203Z", "2020-01-01T02:03:00"},
		{tagUTCTime, "200101020304+0900", "2020-01-01T02:03:04"},
		{tagGeneralizedTime, "21060207062815Z", "2106-02-07T06:28:15"},
		{tagUTCTime, "20010102", ""},
		{tagUTCTime, "2001ab020304Z", ""},
		{tagGeneralizedTime, "x1060207062815Z", ""},
		{tagInteger, "200101020304Z", ""},
	} {
		if got := string(Time{x.tag, []byte(x.text)}.AppendTo(nil)); got != x.want {
			t.Errorf("%q: %q, want %q", x.text, got, x.want)
		}
	}
}

func TestDER(t *testing.T) {
	for _, x := range []struct {
		name string
		b    []byte
		n    int // of the content; -1: refused
	}{
		{"short form", []byte{4, 2, 1, 2, 9}, 2},
		{"long form", cat([]byte{4, 0x81, 0x80}, make([]byte, 0x80)), 0x80},
		{"longer than needed", []byte{4, 0x83, 0, 0, 1, 7}, 1},
		{"empty", []byte{5, 0}, 0},
		{"indefinite", []byte{0x30, 0x80, 0, 0}, -1},
		{"four length bytes", []byte{4, 0x84, 0, 0, 0, 1, 7}, -1},
		{"beyond its end", []byte{4, 3, 1, 2}, -1},
		{"long tag", []byte{0x1f, 1, 0}, -1},
		{"no length", []byte{4}, -1},
		{"cut length", []byte{4, 0x82, 1}, -1},
	} {
		r := derReader{b: x.b}
		_, c := r.next()
		if n := len(c); r.bad != (x.n < 0) || !r.bad && n != x.n {
			t.Errorf("%s: %d bytes, bad %v", x.name, n, r.bad)
		}
	}
}

// Asking for alternative names out of order gives the same as in order.
func TestSANOrder(t *testing.T) {
	var ch Chain
	ch.read(certMsg[4:])
	want := []string{"cam.example", "192.0.2.7", "https://cam.example/"}
	for _, i := range []int{2, 0, 1, 1, 2, 0} {
		if v, ok := ch.SAN(i); !ok || string(v) != want[i] {
			t.Errorf("name %d: %q %v", i, v, ok)
		}
	}
	if _, ok := ch.SAN(3); ok {
		t.Error("a fourth name")
	}
	if _, ok := ch.SAN(-1); ok {
		t.Error("a name before the first")
	}
	// What was returned stays: the engine may look at one name after another
	// and come back.
	var many [][]byte
	for i := range 60 {
		many = append(many, der(0x87, []byte{10, 0, 0, byte(i)}), der(0x87, append(make([]byte, 15), byte(i+1))))
	}
	ct := cert([]byte{1}, nil, nil, append(many, der(0x87, []byte{1, 2, 3}))...)
	ch.read(vec24(vec24(ct...)...))
	var kept [][]byte
	for i := 0; ; i++ {
		v, ok := ch.SAN(i)
		if !ok {
			break
		}
		kept = append(kept, v)
	}
	ch.SAN(0)
	if len(kept) != 120 || string(kept[0]) != "10.0.0.0" || string(kept[1]) != "::1" || string(kept[118]) != "10.0.0.59" || string(kept[119]) != "::3c" {
		t.Errorf("%d names, %q", len(kept), kept)
	}
}
