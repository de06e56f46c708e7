package descr

import (
	"strings"
	"testing"
)

const camera = `<?xml version="1.0"?>
<root xmlns="urn:schemas-upnp-org:device-1-0"><specVersion><major>1</major><minor>0</minor></specVersion>
<device><!-- <friendlyName>no</friendlyName> --><deviceType>urn:schemas-upnp-org:device:Basic:1</deviceType>
<friendlyName> Hall &amp; door </friendlyName><manufacturer>Example</manufacturer><x:modelName a="b">IPC-1</x:modelName>
<empty/><mixed>text<b>bold</b>more</mixed></device></root>`

func collect(s string) map[string]string {
	out := map[string]string{}
	Elements([]byte(s), func(n, v []byte) bool {
		out[string(n)] = string(Unescape(append([]byte(nil), v...)))
		return true
	})
	return out
}

func TestElements(t *testing.T) {
	got := collect(camera)
	for k, want := range map[string]string{"friendlyName": "Hall & door", "manufacturer": "Example", "modelName": "IPC-1",
		"deviceType": "urn:schemas-upnp-org:device:Basic:1", "b": "bold", "major": "1", "mixed": "", "empty": ""} {
		if got[k] != want {
			t.Errorf("%s: %q, want %q", k, got[k], want)
		}
	}
	if !IsDescription([]byte(camera)) || IsDescription([]byte("<html>")) {
		t.Error("what is a description")
	}
}

func TestLimits(t *testing.T) {
	if got := collect("<a>" + strings.Repeat("x", MaxText+1) + "</a><b>y</b>"); got["a"] != "" || got["b"] != "y" {
		t.Errorf("%v", got)
	}
	if got := collect(strings.Repeat("<a><b>", MaxTags) + "<c>y</c>"); got["c"] != "" {
		t.Error("the number of tags is not bounded")
	}
	if got := collect(strings.Repeat(" ", MaxBytes) + "<c>y</c>"); got["c"] != "" {
		t.Error("the length is not bounded")
	}
	n := 0
	Elements([]byte("<a>1</a><a>2</a>"), func(_, _ []byte) bool { n++; return false })
	if n != 1 {
		t.Errorf("%d calls after false", n)
	}
}

func TestNoAllocs(t *testing.T) {
	b := []byte(camera)
	if n := testing.AllocsPerRun(100, func() { Elements(b, func(_, _ []byte) bool { return true }) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzElements(f *testing.F) {
	f.Add([]byte(camera))
	f.Add([]byte("<a><![CDATA[<b>x</b>]]></a>"))
	f.Add([]byte("<<<>>></>< a>b</ a>"))
	f.Fuzz(func(t *testing.T, b []byte) {
		Elements(b, func(n, v []byte) bool {
			if len(v) == 0 || len(v) > MaxText {
				t.Fatalf("%d bytes of text", len(v))
			}
			if u := Unescape(append([]byte(nil), v...)); len(u) > len(v) {
				t.Fatal("unescaping made the text longer")
			}
			return true
		})
	})
}

func BenchmarkElements(b *testing.B) {
	d := []byte(camera)
	b.ReportAllocs()
	for b.Loop() {
		Elements(d, func(_, _ []byte) bool { return true })
	}
}
