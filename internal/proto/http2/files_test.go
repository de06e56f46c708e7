package http2

import (
	"fmt"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

func TestFiles(t *testing.T) {
	start := []prototest.Part{prototest.C(preface + settings), prototest.S(settings)}
	request := func(id uint32) string { return frame(frHeaders, flEndHeaders|flEndStream, id, unhex("8286 84")) }
	upload := func(id uint32) string { return frame(frHeaders, flEndHeaders, id, unhex("8386 84")) }
	answer := func(id uint32, fields string) string {
		return frame(frHeaders, flEndHeaders, id, unhex("88")+fields)
	}
	named := lit("content-disposition", `attachment; filename="a.exe"`)
	for _, tt := range []struct {
		name  string
		parts []prototest.Part
		want  []string
		text  string
	}{
		{"answer", []prototest.Part{prototest.C(request(1)), prototest.S(answer(1, "") + frame(frData, 0, 1, "hello ") + frame(frData, flEndStream, 1, "world"))},
			[]string{`< "" 11 bytes`}, "hello world"},
		{"named", []prototest.Part{prototest.C(request(1)), prototest.S(answer(1, named) + frame(frData, flEndStream, 1, "MZ"))}, []string{`< "a.exe" 2 bytes`}, "MZ"},
		{"padded", []prototest.Part{prototest.C(request(1)), prototest.S(answer(1, "") + frame(frData, flPadded, 1, "\x03abcPAD") + frame(frData, flPadded, 1, "\x02PA") + frame(frData, flPadded|flEndStream, 1, "\x00d"))},
			[]string{`< "" 4 bytes`}, "abcd"},
		{"request", []prototest.Part{prototest.C(upload(1) + frame(frData, flEndStream, 1, "abc")), prototest.S(answer(1, "") + frame(frData, flEndStream, 1, "ok"))},
			[]string{`> "" 3 bytes`, `< "" 2 bytes`}, "abcok"},
		{"streams interleaved", []prototest.Part{prototest.C(request(1) + request(3)), prototest.S(answer(1, "") + answer(3, "") +
			frame(frData, 0, 1, "a") + frame(frData, 0, 3, "x") + frame(frData, flEndStream, 1, "b") + frame(frData, flEndStream, 3, "y"))},
			[]string{`< "" 2 bytes`, `< "" 2 bytes`}, "abxy"},
		{"coded", []prototest.Part{prototest.C(request(1)), prototest.S(answer(1, lit("content-encoding", "br")) + frame(frData, flEndStream, 1, "abc"))}, nil, ""},
		{"reset", []prototest.Part{prototest.C(request(1)), prototest.S(answer(1, "") + frame(frData, 0, 1, "abc") + frame(frReset, 0, 1, "\x00\x00\x00\x00"))},
			[]string{`< "" 3 bytes cut`}, "abc"},
		{"gap", []prototest.Part{prototest.C(request(1)), prototest.S(answer(1, "") + frame(frData, flEndStream, 1, "abcdef")[:11]), {Dir: packet.ToClient, Gap: 2, Data: []byte("ef")}},
			[]string{`< "" 6 bytes gap cut`}, "abef"},
	} {
		for seed := range uint64(8) {
			parts := append(append([]prototest.Part{}, start...), tt.parts...)
			if seed > 0 {
				parts = prototest.Split(seed, parts...)
			}
			l := &prototest.Files{T: t}
			r := prototest.Drive(Protocol, prototest.Options{OnFile: l.OnFile}, parts...)
			text := ""
			for _, g := range l.List {
				text += g.Content
			}
			if fmt.Sprint(l.Lines()) != fmt.Sprint(tt.want) || text != tt.text || r.Err != nil {
				t.Errorf("%s, seed %d: %q %q, want %q %q; %v", tt.name, seed, l.Lines(), text, tt.want, tt.text, r.Err)
				break
			}
		}
	}
}
