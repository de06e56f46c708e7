package match

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"io"
	"strings"
	"testing"
)

func pack(t *testing.T, w io.WriteCloser, b *bytes.Buffer, text string) []byte {
	t.Helper()
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gzipped(t *testing.T, h gzip.Header, text string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Header = h
	return pack(t, w, &b, text)
}

func TestInflating(t *testing.T) {
	text := strings.Repeat("This is compressed. ", 500)
	var z bytes.Buffer
	zlibbed := pack(t, zlib.NewWriter(&z), &z, text)
	plain := gzipped(t, gzip.Header{}, text)
	for _, tt := range []struct {
		name string
		data func([]byte) ([]byte, bool)
		arg  string
		in   []byte
		want string
	}{
		{"gzip", gzipData, "", plain, text[:inflateDefault]},
		{"gzip, a little", gzipData, "max-size 8", plain, text[:8]},
		{"gzip, all", gzipData, "max-size 65536", plain, text},
		{"gzip with every field", gzipData, "max-size 7", gzipped(t, gzip.Header{Name: "n", Comment: "c", Extra: []byte("extra")}, text), text[:7]},
		{"cut in its header", gzipData, "", plain[:9], ""},
		{"cut in a name", gzipData, "", gzipped(t, gzip.Header{Name: "name"}, text)[:12], ""},
		{"cut in an extra field", gzipData, "", gzipped(t, gzip.Header{Extra: []byte("extra")}, text)[:13], ""},
		{"no gzip", gzipData, "", []byte("no gzip at all"), ""},
		{"zlib", zlibData, "max-size 20", zlibbed, text[:20]},
		{"no zlib", zlibData, "", plain, ""},
		{"nothing", zlibData, "", nil, ""},
	} {
		tr, err := inflating(tt.data)(tt.arg)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		var w Worker
		for range 2 { // the state is used again
			if got := tr(nil, tt.in, &w); string(got) != tt.want {
				t.Errorf("%s: %d bytes %.40q, want %d", tt.name, len(got), got, len(tt.want))
			}
		}
	}
	for _, bad := range []string{"8", "max-size", "max-size x", "max-size 65537", "size 8"} {
		if _, err := inflating(gzipData)(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
