package mining_test

import (
	"bufio"
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/builtin"
	"github.com/yamori-net/yamori/internal/capture/pcapfile"
	"github.com/yamori-net/yamori/internal/corpus"
	"github.com/yamori-net/yamori/internal/detect"
	"github.com/yamori-net/yamori/internal/detect/mining"
	"github.com/yamori-net/yamori/internal/engine"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/verdict"
)

// found is one finding as these tests see it.
type found struct {
	event.Finding
	flow string // miner>pool
}

// replay runs one capture through the whole engine with this detector alone.
// Damage is no concern here: the readable part is judged.
func replay(t *testing.T, file string) []found {
	t.Helper()
	return replaySome(t, file, func(int) bool { return true })
}

// replaySome takes only the frames, numbered from 0, that keep says.
func replaySome(t *testing.T, file string, keep func(n int) bool) (out []found) {
	t.Helper()
	src, err := pcapfile.Open(file)
	if err != nil {
		t.Logf("%s: %v", file, err)
		return nil
	}
	defer src.Close()
	e, err := engine.New(engine.Config{
		Protocols: builtin.Protocols(), Detectors: []detect.Detector{mining.Detector, mining.Collectors(), mining.Farming}, Workers: 1,
		Sink: func(int) event.Sink {
			return event.SinkFunc(func(ev *event.Event) {
				if ev.Type == event.Alert && ev.Finding != nil {
					end := func(a netip.Addr, p uint16) string { return netip.AddrPortFrom(a, p).String() }
					out = append(out, found{*ev.Finding, end(ev.Src.Netip(), ev.SrcPort) + ">" + end(ev.Dst.Netip(), ev.DstPort)})
				}
			})
		},
		OnPanic: func(v any, stack []byte) { t.Errorf("%s: panic: %v\n%s", file, v, stack) },
	})
	if err != nil {
		t.Fatal(err)
	}
	n := -1
	_ = src.Run(context.Background(), func(f *packet.Frame) verdict.Verdict {
		if n++; !keep(n) {
			return verdict.Verdict{}
		}
		return e.Workers[0].Handle(f)
	})
	e.Close()
	return out
}

// rows reads a table with a heading.
func rows(t *testing.T, file string) (out []map[string]string) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var head []string
	for sc := bufio.NewScanner(f); sc.Scan(); {
		cells := strings.Split(sc.Text(), "\t")
		if head == nil {
			head = cells
			continue
		}
		row := map[string]string{}
		for i, c := range cells[:min(len(cells), len(head))] {
			row[head[i]] = c
		}
		out = append(out, row)
	}
	return out
}

// TestMiningLab: in clear text every miner is found at the address the label
// names, and nothing benign is called one.
func TestMiningLab(t *testing.T) {
	dir := corpus.Path(t, 28, "captures", "mining-lab")
	for _, row := range rows(t, filepath.Join(dir, "labels.tsv")) {
		got := replay(t, filepath.Join(dir, row["file"]))
		switch {
		case row["label"] == "mining" && row["encrypted"] == "no":
			if !slices.ContainsFunc(got, func(f found) bool {
				return f.Level == event.Confirmed && strings.HasPrefix(f.flow, row["client_ip"]+":") && strings.HasSuffix(f.flow, ">"+row["server"])
			}) {
				t.Errorf("%s (%s): not found", row["file"], row["variant"])
			}
		case len(got) > 0:
			t.Errorf("%s (%s): %s %s %+v", row["file"], row["variant"], got[0].flow, got[0].Signature, got[0].Evidence)
		}
	}
}

// TestMiningLabMidstream begins to look only after the login has gone by, and
// at captures with holes.
func TestMiningLabMidstream(t *testing.T) {
	dir := corpus.Path(t, 7, "captures", "mining-lab")
	for _, row := range rows(t, filepath.Join(dir, "labels.tsv")) {
		// WebSocket's frames are found through the upgrade before them.
		if row["label"] != "mining" || row["encrypted"] != "no" || strings.Contains(row["variant"], "websocket") {
			continue
		}
		for _, first := range []int{9, 12, 16, 25, 40, 60, 80} {
			if got := replaySome(t, filepath.Join(dir, row["file"]), func(n int) bool { return n >= first }); len(got) == 0 {
				t.Errorf("%s (%s) without its first %d frames: not found", row["file"], row["variant"], first)
			}
		}
		if strings.Contains(row["variant"], "SOCKS") {
			continue // a hole in the proxy's handshake hides what follows it
		}
		for lost := range 7 {
			if got := replaySome(t, filepath.Join(dir, row["file"]), func(n int) bool { return n%7 != lost }); len(got) == 0 {
				t.Errorf("%s (%s) with a seventh of its frames lost: not found", row["file"], row["variant"])
			}
		}
	}
}

func TestPublicMiners(t *testing.T) {
	for _, tt := range []struct {
		file string
		want []string // some of the findings: flow's server, dialect, agent, wallet's or worker's beginning
	}{
		{"zeek-cryptomining/bitcoin-mining.pcap", []string{"113.21.199.11:3333 getblocktemplate bfgminer/5.2.0 Bigsky", "74.84.128.158:3333 stratum-v1 bfgminer/5.2.0 "}},
		{"zeek-cryptomining/coinhive-stratum.pcap", []string{"192.110.160.114:3333 cryptonote  46WNbmwX"}},
		{"ndpi/mining.pcapng", []string{"185.71.66.39:9999 ethproxy  0x9c99d2", "178.32.196.217:9050 cryptonote xmr-stak-cpu/1.3.0-1.5.0 4BCeEPho",
			"94.23.199.191:3333 equihash EWBF 0.3.4b ", "116.211.167.195:3333 equihash EWBF 0.3.4b "}},
		{"ndpi/ethereum.pcap", nil}, {"ndpi/monero.pcap", nil}, {"ndpi/jsonrpc.pcap", nil},
	} {
		var all []string
		for _, f := range replay(t, corpus.Path(t, 6, "captures", filepath.FromSlash(tt.file))) {
			who := f.Mining.Wallet
			if who == "" {
				who = f.Mining.Worker
			}
			_, server, _ := strings.Cut(f.flow, ">")
			all = append(all, server+" "+f.Mining.Dialect+" "+f.Mining.Agent+" "+who)
		}
		for _, w := range tt.want {
			if !slices.ContainsFunc(all, func(g string) bool { return strings.HasPrefix(g, w) }) {
				t.Errorf("%s: %q is not among %q", tt.file, w, all)
			}
		}
		if tt.want == nil && len(all) > 0 {
			t.Errorf("%s: %q", tt.file, all)
		}
	}
}

// TestQuiet replays every capture at hand that is not labelled as mining.
func TestQuiet(t *testing.T) {
	root := corpus.Path(t, 1000, "captures")
	labelled := map[string]bool{}
	for _, row := range rows(t, filepath.Join(root, "labels.tsv")) {
		labelled[row["path"]] = row["label"] == "mining"
	}
	n := 0
	for _, f := range corpus.Captures(t, root) {
		rel, _ := filepath.Rel(root, f)
		if labelled[filepath.ToSlash(rel)] || strings.HasPrefix(rel, "mining-lab") || strings.HasPrefix(rel, "zeek-cryptomining") {
			continue
		}
		n++
		for _, g := range replay(t, f) {
			t.Errorf("%s: %s %s %s %+v", rel, g.flow, g.Level, g.Signature, g.Evidence)
		}
	}
	t.Logf("%d captures without mining", n)
}
