package http2

import (
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

// frames lists the values of the buffers of frames in everything that is
// handed over as done.
func frames(t *testing.T, parts ...prototest.Part) string {
	t.Helper()
	var got []string
	prototest.Drive(Protocol, prototest.Options{OnTx: func(tx proto.Tx, done bool) {
		if !done {
			return
		}
		var list []string
		for _, v := range prototest.Values(t, Protocol, tx) {
			for _, name := range []string{"http2.frametype", "http2.settings", "http2.window", "http2.priority", "http2.size_update", "http2.errorcode"} {
				if w, ok := strings.CutPrefix(v, name+"="); ok {
					list = append(list, strings.TrimPrefix(name, "http2.")+"="+w)
				}
			}
		}
		got = append(got, strings.Join(list, " "))
	}}, parts...)
	return strings.Join(got, "|")
}

func TestConnectionFrames(t *testing.T) {
	client := preface + frame(4, 0, 0, "\x00\x02\x00\x00\x00\x00") + frame(8, 0, 0, "\x80\x00\x10\x00") + frame(6, 0, 0, "12345678") + frame(2, 0, 3, "\x00\x00\x00\x00\xc8") +
		frame(1, flEndHeaders|flEndStream|flPriority, 1, "\x00\x00\x00\x00\x0f"+"\x3f\x01\x82\x86\x84") + frame(7, 0, 0, "\x00\x00\x00\x00\x00\x00\x00\x0b")
	server := frame(4, 1, 0, "") + frame(1, flEndHeaders, 1, "\x88") + frame(0, flEndStream, 1, "x")
	want := "frametype=4 settings=\x00\x02\x00\x00\x00\x00|frametype=8 window=4096|frametype=6|frametype=2 priority=200|errorcode=11 frametype=7|frametype=4|frametype=1 frametype=0 frametype=1 priority=15 size_update=32"
	for seed := range uint64(10) {
		parts := []prototest.Part{prototest.C(client), prototest.S(server)}
		if seed > 0 {
			parts = append(prototest.Split(seed, parts[:1]...), parts[1])
		}
		got := frames(t, parts...)
		if sorted(got) != sorted(want) {
			t.Fatalf("seed %d:\n%q\nwant\n%q", seed, got, want)
		}
	}
}

// sorted puts the words of each part into one order: which side's buffer comes
// first does not matter.
func sorted(s string) string {
	parts := strings.Split(s, "|")
	for i, p := range parts {
		w := strings.Fields(p)
		for a := range w {
			for b := a + 1; b < len(w); b++ {
				if w[b] < w[a] {
					w[a], w[b] = w[b], w[a]
				}
			}
		}
		parts[i] = strings.Join(w, " ")
	}
	return strings.Join(parts, "|")
}

// TestControlFrames: frames of the connection as sent, cut at MaxControl.
func TestControlFrames(t *testing.T) {
	long := strings.Repeat("\x00\x03\x00\x00\x00\x01", MaxControl/6+1)
	for _, tt := range []struct{ in, header, payload string }{
		{frame(8, 0, 0, "\x3f\xff\x00\x01"), "\x00\x00\x04\x08\x00\x00\x00\x00\x00", "\x3f\xff\x00\x01"},
		{frame(4, 1, 0, ""), "\x00\x00\x00\x04\x01\x00\x00\x00\x00", ""},
		{frame(4, 0, 0, long), "\x00\x01\x02\x04\x00\x00\x00\x00\x00", long[:MaxControl]},
	} {
		got := map[string]string{}
		prototest.Drive(Protocol, prototest.Options{OnTx: func(tx proto.Tx, _ bool) {
			for _, v := range prototest.Values(t, Protocol, tx) {
				if name, value, ok := strings.Cut(v, "="); ok && strings.HasPrefix(name, "frame.") {
					got[name] = value
				}
			}
		}}, prototest.C(preface+tt.in))
		if got["frame.http2.hdr"] != tt.header || got["frame.http2.data"] != tt.payload || got["frame.http2.pdu"] != tt.header+tt.payload {
			t.Errorf("%q", got)
		}
	}
	if got := frames(t, prototest.C(preface+frame(7, 0, 0, "short"))); got != "" {
		t.Errorf("a short GOAWAY: %q", got)
	}
}

// Events tell what frames said besides header fields and bodies.
func TestEventsOfFrames(t *testing.T) {
	settings := "\x00\x03\x00\x00\x03\xe8" + "\x00\x99\x00\x00\x00\x01"
	client := preface + frame(4, 0, 0, settings) + frame(1, flEndHeaders|flPriority, 1, "\x00\x00\x00\x00\xff\x82\x86\x84") +
		frame(3, 0, 1, "\x00\x00\x00\x08") + frame(2, 0, 3, "\x00\x00\x00\x00\xc8")
	server := frame(4, 0, 0, "") + frame(7, 0, 0, "\x00\x00\x00\x01\x00\x00\x00\x63")
	var got []string
	prototest.Drive(Protocol, prototest.Options{OnTx: func(tx proto.Tx, done bool) {
		if done {
			var e event.Encoder
			e.Obj("")
			tx.EncodeEVE(&e)
			got = append(got, string(e.B))
		}
	}}, prototest.C(client), prototest.S(server))
	for _, want := range []string{
		`"http2":{"stream_id":0,"request":{"settings":[{"settings_id":"SETTINGSMAXCONCURRENTSTREAMS","settings_value":1000},{"settings_id":"SETTINGSUNKNOWN","settings_value":1}]}}`,
		`"http2":{"stream_id":0,"request":{"priority":200}}`,
		`"http2":{"stream_id":1,"request":{"error_code":"CANCEL","priority":255}}`,
		`"http2":{"stream_id":0,"response":{"error_code":"UNKNOWN"}}`,
	} {
		if !strings.Contains(strings.Join(got, "\n"), want) {
			t.Errorf("no %s in\n%s", want, strings.Join(got, "\n"))
		}
	}
}
