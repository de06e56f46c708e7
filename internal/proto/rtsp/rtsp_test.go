package rtsp

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/proto/prototest"
)

var update = prototest.UpdateFlag()

func TestCaptures(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.pcap")
	if len(files) == 0 {
		t.Fatal("no captures")
	}
	for _, file := range files {
		flows, err := prototest.Flows(file)
		if err != nil {
			t.Fatal(err)
		}
		var got strings.Builder
		for i, f := range flows {
			if !f.Recognise(Protocol) {
				t.Errorf("%s: flow %d not recognised", file, i)
				continue
			}
			r, msgs := run(f.Parts...)
			if _, cut := run(prototest.Split(3, f.Parts...)...); len(cut) != len(msgs) {
				t.Errorf("%s: flow %d cut: %d messages, whole %d", file, i, len(cut), len(msgs))
			}
			fmt.Fprintf(&got, "%s\nanomalies %v error %v\n", strings.Join(msgs, "\n"), r.Anomalies, r.Err)
		}
		golden := strings.TrimSuffix(file, ".pcap") + ".golden"
		if *update {
			if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if want, err := os.ReadFile(golden); err != nil || string(want) != got.String() {
			t.Errorf("%s: %v\n%s", file, err, got.String())
		}
	}
}
