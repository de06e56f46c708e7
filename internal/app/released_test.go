package app

import (
	"fmt"
	"testing"

	"github.com/yamori-net/yamori/internal/engine"
)

func TestReleased(t *testing.T) {
	st := &engine.Stats{Apps: map[string]engine.AppCount{
		"tls": {Flows: 3, Unseen: 77, LetGo: [engine.LetGoReasons]uint64{engine.LetGoOver: 2}}, "http": {LetGo: [engine.LetGoReasons]uint64{engine.LetGoSide: 5}}, "dns": {Flows: 9}, "": {},
	}}
	var got []string
	for _, s := range released(st) {
		got = append(got, fmt.Sprint(s.Name, s.Labels, s.Value))
	}
	if want := "[yamori_released_total[http side] 5 yamori_released_total[tls over] 2 yamori_released_bytes_total[tls] 77]"; fmt.Sprint(got) != want {
		t.Errorf("%v, want %s", got, want)
	}
}
