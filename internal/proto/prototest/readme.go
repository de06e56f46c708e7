package prototest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/proto"
)

// Readme checks a protocol's README.md against the code: each example event in
// it (a line that begins with a quotation mark) is one that a capture in
// testdata gives, each rule buffer is named, and the usual ports are not wrong.
func Readme(t *testing.T, p proto.Protocol) {
	b, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	var golden strings.Builder
	files, _ := filepath.Glob("testdata/*.golden")
	for _, f := range files {
		g, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		golden.Write(g)
	}
	examples := 0
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, `"`) {
			examples++
			if !strings.Contains(golden.String(), line) {
				t.Errorf("no capture gives the example %s", line)
			}
		}
	}
	if examples == 0 {
		t.Error("no example event")
	}
	for _, buf := range p.Buffers {
		if !strings.Contains(text, "`"+buf.Name+"`") {
			t.Errorf("buffer %s is not named", buf.Name)
		}
	}
	if !strings.Contains(text, "`"+p.Name+"`") {
		t.Errorf("the name %s does not stand in it", p.Name)
	}
}
