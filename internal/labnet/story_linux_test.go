package labnet

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestStory: the same seed gives the same day; everything that begins ends
// well; the clean day holds nothing bad, the infected one all of it.
func TestStory(t *testing.T) {
	h := makeHome(t, Options{IPv6: true, Patience: 2 * time.Second}) // a busy machine answers late
	play := func(infected bool, seed uint64) (codes []string) {
		open := map[string]int{}
		err := Story{Home: h, Infected: infected, Speed: 60, Seed: seed, Tell: func(m Moment) {
			if m.End == nil {
				open[m.Device+m.Code]++
				codes = append(codes, m.Code)
			} else if open[m.Device+m.Code]--; !m.End.OK() {
				t.Errorf("%s: %s %v", m.Device, m.Code, m.End)
			}
			if m.Bad && !infected || m.Clock < 0 || m.Clock > 144*time.Hour {
				t.Errorf("%+v", m)
			}
		}}.Play(context.Background())
		if err != nil {
			t.Error(err)
		}
		for what, n := range open {
			if n != 0 {
				t.Errorf("%s began and did not end", what)
			}
		}
		return codes
	}
	all := play(true, 7)
	for _, c := range Codes() {
		if !slices.Contains(all, c) {
			t.Errorf("%s does not happen", c)
		}
	}
	if again := play(true, 7); !slices.Equal(all, again) {
		t.Errorf("the same seed: %s\nand %s", strings.Join(all, " "), strings.Join(again, " "))
	}
	if clean := play(false, 8); len(clean) != len(everyday) {
		t.Errorf("a clean day: %s", strings.Join(clean, " "))
	}
}
