package http2

import (
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

// TestBodies: rules see the first part of bodies, padding left out, in
// whatever pieces they come; coded ones are not shown.
func TestBodies(t *testing.T) {
	long := strings.Repeat("0123456789", MaxBody/10+10)
	for _, tt := range []struct{ name, request, response, want string }{
		{"both", frame(0, flEndStream, 1, "ask"), frame(0, 0, 1, "an") + frame(0, flEndStream|flPadded, 1, "\x03swer\x00\x00\x00"), "http.request_body=ask http.response_body=answer"},
		{"long", frame(0, flEndStream, 1, "x"), frame(0, 0, 1, long) + frame(0, flEndStream, 1, long), "http.request_body=x http.response_body=" + long[:MaxBody]},
		{"none", frame(0, flEndStream, 1, ""), frame(0, flEndStream, 1, ""), ""},
	} {
		for seed := range uint64(8) {
			parts := []prototest.Part{up(frame(1, head, 1, c41) + tt.request), down(frame(1, head, 1, "\x88") + tt.response)}
			if seed > 0 {
				parts = prototest.Split(seed, parts...)
			}
			if got := bodies(t, parts...); got != tt.want {
				t.Fatalf("%s, seed %d: %.80q, want %.80q", tt.name, seed, got, tt.want)
			}
		}
	}
	coded := down(frame(1, head, 1, "\x88"+lit("content-encoding", "gzip")) + frame(0, flEndStream, 1, "\x1f\x8b\x08"))
	if got := bodies(t, up(frame(1, last, 1, c41)), coded); got != "" {
		t.Errorf("a coded body is shown: %q", got)
	}
}

func bodies(t *testing.T, parts ...prototest.Part) string {
	t.Helper()
	var got []string
	prototest.Drive(Protocol, prototest.Options{OnTx: func(tx proto.Tx, done bool) {
		if !done {
			return
		}
		for _, v := range prototest.Values(t, Protocol, tx) {
			if strings.HasPrefix(v, "http.request_body=") || strings.HasPrefix(v, "http.response_body=") {
				got = append(got, v)
			}
		}
	}}, parts...)
	return strings.Join(got, " ")
}
