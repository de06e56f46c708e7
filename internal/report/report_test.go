package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/device"
	"github.com/yamori-net/yamori/internal/engine"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto/stratum"
)

const t0 = int64(1767225600e9) // 2026-01-01

func mining(at int64, port uint16) *event.Event {
	return &event.Event{Time: at, Type: event.Alert, Src: packet.AddrFrom4([]byte{192, 168, 1, 2}), SrcPort: 40000,
		Dst: packet.AddrFrom4([]byte{192, 0, 2, 1}), DstPort: port, Proto: 6, AppProto: "stratum",
		Finding: &event.Finding{Category: event.Mining, Family: "stratum", Detector: "mining", Level: event.Confirmed, Confidence: 0.99,
			Evidence: []event.Evidence{{Code: "stratum.agent", Value: "agent evil\x1b[31m", Weight: 5}, {Code: "no.words", Value: "as it is"}},
			Mining:   &event.MiningDetail{Dialect: "cryptonote", Coin: "monero", Pool: "pool:3333"},
			Device:   event.DeviceRef{ID: "mac:02:00:00:00:00:01", Kind: "unknown"}, Action: "allowed", Code: "mining.stratum"}}
}

func summary(evs ...*event.Event) *Summary {
	c := &Collector{}
	for _, ev := range evs {
		c.Event(ev)
	}
	s := &Summary{Source: "test.pcap", Devices: []device.Device{{ID: "mac:02:00:00:00:00:01", MAC: packet.MAC{2, 5: 1}, HasMAC: true,
		Addresses: []packet.Addr{packet.AddrFrom4([]byte{192, 168, 1, 2})}, Kind: "unknown", First: t0, Last: t0}}}
	s.Stats.Packets, s.Stats.Bytes, s.Stats.First, s.Stats.Last = 1234, 5678900, t0, t0+90e9
	s.Stats.Apps = map[string]engine.AppCount{"stratum": {Flows: 1, Bytes: 1000}, "failed": {Flows: 2}, "": {Flows: 1}}
	s.Findings, s.More = c.Findings()
	return s
}

func TestRepeatedFindingsAreOne(t *testing.T) {
	c := &Collector{}
	var told int
	c.OnNew = func(*Finding) { told++ }
	for i := range 10 {
		c.Event(mining(t0+int64(i)*int64(time.Minute), 3333))
	}
	better := mining(t0+11*int64(time.Minute), 3333)
	better.Finding.Mining.Wallet = "4abc"
	c.Event(better)
	c.Event(mining(t0, 4444))
	c.Event(mining(t0+int64(3*time.Hour), 3333))
	fs, more := c.Findings()
	if len(fs) != 2 || more != 0 {
		t.Fatalf("%d findings, %d more", len(fs), more)
	}
	f := fs[0]
	if f.DstPort == 4444 {
		f = fs[1]
	}
	if f.Count != 12 || f.Mining.Wallet != "4abc" || f.First != t0 || f.Last != t0+int64(3*time.Hour) {
		t.Errorf("%+v", f)
	}
	if told != 3 { // two kinds, and the one that came back after hours
		t.Errorf("told %d times", told)
	}
}

func TestFindingsAreBounded(t *testing.T) {
	c := &Collector{}
	for i := range MaxFindings + 5 {
		ev := mining(t0, 3333)
		ev.Src = packet.AddrFrom4([]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		c.Event(ev)
	}
	if fs, more := c.Findings(); len(fs) != MaxFindings || more != 5 {
		t.Errorf("%d kept, %d more", len(fs), more)
	}
}

func TestAccount(t *testing.T) {
	for lang, want := range map[Lang][]string{
		English: {"Yamori read test.pcap", "1,234 packets, 5.7 MB, over 1m30s (from 2026-01-01 00:00:00 UTC", "1 thing needs you",
			"! The device 192.168.1.2 (02:00:00:00:00:01) is mining cryptocurrency (monero), for the pool pool:3333. [confirmed]",
			"It named itself as mining software (agent evil\ufffd[31m)", "    - as it is\n", "nothing was blocked", "not recognised"},
		Japanese: {"test.pcap を読みました", "ご確認ください：1 件", "採掘プログラムの名前を名乗りました", "種類不明", "[確実]"},
		"fr":     {"Yamori read"}, // unknown: English
	} {
		var b bytes.Buffer
		if err := WriteAccount(&b, summary(mining(t0, 3333)), lang); err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(b.String(), w) {
				t.Errorf("%s: no %q in\n%s", lang, w, b.String())
			}
		}
		if strings.Contains(b.String(), "\x1b") {
			t.Errorf("%s: a control character reached the terminal", lang)
		}
	}
}

// Flows given up for want of memory are told, whatever the memory was for.
func TestMemoryIsTold(t *testing.T) {
	s := summary()
	s.Stats.HeldLimit, s.Stats.ParserLimit, s.Stats.Shed = 1000, 200, 34
	var account, js bytes.Buffer
	if err := WriteAccount(&account, s, English); err != nil {
		t.Fatal(err)
	}
	if err := WriteJSON(&js, s); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(account.String(), "1,234 connections were not read to the end") || !strings.Contains(js.String(), `"memory_limit_flows":1234`) {
		t.Errorf("%s\n%s", account.String(), js.String())
	}
}

// Each way of mining has a sentence of its own, about the device; a code that
// has none yet is told as mining for a pool.
func TestMiningSentences(t *testing.T) {
	for _, tt := range []struct {
		code   string
		en, ja string
		doEN   string
	}{
		{"mining.stratum", "is mining cryptocurrency (monero), for the pool pool:3333. [confirmed]", "採掘（マイニング）をしています。接続先：pool:3333 [確実]", "If this is you, nothing."},
		{"mining.getwork", "is mining cryptocurrency (monero), with work that it fetches piece by piece from pool:3333. [", "仕事を少しずつ受け取っている相手：pool:3333 [", "If this is you, nothing."},
		{"mining.getblocktemplate", "is mining cryptocurrency (monero) by itself, not for a pool: it fetches the blocks to mine from pool:3333. [", "プールを通さず自力で仮想通貨（monero）の採掘", "If this is you, nothing."},
		{"mining.browser", "is mining cryptocurrency (monero) inside a web page that is open in its browser, for pool:3333. [", "ウェブページの中で仮想通貨（monero）の採掘", "Close the web page"},
		{"mining.later", "is mining cryptocurrency (monero), for the pool pool:3333. [", "採掘（マイニング）をしています。接続先：pool:3333 [", "If this is you, nothing."},
	} {
		ev := mining(t0, 3333)
		ev.Finding.Code = tt.code
		s := summary(ev)
		for lang, want := range map[Lang]string{English: tt.en, Japanese: tt.ja} {
			var out bytes.Buffer
			if err := WriteAccount(&out, s, lang); err != nil {
				t.Fatal(err)
			}
			who := map[Lang]string{English: "\n! The device 192.168.1.2 ", Japanese: "\n! 機器 192.168.1.2（"}[lang]
			if got := out.String(); !strings.Contains(got, who) || !strings.Contains(got, want) || strings.Contains(got, "%!") {
				t.Errorf("%s, %s: want %q in\n%s", tt.code, lang, want, got)
			}
			if lang == English && !strings.Contains(out.String(), "\n  "+tt.doEN) {
				t.Errorf("%s: want %q in\n%s", tt.code, tt.doEN, out.String())
			}
		}
	}
}

func TestQuietAccount(t *testing.T) {
	s := summary()
	s.Problem = errors.New("cut off at byte 7")
	s.Stats.Malformed = 3
	var b bytes.Buffer
	if err := WriteAccount(&b, s, English); err != nil {
		t.Fatal(err)
	}
	for _, w := range []string{"Nothing needs you", "3 packets were malformed", "could not be read to its end: cut off at byte 7"} {
		if !strings.Contains(b.String(), w) {
			t.Errorf("no %q in\n%s", w, b.String())
		}
	}
}

func TestJSON(t *testing.T) {
	s := summary(mining(t0, 3333))
	s.Problem = errors.New("cut \"off\"")
	var b bytes.Buffer
	if err := WriteJSON(&b, s); err != nil {
		t.Fatal(err)
	}
	var v map[string]any
	if err := json.Unmarshal(b.Bytes(), &v); err != nil {
		t.Fatalf("%v\n%s", err, b.String())
	}
	if got := fmt.Sprint(v["flows"]); got != "map[failed:2 none:1 stratum:1]" {
		t.Error(got)
	}
}

// Every mark of the mining detector has its words in both languages.
func TestEveryMarkHasWords(t *testing.T) {
	for m := range stratum.NumMarks {
		for _, l := range []Lang{English, Japanese} {
			if words(m.Code(), l) == "" {
				t.Errorf("%s has no words in %s", m.Code(), l)
			}
		}
	}
}

func TestUnits(t *testing.T) {
	for n, want := range map[uint64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := Count(n); got != want {
			t.Errorf("Count(%d) = %s", n, got)
		}
	}
	for n, want := range map[uint64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 8123456: "8.1 MB", 5e15: "5000.0 TB"} {
		if got := Size(n); got != want {
			t.Errorf("Size(%d) = %s", n, got)
		}
	}
	for n, want := range map[int64]string{-5: "0s", 5e6: "5ms", 1.26e9: "1.3s", 837e9: "13m57s"} {
		if got := Span(n); got != want {
			t.Errorf("Span(%d) = %s", n, got)
		}
	}
	if LangFromLocale("ja_JP.UTF-8") != Japanese || LangFromLocale("C") != English || LangFromLocale("") != English {
		t.Error("locale")
	}
}
