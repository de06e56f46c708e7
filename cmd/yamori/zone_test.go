package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// TestHomeZone: days begin, and times are shown, where the owner says that the
// home is, whatever zone the machine has.
func TestHomeZone(t *testing.T) {
	t.Setenv("LC_ALL", "C")
	x := newHome(t)
	for _, zone := range [][2]string{{"Asia/Tokyo", "+09:00"}, {"America/Los_Angeles", "-08:00"}} {
		if code, _, errs := call(t, "settings", "time_zone="+zone[0], "--socket", x.socket); code != 0 {
			t.Fatal(errs)
		}
		code, out, errs := call(t, "report", "--from", "2026-01", "--to", "2026-01", "-o", "json", "--socket", x.socket)
		if want := "  \"from\": \"2026-01-01T00:00:00" + zone[1] + "\",\n  \"to\": \"2026-02-01T00:00:00" + zone[1] + "\","; code != 0 || !strings.Contains(out, want) {
			t.Errorf("%s: %d %s %.200s", zone[0], code, errs, out)
		}
	}
	const zone = "Pacific/Marquesas" // half an hour off everybody else
	if code, _, errs := call(t, "settings", "time_zone="+zone, "--socket", x.socket); code != 0 {
		t.Fatal(errs)
	}
	loc, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	var st struct{ Since time.Time }
	if _, out, errs := call(t, "status", "-o", "json", "--socket", x.socket); json.Unmarshal([]byte(out), &st) != nil {
		t.Fatal(out, errs)
	}
	if _, out, _ := call(t, "status", "--socket", x.socket); !strings.Contains(out, "since "+st.Since.In(loc).Format(time.DateTime)) {
		t.Errorf("status is not in the home's zone: %s", out)
	}
	a := &asker{}
	a.now = time.Date(2026, 1, 1, 8, 30, 0, 0, time.FixedZone("JST", 9*3600))
	if got := a.stamp(a.now.UTC()); got != "2026-01-01 08:30" {
		t.Error(got)
	}
	if got, err := when("since", "2026-01-01", a.now); err != nil || !got.Equal(a.now.Add(-8*60*60e9-30*60e9)) {
		t.Error(got, err)
	}
}

// TestPolicyTimeline: who changed what of the policy stands in the timeline.
func TestPolicyTimeline(t *testing.T) {
	t.Setenv("LC_ALL", "C")
	x := newHome(t)
	for _, args := range [][]string{{"block", "203.0.113.9"}, {"undo"}, {"policy", "watch"}} {
		if code, _, errs := call(t, append(args, "--socket", x.socket)...); code != 0 {
			t.Fatal(args, errs)
		}
	}
	for lang, want := range map[string][]string{"en": {"blocked: ", "taken back: blocked", "mode watch (by uid:"}, "ja": {"遮断：", "取り消し：遮断", "モード watch（uid:"}} {
		_, out, errs := call(t, "timeline", "--lang", lang, "--socket", x.socket)
		for _, w := range want {
			if !strings.Contains(out, w) {
				t.Errorf("%s: no %q in %s%s", lang, w, out, errs)
			}
		}
	}
}
