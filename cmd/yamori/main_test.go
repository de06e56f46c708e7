package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReplay(t *testing.T) {
	dir := t.TempDir()
	good := filepath.Join(dir, "capture.pcap")
	writeCapture(t, good)
	b, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(dir, "cut.pcap")
	if err := os.WriteFile(cut, b[:len(b)-20], 0o600); err != nil {
		t.Fatal(err)
	}
	badConfig := filepath.Join(dir, "bad.yaml")
	if err := os.WriteFile(badConfig, []byte("version: 1\nnonsense: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("LC_ALL", "C")
	for _, c := range []struct {
		args   string
		code   int
		stdout string // contained
		stderr string
	}{
		{"replay " + good, 0, "is mining cryptocurrency (monero), for the pool 198.51.100.7:3333. [confirmed]", ""},
		{"replay " + good, 0, "It named itself as mining software (agent XMRig/6.21.0)", ""},
		{"replay --lang ja " + good, 0, "採掘（マイニング）をしています", ""},
		{"replay -o json " + good, 0, `"category":"mining"`, ""},
		{"replay -o eve " + good, 0, `"event_type":"alert"`, ""},
		{"replay -o eve --flows " + good, 0, `"app_proto":"stratum"`, ""},
		{"replay -o eve --flows --workers 3 " + good, 0, `"app_proto":"stratum"`, ""},
		{"replay --fail-on scan,mining " + good, 3, "mining", ""},
		{"replay --fail-on scan " + good, 0, "mining", ""},
		{"replay " + cut, 1, "4 packets", "cut.pcap"},
		{"replay " + filepath.Join(dir, "none.pcap"), 1, "", "check the name, or use - for standard input"},
		{"replay " + badConfig, 1, "", "bad.yaml"},
		{"replay --config " + badConfig + " " + good, 1, "", badConfig + ":2: unknown field"},
		{"replay", 2, "", "see 'yamori replay --help'"},
		{"replay -o xml " + good, 2, "", `output "xml": use human, json or eve`},
		{"replay --workers 0 " + good, 2, "", "workers 0: use 1 to 64"},
		{"replay --home-net x " + good, 2, "", `"x" is not a network`},
		{"replay --lang de " + good, 2, "", `language "de": use en or ja`},
		{"replay --fail-on all " + good, 2, "", "use one of mining, botnet"},
		{"replay -o eve --events dnss " + good, 2, "", `event type "dnss"`},
		{"replay --nonsense", 2, "", "unknown flag: --nonsense; see 'yamori replay --help'"},
		{"nonsense", 2, "", `unknown command "nonsense"`},
		{"", 0, "Usage:", ""},
		{"--version", 0, "yamori devel", ""},
		{"replay --help", 0, "yamori replay --fail-on mining nightly.pcapng", ""},
		{"completion bash", 0, "bash completion", ""},
		{"status --socket " + filepath.Join(dir, "no.sock"), 1, "", "yamori is not running"},
		{"status -o xml", 2, "", `output "xml": use human or json`},
		{"run extra", 2, "", "see 'yamori run --help'"},
		{"run --check --config " + badConfig, 1, "", "nonsense"},
		{"run --interface nosuch0 --socket " + filepath.Join(dir, "x.sock"), 1, "", "nosuch0"},
	} {
		code, out, errs := call(t, strings.Fields(c.args)...)
		if code != c.code || !strings.Contains(out, c.stdout) || !strings.Contains(errs, c.stderr) {
			t.Errorf("yamori %s\nexit %d, want %d\nstdout: %s\nstderr: %s", c.args, code, c.code, out, errs)
		}
	}
}

// TestSummaryShape checks what other programs rely on in the JSON summary.
func TestSummaryShape(t *testing.T) {
	f := filepath.Join(t.TempDir(), "capture.pcap")
	writeCapture(t, f)
	_, out, _ := call(t, "replay", "-o", "json", f)
	var s struct {
		Capture struct {
			Packets, Bytes uint64
			First, Last    string
		}
		Devices []struct {
			ID, MAC, Kind, OS, Maker, Name string
			Addresses                      []string
			Confidence                     *float64
		}
		Findings []struct {
			Category, Family, Verdict, Proto, First, Last, Device string
			Confidence                                            float64
			SrcIP                                                 string `json:"src_ip"`
			DestIP                                                string `json:"dest_ip"`
			SrcPort                                               int    `json:"src_port"`
			DestPort                                              int    `json:"dest_port"`
			Evidence                                              []struct{ Code, Value string }
			Mining                                                struct{ Dialect, Coin, Wallet, Agent, Pool string }
		}
		Flows map[string]int
	}
	if err := json.Unmarshal([]byte(out), &s); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if s.Capture.Packets != 5 || s.Capture.First != "2026-01-01T00:00:00.000000+0000" || s.Capture.Last != "2026-01-01T00:00:00.045000+0000" {
		t.Errorf("capture: %+v", s.Capture)
	}
	if len(s.Devices) != 1 || s.Devices[0].MAC != "02:00:00:00:00:02" || s.Devices[0].Addresses[0] != "192.168.1.2" ||
		s.Devices[0].Kind != "unknown" || s.Devices[0].Confidence == nil {
		t.Errorf("devices: %+v", s.Devices)
	}
	if len(s.Findings) != 1 || s.Flows["stratum"] != 1 {
		t.Fatalf("findings %+v, flows %v", s.Findings, s.Flows)
	}
	g := s.Findings[0]
	if g.Category != "mining" || g.Verdict != "confirmed" || g.SrcIP != "192.168.1.2" || g.DestIP != "198.51.100.7" ||
		g.SrcPort != 40000 || g.DestPort != 3333 || g.Proto != "TCP" || g.Device != "mac:02:00:00:00:00:02" || len(g.Evidence) < 2 ||
		g.Mining.Dialect != "cryptonote" || g.Mining.Coin != "monero" || g.Confidence < 0.9 {
		t.Errorf("finding: %+v", g)
	}
}
