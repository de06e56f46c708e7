package enforce

import (
	"reflect"
	"testing"
)

func TestParseFlowTables(t *testing.T) {
	soft, hard := parseFlowTables(`table inet fw4 {
	flowtable ft {
		hook ingress priority filter
		devices = { lan1, wan }
		flags offload
		counter
	}
}
table ip mine {
	flowtable slow {
		hook ingress priority 0
		devices = { eth0 }
	}
}
`)
	if !reflect.DeepEqual(soft, []string{"ip mine slow"}) || !reflect.DeepEqual(hard, []string{"inet fw4 ft"}) {
		t.Errorf("%q, %q", soft, hard)
	}
	if soft, hard = parseFlowTables("table inet x {\n}\n"); soft != nil || hard != nil {
		t.Errorf("%q, %q of none", soft, hard)
	}
}

func TestJudge(t *testing.T) {
	codes := func(a Abilities, tables string) (out []string) {
		a.judge(tables)
		for _, f := range a.Findings {
			out = append(out, f.Code)
		}
		return out
	}
	for _, tt := range []struct {
		a      Abilities
		tables string
		can    bool
		want   []string
	}{
		{Abilities{NFT: true, NFTQueue: true, Bridge: true}, "", true, nil},
		{Abilities{NFT: true, XTQueue: true, Bridge: true}, "", true, nil},
		{Abilities{XTQueue: true}, "", false, []string{NoNFT, NoBridge}},
		{Abilities{NFT: true, Bridge: true}, "table inet f {\nflowtable a {\n}\n}\n", false, []string{NoQueue, FlowTables}},
	} {
		if got := codes(tt.a, tt.tables); !reflect.DeepEqual(got, tt.want) || tt.a.CanInspect() != tt.can {
			t.Errorf("%+v: %q, want %q", tt.a, got, tt.want)
		}
	}
}
