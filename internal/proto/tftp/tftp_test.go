package tftp

import (
	"slices"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

var update = prototest.UpdateFlag()

// TestCaptures compares what is read from every testdata/*.pcap with the
// golden file beside it.
func TestCaptures(t *testing.T) { prototest.GoldenUDP(t, Protocol, *update) }

// TestReadme holds README.md against the code and the captures.
func TestReadme(t *testing.T) { prototest.Readme(t, Protocol) }

const (
	get1 = "\x00\x01pxelinux.0\x00octet\x00"
	put1 = "\x00\x02startup-config\x00NetASCII\x00"
	opts = "\x00\x01vmlinuz\x00octet\x00blksize\x001428\x00tsize\x000\x00"
)

func TestRequests(t *testing.T) {
	bad := []string{"malformed_data"}
	tests := []struct {
		name, in  string
		probe     proto.Match
		want      string
		values    []string
		anomalies []string
	}{
		{"read", get1, proto.Yes, `"tftp":{"packet":"read","file":"pxelinux.0","mode":"octet"}`, []string{"tftp.file=pxelinux.0", "tftp.mode=octet"}, nil},
		{"write", put1, proto.Yes, `"tftp":{"packet":"write","file":"startup-config","mode":"NetASCII"}`, []string{"tftp.file=startup-config", "tftp.mode=NetASCII"}, nil},
		{"options", opts, proto.Yes, `"tftp":{"packet":"read","file":"vmlinuz","mode":"octet"}`, []string{"tftp.file=vmlinuz", "tftp.mode=octet"}, nil},
		{"options cut", opts[:len(opts)-3], proto.Weak, `"tftp":{"packet":"read","file":"vmlinuz","mode":"octet"}`, []string{"tftp.file=vmlinuz", "tftp.mode=octet"}, nil},
		{"longest name", "\x00\x01" + strings.Repeat("n", maxName) + "\x00octet\x00", proto.Yes, `"tftp":{"packet":"read","file":"` + strings.Repeat("n", maxName) + `","mode":"octet"}`,
			[]string{"tftp.file=" + strings.Repeat("n", maxName), "tftp.mode=octet"}, nil},
		{"longer name", "\x00\x01" + strings.Repeat("n", maxName+1) + "\x00octet\x00", proto.No, ``, nil, bad},
		{"unknown mode", "\x00\x01file\x00binary\x00", proto.No, ``, nil, bad},
		{"no end", "\x00\x01file\x00octet", proto.No, ``, nil, bad},
		{"no name", "\x00\x01\x00octet\x00", proto.No, ``, nil, bad},
		{"data", "\x00\x03\x00\x01content", proto.No, ``, nil, nil},
		{"operation 0", "\x00\x00file\x00octet\x00", proto.No, ``, nil, bad},
		{"empty", "", proto.No, ``, nil, bad},
	}
	for _, tt := range tests {
		if m := probe(packet.ToServer, []byte(tt.in)); m != tt.probe {
			t.Errorf("%s: probe %v, want %v", tt.name, m, tt.probe)
		}
		eve, anomalies, values := prototest.One(t, Protocol, tt.in)
		if eve != tt.want || !slices.Equal(anomalies, tt.anomalies) || !slices.Equal(values, tt.values) {
			t.Errorf("%s: %v %q\n%s\nwant %s", tt.name, anomalies, values, eve, tt.want)
		}
	}
}

func TestNoAllocs(t *testing.T) {
	prototest.NoAllocs(t, Protocol, get1, put1, opts, "\x00\x03\x00\x01x")
}
func FuzzParse(f *testing.F)      { prototest.Fuzz(f, Protocol, get1, put1, opts) }
func BenchmarkParse(b *testing.B) { prototest.Bench(b, Protocol, opts) }
