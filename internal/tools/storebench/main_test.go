package main

import "testing"

// TestRun measures a small store, so that the program keeps working.
func TestRun(t *testing.T) {
	if err := run(3000, t.TempDir(), 2, 0); err != nil {
		t.Fatal(err)
	}
}
