package report

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
)

// update is what a connection of mining() tells, s seconds after its start.
func update(flow uint64, s int64, final bool, r event.MiningRun) *event.Event {
	ev := mining(t0, 3333)
	r.First, r.Last = t0, t0+s*1e9
	u := &event.MiningUpdate{Detail: *ev.Finding.Mining, Family: ev.Finding.Family, Final: final, FromClient: true, Device: ev.Finding.Device}
	u.Detail.Run = &r
	ev.Type, ev.Time, ev.FlowID, ev.Body, ev.Finding = event.MiningProgress, r.Last, flow, u, nil
	return ev
}

func run(shares uint64) event.MiningRun {
	return event.MiningRun{Shares: shares, Accepted: shares - 1, Rejected: 1, PerShare: 36e5, Work: float64(shares-1) * 36e5, Joules: [2]float64{5e-3, 6e-2}, Least: 4, Basis: "randomx"}
}

func TestCostIsTold(t *testing.T) {
	s := summary(mining(t0, 3333), update(1, 1800, false, run(5)), update(1, 3600, true, run(11)), update(2, 3600, true, run(11)))
	var en, ja, js bytes.Buffer
	if WriteAccount(&en, s, English) != nil || WriteAccount(&ja, s, Japanese) != nil || WriteJSON(&js, s) != nil {
		t.Fatal("not written")
	}
	for _, tt := range []struct{ in, want string }{
		{en.String(), "It went on for 1h0m0s; results handed in: 22 (20 accepted, 2 refused). That is about 20 kH/s (give or take 22 %).\n"},
		{en.String(), "This may have taken 100 to 1200 Wh of electricity (100 to 1200 W), if each hash takes 5 mJ to 60 mJ, as machines in use for it do.\n"},
		{ja.String(), "1 時間続き、結果を 22 件提出しました（受理 20 件、拒否 2 件）。"},
		{ja.String(), "電気の使用量は 100〜1200 Wh（100〜1200 W）と見積もられます。"},
		{js.String(), `"duration":3600,"jobs":0,"shares":22,"accepted":20,"rejected":2,`},
		{js.String(), `"hash_rate":20000,`},
	} {
		if !strings.Contains(tt.in, tt.want) {
			t.Errorf("%q is not in\n%s", tt.want, tt.in)
		}
	}
}

// TestLearned: a login that comes after the finding is told, too, and does not
// replace what the finding knew. Evidence without a value has no brackets.
func TestLearned(t *testing.T) {
	first := mining(t0, 3333)
	was := *first.Finding.Mining
	was.Worker, was.Wallet, was.Agent = "", "", "cpuminer/2.5.1"
	first.Finding.Mining = &was
	first.Finding.Evidence = append(first.Finding.Evidence, event.Evidence{Code: "sequence.no_name", Weight: 1})
	u := update(1, 1800, true, run(5))
	u.Body.(*event.MiningUpdate).Detail.Wallet = "WALLET"
	u.Body.(*event.MiningUpdate).Detail.Worker = "attic"
	u.Body.(*event.MiningUpdate).Detail.Agent = "other/1"
	var b bytes.Buffer
	if err := WriteAccount(&b, summary(first, u), English); err != nil {
		t.Fatal(err)
	}
	if s := b.String(); !strings.Contains(s, "program cpuminer/2.5.1; worker attic; wallet WALLET; pool") || strings.Contains(s, "()") {
		t.Errorf("%s", s)
	}
	if was.Wallet != "" {
		t.Error("the finding that others hold was changed")
	}
}

func TestCostOfLittle(t *testing.T) {
	idle := event.MiningRun{Basis: "gpu", Power: [2]float64{60, 350}}
	slow := event.MiningRun{Shares: 4, Accepted: 4, Work: 40, PerShare: 10, Joules: [2]float64{8e-7, 1e-5}, Least: 60, Basis: "ethash", Reported: 98, Solutions: true, Assumed: "sha256d"}
	for _, tt := range []struct {
		run  event.MiningRun
		want string
	}{
		{idle, "It went on for 30m0s and handed in no result.\n  This may have taken 30 to 180 Wh of electricity (60 to 350 W), if it keeps a graphics card busy.\n"},
		{slow, "It says that it mines at 98 Sol/s. (Reckoned as sha256d: the connection does not name the algorithm.)\n  This may have taken up to 30 Wh of electricity (60 W), if each solution takes 800 nJ to 10 µJ"},
		{event.MiningRun{}, "It went on for 30m0s and handed in no result.\n  How we know"},
	} {
		var b bytes.Buffer
		if err := WriteAccount(&b, summary(mining(t0, 3333), update(1, 1800, true, tt.run)), English); err != nil || !strings.Contains(b.String(), tt.want) {
			t.Errorf("%q is not in\n%s", tt.want, b.String())
		}
	}
}

// TestTally: a connection counts once however often it tells of itself, and a
// better finding keeps what was added up.
func TestTally(t *testing.T) {
	c := &Collector{}
	c.Event(mining(t0, 3333))
	for i := range uint64(3 * maxOpen) {
		c.Event(update(i, 60, false, run(2)))
		c.Event(update(i, 120, false, run(3)))
	}
	fs, _ := c.Findings()
	if r := fs[0].tally.total(); r.Shares != 3*maxOpen || len(fs[0].tally.open) != maxOpen {
		t.Errorf("%d shares, %d open", r.Shares, len(fs[0].tally.open))
	}
	for i := range uint64(3 * maxOpen) {
		c.Event(update(i, 180, true, run(4)))
	}
	better := mining(t0, 3333)
	better.Finding.Mining.Wallet = "4abc"
	c.Event(better)
	c.Event(update(99, 60, true, run(4)))
	stranger := update(100, 60, true, run(4))
	stranger.DstPort = 1
	c.Event(stranger)
	fs, _ = c.Findings()
	if r := fs[0].tally.total(); r.Shares != 4*3*maxOpen+4 || len(fs[0].tally.open) != 0 || len(fs) != 1 {
		t.Errorf("%d shares, %d open", r.Shares, len(fs[0].tally.open))
	}
}

func TestGathererIsTold(t *testing.T) {
	ev := mining(t0, 3333)
	ev.Finding.Code = "mining.collector"
	ev.Finding.Mining.Miners, ev.Finding.Mining.MinersTotal = []string{"192.168.1.7", "192.168.1.8"}, 9
	var en, ja bytes.Buffer
	_, _ = WriteAccount(&en, summary(ev), English), WriteAccount(&ja, summary(ev), Japanese)
	for _, tt := range []struct{ in, want string }{
		{en.String(), "gathers the mining of other devices in the home (monero) and passes it on to pool:3333. ["},
		{en.String(), "It serves 9 miners: 192.168.1.7, 192.168.1.8 and others\n"},
		{en.String(), "unplug this device first"},
		{ja.String(), "9 台の採掘をまとめています：192.168.1.7, 192.168.1.8 ほか"},
	} {
		if !strings.Contains(tt.in, tt.want) {
			t.Errorf("%q is not in\n%s", tt.want, tt.in)
		}
	}
}

// TestGathererIsOneStory: whichever of its connections tells it.
func TestGathererIsOneStory(t *testing.T) {
	c := &Collector{}
	for i := range byte(4) {
		ev := mining(t0, 3333)
		ev.Finding.Family = "collector"
		ev.Finding.Mining.MinersTotal = int(i) + 1
		ev.Dst = packet.AddrFrom4([]byte{192, 168, 1, 30 + i})
		c.Event(ev)
	}
	if fs, _ := c.Findings(); len(fs) != 1 || fs[0].Mining.MinersTotal != 4 || fs[0].Count != 4 {
		t.Errorf("%d findings: %+v", len(fs), fs[0])
	}
}

func TestSI(t *testing.T) {
	for v, want := range map[float64]string{0: "0 H", 1: "1 H", 999: "1000 H", 1234: "1.2 kH", 27e12: "27 TH", 5e-3: "5 mH", 2e-5: "20 µH", 1.5e-11: "15 pH", 3e18: "3000 PH", math.Inf(1): "0 PH"} {
		if got := SI(v, "H"); got != want {
			t.Errorf("%v: %q, want %q", v, got, want)
		}
	}
}
