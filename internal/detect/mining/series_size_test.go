package mining

import (
	"testing"
	"unsafe"
)

// TestSeriesSize holds what the page says all series cost together.
func TestSeriesSize(t *testing.T) {
	if n := unsafe.Sizeof(series{}) * maxSeries; n > 140<<10 {
		t.Errorf("%d bytes", n)
	}
}
