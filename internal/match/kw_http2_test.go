package match_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/match"
)

// TestFrames2: what rules ask of HTTP/2's frames.
func TestFrames2(t *testing.T) {
	want := map[string]bool{
		"http2.settings:SETTINGS_ENABLE_PUSH": true, "http2.settings:SETTINGS_ENABLE_PUSH=0": true, "http2.settings:SETTINGS_ENABLE_PUSH=1": false,
		"http2.settings:SETTINGS_INITIAL_WINDOW_SIZE>1000": true, "http2.settings:SETTINGS_MAX_FRAME_SIZE": false,
		"http2.frametype:SETTINGS": true, "http2.frametype:8": true, "http2.frametype:GOAWAY": false, "http2.frametype:HEADERS": true,
		"http2.window:4096": true, "http2.window:<4096": false, `frame:http2.hdr; content:"|04 08 00|"; offset:2; depth:3`: true,
	}
	var text strings.Builder
	var list []string
	for o := range want {
		list = append(list, o)
		fmt.Fprintf(&text, "alert http2 any any -> any any (%s; sid:%d;)\n", o, len(list))
	}
	r := replay(t, compile(t, text.String(), match.Options{}))
	f := r.open(4000, 80)
	f.send(toServer, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x0c\x04\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x04\x00\x01\x00\x00"+
		"\x00\x00\x04\x08\x00\x00\x00\x00\x00\x00\x00\x10\x00"+"\x00\x00\x03\x01\x05\x00\x00\x00\x01\x82\x86\x84")
	f.close()
	n := map[uint32]int{}
	for _, sid := range r.end() {
		n[sid]++
	}
	for i, o := range list {
		if got := n[uint32(i+1)]; got > 1 || (got == 1) != want[o] {
			t.Errorf("%s: %d alerts, want %v", o, got, want[o])
		}
	}
	for _, bad := range []string{"SETTINGS_NONE", "SETTINGS_ENABLE_PUSH=x", "=1"} {
		if loads("x", "http2.settings:"+bad+";") == "" {
			t.Error(bad, "loads")
		}
	}
}
