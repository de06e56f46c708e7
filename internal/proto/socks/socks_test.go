package socks

import (
	"fmt"
	"testing"

	"github.com/yamori-net/yamori/internal/proto/prototest"
)

var update = prototest.UpdateFlag()

// TestCaptures compares what is read from every testdata/*.pcap with the
// golden file beside it.
func TestCaptures(t *testing.T) {
	prototest.GoldenText(t, Protocol, *update, func(parts ...prototest.Part) string {
		r, last := run(parts...)
		return fmt.Sprintf("%s, switched %v, finished %v, error %v", last, r.Switched, r.Finished, r.Err)
	})
}
