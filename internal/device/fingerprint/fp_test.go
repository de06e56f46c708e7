package fingerprint

import "testing"

func TestTables(t *testing.T) {
	if _, err := load(); err != nil {
		t.Fatal(err)
	}
}
