package mining_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/proto/stratum"
)

// TestTestdata judges the captures beside this test; testdata/README.md tells
// where they come from.
func TestTestdata(t *testing.T) {
	want := map[string][]string{ // dialect, agent, wallet's beginning, server
		"browser.pcap":  {"coinhive  48ed 127.0.0.1:8892", "cryptonote  48ed 127.0.0.1:3334"},
		"template.pcap": {"getblocktemplate  44AF 127.0.0.1:18081"},
		"gather.pcap": {"cryptonote XMRig/6.26.0 (Linux x86_64)  10.77.0.9:3333", "cryptonote xmrig-proxy/6.21.1 (Linux x86_64) 48ed 10.77.1.5:443",
			"10.77.0.9 gathers [10.77.0.20] for 10.77.1.5:443", "cryptonote XMRig/6.26.0 (Linux x86_64)  10.77.0.9:3333",
			"10.77.0.9 gathers [10.77.0.20 10.77.0.21] for 10.77.1.5:443", "cryptonote XMRig/6.26.0 (Linux x86_64)  10.77.0.9:3333"},
		"kaspa.pcap": {"getblocktemplate  kasp 10.99.0.1:16510"},
		"seeker.pcap": {"getblocktemplate  44AF 10.77.0.1:18081", "getblocktemplate  44AF 10.77.0.1:18081", "getblocktemplate  44AF 10.77.0.1:18081",
			"getblocktemplate  44AF 10.77.0.3:40099"},
		"chat.pcap": nil, "wallet.pcap": nil, "aria2.pcap": nil,
	}
	files, err := filepath.Glob("testdata/*.pcap")
	if err != nil || len(files) != len(want) {
		t.Fatalf("%d captures, want %d (%v)", len(files), len(want), err)
	}
	for _, f := range files {
		var got []string
		for _, x := range replay(t, f) {
			client, server, _ := strings.Cut(x.flow, ">")
			if x.Family == "collector" {
				host, _, _ := strings.Cut(client, ":")
				got = append(got, fmt.Sprintf("%s gathers %v for %s", host, x.Mining.Miners, x.Mining.Pool))
				continue
			}
			got = append(got, x.Mining.Dialect+" "+x.Mining.Agent+" "+x.Mining.Wallet[:min(4, len(x.Mining.Wallet))]+" "+server)
		}
		if w, ok := want[filepath.Base(f)]; !ok || strings.Join(got, "|") != strings.Join(w, "|") {
			t.Errorf("%s: %q, want %q", f, got, w)
		}
	}
}

// TestReadme keeps the table of marks true.
func TestReadme(t *testing.T) {
	b, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for m := range stratum.NumMarks {
		row := "| `" + m.Code() + "` | "
		_, rest, ok := strings.Cut(string(b), row)
		line, _, _ := strings.Cut(rest, "\n")
		if !ok || !strings.HasSuffix(line, " | "+strconv.FormatFloat(m.Weight(), 'f', -1, 64)+" | "+m.Doc()+" |") {
			t.Errorf("README.md on %s: %q", m.Code(), line)
		}
	}
}
