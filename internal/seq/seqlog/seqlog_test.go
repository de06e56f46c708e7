package seqlog

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/seq"
)

func TestRoundTrip(t *testing.T) {
	f := &Flow{Source: "s", ID: "s-1", Mining: true, Group: "g", Client: "c", Kind: seq.TLS12, Stack: "go"}
	for i := range MaxMessages + 5 {
		f.Message(int64(i+1)*250e5, packet.Dir(i&1), 10+i)
	}
	if len(f.Msgs) != MaxMessages {
		t.Fatalf("%d messages kept", len(f.Msgs))
	}
	name := filepath.Join(t.TempDir(), "x.gz")
	if err := Write(name, []*Flow{f, {Source: "s", ID: "empty"}}); err != nil {
		t.Fatal(err)
	}
	got, err := Read(name)
	if err != nil || len(got) != 2 || !reflect.DeepEqual(got[0], f) {
		t.Fatalf("%v, %d flows", err, len(got))
	}
	for _, bad := range []string{"", "a\tb", "s\ti\tmining\tg\tc\tx\tgo\t0\t0,1", "s\ti\tmining\tg\tc\t1\tgo\tx\t0,1", "s\ti\tmining\tg\tc\t1\tgo\t0\t0-1"} {
		if _, err := parse(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	if _, err := parse(strings.Repeat("\t", 8)); err == nil {
		t.Error("a line without numbers was taken")
	}
}
