package smb

import (
	"testing"

	"github.com/yamori-net/yamori/internal/proto/prototest"
)

var update = prototest.UpdateFlag()

// TestCaptures compares what is read from every testdata/*.pcap with the
// golden file beside it.
func TestCaptures(t *testing.T) { prototest.Golden(t, Protocol, *update) }

// TestReadme holds README.md against the code and the captures.
func TestReadme(t *testing.T) { prototest.Readme(t, Protocol) }
