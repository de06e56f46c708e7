package rtsp

import (
	"fmt"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/proto/prototest"
)

var update = prototest.UpdateFlag()

// TestCaptures compares what is read from every testdata/*.pcap with the
// golden file beside it.
func TestCaptures(t *testing.T) {
	prototest.GoldenText(t, Protocol, *update, func(parts ...prototest.Part) string {
		r, msgs := run(parts...)
		return fmt.Sprintf("%s\nanomalies %v error %v", strings.Join(msgs, "\n"), r.Anomalies, r.Err)
	})
}
