package builtin_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/builtin"
	"github.com/yamori-net/yamori/internal/capture/pcapfile"
	"github.com/yamori-net/yamori/internal/engine"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/match"
	"github.com/yamori-net/yamori/internal/rules"
)

// everything is rules that alert on whatever there is: packets, protocols, and
// every buffer of every protocol.
func everything(t *testing.T) *match.Set {
	t.Helper()
	var b strings.Builder
	sid := 1
	add := func(proto, options string) {
		fmt.Fprintf(&b, "alert %s any any -> any any (msg:\"a \\\"quoted\\\" %d\"; %s classtype:misc-activity; reference:url,example.org/x; sid:%d; rev:2;)\n", proto, sid, options, sid)
		sid++
	}
	add("ip", `dsize:>0; target:src_ip; metadata:created_at 2026_01_01, tag a, tag b, odd"key é;`)
	add("ip", "target:dest_ip;")
	add("icmp", "itype:>0;")
	add("ip", "dsize:>0; flow:to_server; flowbits:set,a.b; flowbits:set,traffic/id/x; flowbits:set,traffic/label/y; flowint:n,+,1;")
	add("tcp", `flow:to_server; content:"e"; entropy:value > 0;`)
	for _, p := range builtin.Protocols() {
		for _, buf := range p.Buffers {
			add(p.Name, buf.Name+`; content:!"|00 01 02 03 fe|";`)
		}
	}
	rs, problems := rules.Parse("t.rules", strings.NewReader(b.String()), rules.ParseConfig{Vars: rules.DefaultVars()})
	s, more := match.Compile(rs, match.Options{Protocols: builtin.Protocols()})
	// Some protocols share a name with none of the language's.
	if n := len(problems) + len(more); n > len(rs)/4 {
		t.Fatalf("%d of %d rules do not load: %v", n, len(rs), more[0])
	}
	return s
}

// Alerts of rules keep to the schema whatever protocol they are about.
func TestRuleAlertsKeepToTheSchema(t *testing.T) {
	set := everything(t)
	files, err := filepath.Glob("../proto/*/testdata/*.pcap")
	if err != nil || len(files) < 60 {
		t.Fatalf("only %d captures found, %v", len(files), err)
	}
	alerts, told := 0, 0
	with := map[string]bool{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var out []byte
		var eve event.EVE
		e, err := engine.New(engine.Config{Protocols: builtin.Protocols(), Rules: set, NumberPackets: true, AlertPayload: true, Flows: true, Events: []event.Type{event.Stats}, Seed: 1,
			Sink:    func(int) event.Sink { return event.SinkFunc(func(ev *event.Event) { out = eve.Append(out, ev) }) },
			OnPanic: func(v any, stack []byte) { t.Errorf("panic: %v\n%s", v, stack) }})
		if err != nil {
			t.Fatal(err)
		}
		src := pcapfile.NewReader(f, bytes.NewReader(b))
		err = src.Run(context.Background(), e.Workers[0].Handle)
		_ = src.Close()
		e.Close()
		if err != nil {
			t.Errorf("%s: %v", f, err)
		}
		for line := range strings.Lines(string(out)) {
			alerts++
			for _, p := range []string{`"http":{`, `"dns":{`, `"tls":{`, `"metadata":{`, `"target":{`, `"flowbits":[`, `"entropy":{`, `"traffic":{`, `"payload":`, `"packet":`} {
				with[p] = with[p] || strings.Contains(line, p)
			}
			if err := checkEvent(line); err != nil && told < 20 {
				told++
				t.Errorf("%s: %v\n%s", f, err, line)
			}
		}
	}
	if alerts < 1000 {
		t.Errorf("%d alerts", alerts)
	}
	for p, ok := range with {
		if !ok {
			t.Errorf("no alert with %s", p)
		}
	}
}
