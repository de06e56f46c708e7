package seq

import (
	"testing"
	"unsafe"
)

// TestSize holds the promise of the package: a flow costs so much and no more.
func TestSize(t *testing.T) {
	if n := unsafe.Sizeof(Tracker{}); n > 512 {
		t.Errorf("a tracker has %d bytes, more than 512", n)
	}
}
