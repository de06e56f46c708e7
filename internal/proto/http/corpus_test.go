package http

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/yamori-net/yamori/internal/corpus"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

// Answers of the evader tests of suricata-verify from which no decoded EICAR
// file comes out. Each is read as described here on purpose.
var evaderMissed = map[string]string{
	"http-evader-116-lzma": "LZMA is not decoded",
}

// The evader captures hide one test file behind odd framing and coding; what a
// browser could make of the answer must be seen.
func TestEvader(t *testing.T) {
	const cases = 261
	dir := corpus.Path(t, cases, "captures", "suricata-verify", "tests", "http-evader")
	files, err := filepath.Glob(filepath.Join(dir, "*", "*.pcap"))
	if err != nil || len(files) < cases {
		t.Fatalf("%d captures, %v", len(files), err)
	}
	for _, file := range files {
		name := filepath.Base(filepath.Dir(file))
		flows, err := prototest.Flows(file)
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, f := range flows {
			if !f.Recognise(Protocol) {
				t.Errorf("%s: not recognised", name)
				continue
			}
			r := prototest.Drive(Protocol, prototest.Options{Conn: f.Conn, OnTx: func(tx proto.Tx, done bool) {
				found = found || done && bytes.HasPrefix(tx.(*Tx).ResponseBody, []byte("X5O!P%@AP["))
			}}, f.Parts...)
			if r.Err != nil {
				t.Errorf("%s: %v", name, r.Err)
			}
		}
		if _, missed := evaderMissed[name]; found == missed {
			t.Errorf("%s: test file found %v", name, found)
		}
	}
}
