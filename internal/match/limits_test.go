package match

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/flow"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/rules"
)

// TestMaxDataset reaches the bound on the entries of a data set, by adding and
// by loading.
func TestMaxDataset(t *testing.T) {
	const most = 1000 // a million takes a second
	if (&dataset{}).limit() != MaxDataset {
		t.Error("another bound stands by default")
	}
	path := filepath.Join(t.TempDir(), "set")
	var text []byte
	for i := range most + 1 {
		text = append(strconv.AppendInt(text, int64(i), 10), '\n')
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	d := &dataset{kind: "words", has: map[string]uint16{}, most: most} // no type of rules: values as they are
	if err := d.read(path); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("more than %d entries", most)) || len(d.has) != most {
		t.Fatalf("%d entries, %v", len(d.has), err)
	}
	if d.add([]byte("one more")) || len(d.has) != most {
		t.Errorf("%d entries", len(d.has))
	}
	if d.add([]byte("0")) {
		t.Error("what is there is new again")
	}
	if !d.remove([]byte("0"), nil) || !d.add([]byte("one more")) {
		t.Error("a removed entry makes no room")
	}
}

// TestMaxInstances reaches the bound on the instances of a buffer: the 256th
// is looked at, the next one is not, whether a filter finds the rule or not.
func TestMaxInstances(t *testing.T) {
	many := proto.Protocol{Name: "many", On: proto.UDP, Buffers: []proto.Buffer{{Name: "many.value", Doc: "one of many", Dir: packet.ToServer,
		Get: func(_ proto.Tx, i int) ([]byte, bool) { return []byte("n" + strconv.Itoa(i) + "x"), i < 300 }}}}
	rs, _ := rules.Parse("t.rules", strings.NewReader(`alert many any any -> any any (many.value; content:"n0x"; sid:1;)
alert many any any -> any any (many.value; content:"n255x"; sid:2;)
alert many any any -> any any (many.value; content:"n256x"; sid:3;)
alert many any any -> any any (many.value; bsize:5; pcre:"/^n255.$/"; sid:4;)
alert many any any -> any any (many.value; bsize:5; pcre:"/^n256.$/"; sid:5;)
alert many any any -> any any (many.value; pcre:"/^n25[0-5].$/"; sid:6;)
alert many any any -> any any (many.value; pcre:"/^n2(5[6-9]|[6-9].).$/"; sid:7;)
`), rules.ParseConfig{})
	set, problems := Compile(rs, Options{Protocols: []proto.Protocol{many}})
	if len(problems) > 0 {
		t.Fatal(problems[0])
	}
	var got []uint32
	w := NewWorker(set, Config{OnAlert: func(a *Alert) { got = append(got, a.Rule.SID) }})
	f := &flow.Flow{AppIndex: 1, AppProto: "many"}
	f.Key.Proto = packet.ProtoUDP
	p := &packet.Packet{Version: 4, Proto: packet.ProtoUDP, Payload: []byte("x")}
	w.Begin(p, f, packet.ToServer)
	w.Tx(0, noTx{}, true)
	w.End()
	if want := []uint32{1, 2, 4, 6}; !slices.Equal(got, want) {
		t.Errorf("alerts %v, want %v", got, want)
	}
}
