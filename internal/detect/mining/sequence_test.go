package mining_test

import (
	"context"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

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

// sighting is one finding about an encrypted flow.
type sighting struct {
	event.Finding
	flow  string        // miner>pool
	after time.Duration // since the flow's first packet
}

// watch replays one capture through the whole engine with the detector of
// sequences alone.
func watch(t testing.TB, file string) (out []sighting) {
	t.Helper()
	src, err := pcapfile.Open(file)
	if err != nil {
		t.Logf("%s: %v", file, err)
		return nil
	}
	defer src.Close()
	first := map[uint64]int64{}
	e, err := engine.New(engine.Config{
		Protocols: builtin.Protocols(), Detectors: []detect.Detector{mining.Sequence()}, Workers: 1,
		Sink: func(int) event.Sink {
			return event.SinkFunc(func(ev *event.Event) {
				if ev.Type == event.Alert && ev.Finding != nil {
					end := func(a netip.Addr, p uint16) string { return netip.AddrPortFrom(a, p).String() }
					out = append(out, sighting{*ev.Finding, end(ev.Src.Netip(), ev.SrcPort) + ">" + end(ev.Dst.Netip(), ev.DstPort), time.Duration(ev.Time - first[0])})
				}
			})
		},
		OnPanic: func(v any, stack []byte) { t.Errorf("%s: panic: %v\n%s", file, v, stack) },
	})
	if err != nil {
		t.Fatal(err)
	}
	_ = src.Run(context.Background(), func(f *packet.Frame) verdict.Verdict {
		if first[0] == 0 {
			first[0] = f.Time
		}
		return e.Workers[0].Handle(f)
	})
	e.Close()
	return out
}

// TestEncryptedLab: every encrypted miner is likely or more, nothing benign is
// even that; the time each took is shown. None of these captures was used for
// the model.
func TestEncryptedLab(t *testing.T) {
	dir := corpus.Path(t, 28, "captures", "mining-lab")
	var took []time.Duration
	for _, row := range rows(t, filepath.Join(dir, "labels.tsv")) {
		if row["label"] == "mining" && row["encrypted"] == "no" {
			continue
		}
		client, server := row["client_ip"], row["server"]
		if a, b, ok := strings.Cut(client, "->"); ok { // of a mix
			client, server = a, b
		}
		found := event.Level(0)
		var after time.Duration
		for _, s := range watch(t, filepath.Join(dir, row["file"])) {
			right := row["label"] != "benign" && strings.HasPrefix(s.flow, client+":") && strings.HasSuffix(s.flow, ">"+server)
			if !right && s.Level >= event.Likely {
				t.Errorf("%s (%s): %s %s %+v", row["file"], row["variant"], s.flow, s.Level, s.Evidence)
			}
			if right && s.Level > found {
				if found < event.Likely {
					after = s.after
				}
				found = s.Level
			}
			t.Logf("%s: %s after %v, confidence %.2f", row["file"], s.Level, s.after.Round(time.Second), s.Confidence)
		}
		if row["label"] == "benign" {
			continue
		}
		if found < event.Likely {
			t.Errorf("%s (%s): level %s", row["file"], row["variant"], found)
			continue
		}
		took = append(took, after)
	}
	slices.Sort(took)
	if n := len(took); n > 0 {
		t.Logf("%d found, median %v, longest %v", n, took[n/2].Round(time.Second), took[n-1].Round(time.Second))
		if took[n/2] > 3*time.Minute {
			t.Errorf("median time to a verdict is %v", took[n/2])
		}
	}
}

// TestSequenceQuiet replays every capture at hand that is not labelled as
// mining: nothing above suspect.
func TestSequenceQuiet(t *testing.T) {
	root := corpus.Path(t, 1000, "captures")
	labelled := map[string]bool{}
	for _, row := range rows(t, filepath.Join(root, "labels.tsv")) {
		labelled[row["path"]] = row["label"] == "mining"
	}
	n, suspects := 0, 0
	for _, f := range corpus.Captures(t, root) {
		rel, _ := filepath.Rel(root, f)
		if labelled[filepath.ToSlash(rel)] || strings.HasPrefix(rel, "mining-lab") || strings.HasPrefix(rel, "zeek-cryptomining") {
			continue
		}
		n++
		for _, s := range watch(t, f) {
			if s.Level > event.Suspect {
				t.Errorf("%s: %s %s %+v", rel, s.flow, s.Level, s.Evidence)
				continue
			}
			suspects++
			t.Logf("%s: %s %s %.2f", rel, s.flow, s.Level, s.Confidence)
		}
	}
	t.Logf("%d captures without mining, %d suspects", n, suspects)
}
