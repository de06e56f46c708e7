package socks

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
			r, last := run(f.Parts...)
			if _, cut := run(prototest.Split(3, f.Parts...)...); cut != last {
				t.Errorf("%s: flow %d cut: %s", file, i, cut)
			}
			fmt.Fprintf(&got, "%s, switched %v, finished %v, error %v\n", last, r.Switched, r.Finished, r.Err)
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
