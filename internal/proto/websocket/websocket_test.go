package websocket

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

var update = prototest.UpdateFlag()

// afterUpgrade drops the HTTP head of each direction.
func afterUpgrade(t *testing.T, parts []prototest.Part) (out []prototest.Part) {
	var head [2][]byte
	var done [2]bool
	for _, p := range parts {
		if !done[p.Dir] {
			head[p.Dir] = append(head[p.Dir], p.Data...)
			_, rest, ok := bytes.Cut(head[p.Dir], []byte("\r\n\r\n"))
			if !ok {
				continue
			}
			done[p.Dir], p.Data = true, rest
		}
		if len(p.Data) > 0 {
			out = append(out, p)
		}
	}
	if !done[packet.ToServer] || !done[packet.ToClient] {
		t.Fatal("no upgrade")
	}
	return out
}

func TestCaptures(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.pcap")
	if len(files) == 0 {
		t.Fatal("no captures")
	}
	for _, file := range files {
		flows, err := prototest.Flows(file)
		if err != nil || len(flows) != 1 {
			t.Fatal(file, len(flows), err)
		}
		parts := afterUpgrade(t, flows[0].Parts)
		r, txs := run(parts...)
		got := strings.Join(txs, "\n") + fmt.Sprintf("\ncarried %d anomalies %v error %v\n", len(r.Messages), r.Anomalies, r.Err)
		if _, cut := run(prototest.Split(7, parts...)...); strings.Join(cut, "\n") != strings.Join(txs, "\n") {
			t.Errorf("%s: cut differently: %q", file, cut)
		}
		golden := strings.TrimSuffix(file, ".pcap") + ".golden"
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if want, err := os.ReadFile(golden); err != nil || string(want) != got {
			t.Errorf("%s: %v\n%s", file, err, got)
		}
	}
}

func TestReadme(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range Protocol.Buffers {
		if !bytes.Contains(text, []byte("`"+b.Name+"`")) {
			t.Errorf("%s is not named", b.Name)
		}
	}
}
