package labnet

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// TestDrill: a drill without a failure is whole; one in which the gateway
// stands still for a while says for how long; one in which it resets or forgets
// says what broke.
func TestDrill(t *testing.T) {
	h := makeHome(t, Options{Devices: []string{"pc", "phone"}, IPv6: true})
	const short = 900 * time.Millisecond
	rules := func(t *testing.T, chain string) {
		t.Helper()
		if err := nft(h.Gate, "table inet drill {\nchain f {\ntype filter hook forward priority 0;\n"+chain+"\n}\n}\n"); err != nil {
			t.Fatal(err)
		}
	}
	lift := func() error { return h.Gate.Run("nft", "delete", "table", "inet", "drill") }
	t.Run("nothing", func(t *testing.T) {
		r, err := Drill{Home: h, For: short, V6: true}.Run(context.Background())
		if err != nil || !r.Whole() || r.Transfers != 2 || r.Bytes < 10<<20 || r.Requests < 100 || r.Slowest == 0 || r.P50 > r.P99 || r.Gap == 0 || r.Gap > short {
			t.Errorf("%v (%v)", r, err)
		}
		t.Log(r)
	})
	t.Run("stands still", func(t *testing.T) {
		r, err := Drill{Home: h, For: short, Do: func(context.Context) error {
			rules(t, "drop")
			time.Sleep(400 * time.Millisecond)
			return lift()
		}}.Run(context.Background())
		if err != nil || !r.Whole() || r.Gap < 350*time.Millisecond || r.Slowest < 350*time.Millisecond {
			t.Errorf("%v (%v)", r, err)
		}
		t.Log(r)
	})
	t.Run("resets", func(t *testing.T) {
		r, err := Drill{Home: h, For: short, Requests: 50, Transfers: 1, Do: func(context.Context) error {
			rules(t, "meta l4proto tcp reject with tcp reset")
			time.Sleep(100 * time.Millisecond)
			return lift()
		}}.Run(context.Background())
		if err != nil || r.Broken != 1 || r.Failed == 0 || r.Whole() || len(r.Problems) == 0 || !strings.Contains(r.String(), "refused") {
			t.Errorf("%v (%v)", r, err)
		}
	})
	t.Run("only requests", func(t *testing.T) {
		wrong := errors.New("wrong")
		r, err := Drill{Home: h, For: 300 * time.Millisecond, Transfers: -1, Requests: 20, Do: func(context.Context) error { return wrong }}.Run(context.Background())
		if !errors.Is(err, wrong) || !r.Whole() || r.Transfers != 0 || r.Bytes != 0 || r.Requests < 3 || r.Requests > 8 {
			t.Errorf("%v (%v)", r, err)
		}
	})
	if _, err := (Drill{Home: h, Bulk: "fridge"}).Run(context.Background()); err == nil {
		t.Error("a drill with a device that is not there")
	}
}
