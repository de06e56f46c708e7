package report

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

// TestDaemonText: both languages say everything, with the same arguments.
func TestDaemonText(t *testing.T) {
	en, ja := reflect.ValueOf(*Daemon(English)), reflect.ValueOf(*Daemon(Japanese))
	for i := range en.NumField() {
		name := en.Type().Field(i).Name
		if en.Field(i).Kind() == reflect.Map {
			if !reflect.DeepEqual(len(en.Field(i).MapKeys()), len(ja.Field(i).MapKeys())) {
				t.Errorf("%s: the languages differ", name)
			}
			continue
		}
		a, b := en.Field(i).String(), ja.Field(i).String()
		if a == "" || b == "" || strings.Count(a, "%") != strings.Count(b, "%") {
			t.Errorf("%s: %q and %q", name, a, b)
		}
	}
	for _, state := range []string{"watching", "protecting", "waiting"} {
		for _, lang := range []Lang{English, Japanese} {
			if strings.Count(Daemon(lang).Head[state], "%s") != 4 {
				t.Errorf("%s: %q", state, Daemon(lang).Head[state])
			}
		}
	}
	if Daemon("de") != Daemon(English) {
		t.Error("a language without words is not told in English")
	}
}

func TestFor(t *testing.T) {
	for _, x := range []struct {
		d      time.Duration
		en, ja string
	}{
		{-time.Second, "0 s", "0 秒"},
		{4*time.Second + 400*time.Millisecond, "4 s", "4 秒"},
		{time.Minute, "1 min", "1 分"},
		{13*time.Minute + 58*time.Second, "13 min 58 s", "13 分 58 秒"},
		{2 * time.Hour, "2 h", "2 時間"},
		{50*time.Hour + 3*time.Minute + time.Second, "50 h 3 min", "50 時間 3 分"},
	} {
		if en, ja := For(English, x.d), For(Japanese, x.d); en != x.en || ja != x.ja {
			t.Errorf("%v: %q, %q", x.d, en, ja)
		}
	}
}
