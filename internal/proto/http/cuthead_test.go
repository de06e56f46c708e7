package http

import (
	"testing"

	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

// A flow that ends within a head has the fields whose lines are whole.
func TestBuffersOfCutHead(t *testing.T) {
	for text, want := range map[string]string{
		"POST /x HTTP/1.0\r\nUser-Agent: one\r\n":               "one",
		"POST /x HTTP/1.0\r\nUser-Agent: one\r\nAccept: cut of": "one",
		"POST /x HTTP/1.0\r\nUser-Agent: cut of":                "",
		"POST /x HTTP/1.0\r\n":                                  "",
	} {
		got, ended := "", false
		prototest.Drive(Protocol, prototest.Options{OnTx: func(tx proto.Tx, done bool) {
			for i := range buffers {
				if buffers[i].Name == "http.user_agent" && done {
					b, _ := buffers[i].Get(tx, 0)
					got, ended = string(b), true
				}
			}
		}}, c(text))
		if got != want || !ended {
			t.Errorf("%q: %q %v", text, got, ended)
		}
	}
}
