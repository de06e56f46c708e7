package builtin

import (
	"fmt"
	"reflect"
	"runtime"
	"testing"
)

func TestZZ(t *testing.T) {
	for _, p := range Protocols() {
		x := p.New()
		var a, b runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&a)
		ks := make([]any, 1000)
		for i := range ks {
			ks[i] = p.New()
		}
		runtime.ReadMemStats(&b)
		sz := uintptr(0)
		if reflect.TypeOf(x).Kind() == reflect.Pointer {
			sz = reflect.TypeOf(x).Elem().Size()
		}
		fmt.Printf("%-12s sizeof %6d new %6d\n", p.Name, sz, (b.TotalAlloc-a.TotalAlloc)/1000)
	}
}
