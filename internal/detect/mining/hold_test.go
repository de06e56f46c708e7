package mining

import (
	"testing"

	"github.com/yamori-net/yamori/internal/detect"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/http"
	"github.com/yamori-net/yamori/internal/proto/stratum"
)

// TestHold: a finding is told again after it was held, and cannot be held once
// work was handed in, at the flow's end, or where it is put together over many
// connections.
func TestHold(t *testing.T) {
	in := Detector.New()
	h := in.(detect.Holder)
	miner := func() *stratum.Tx {
		tx := &stratum.Tx{}
		tx.Dialect = stratum.DialectStratum
		tx.Mark(stratum.MarkMethod)
		tx.Mark(stratum.MarkAgent)
		return tx
	}
	tx := miner()
	c := &proto.Conn{}
	if !tx.Session.Mining() {
		t.Fatal("the marks do not make a miner")
	}
	for range 3 {
		if _, ok := in.Inspect(nil, c, tx); !ok {
			t.Fatal("not found")
		}
		if !h.Hold(tx) {
			t.Fatal("cannot wait")
		}
	}
	if _, ok := in.Inspect(nil, c, tx); !ok {
		t.Error("not found in the end")
	}
	if _, ok := in.Inspect(nil, c, tx); ok {
		t.Error("told twice")
	}
	over, rich, named := miner(), miner(), miner()
	named.Worker.Set([]byte("nobody"))
	over.Done, rich.Shares = true, 1
	for name, tx := range map[string]proto.Tx{"at the end": over, "with a share": rich, "logged in": named, "over HTTP": &http.Tx{}} {
		if h.Hold(tx) {
			t.Errorf("%s: held", name)
		}
	}
	if !h.Hold(tx) {
		t.Error("a session that goes on cannot wait")
	}
}
