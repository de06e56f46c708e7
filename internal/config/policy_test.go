package config

import (
	"strings"
	"testing"
	"time"
)

func TestPolicy(t *testing.T) {
	for _, tt := range []struct {
		text, want string
		block      time.Duration
	}{
		{"", "", DefaultBlockFor},
		{"answer: drop\n  icmp: true\n  block_for: 30m", "", 30 * time.Minute},
		{"answer: reset\n  block_for: off", "", 0},
		{"answer: reject", "use reset or drop", 0},
		{"block_for: 30", "between 1m and 168h", 0},
		{"block_for: 1s", "between 1m and 168h", 0},
		{"block_for: 169h", "between 1m and 168h", 0},
	} {
		c, err := Parse("test.yaml", []byte("version: 1\npolicy:\n  mode: protect\n  "+tt.text+"\n"))
		switch {
		case tt.want != "":
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "4") {
				t.Errorf("%q: %v", tt.text, err)
			}
		case err != nil:
			t.Errorf("%q: %v", tt.text, err)
		case c.Policy.BlockTime() != tt.block:
			t.Errorf("%q: %v", tt.text, c.Policy.BlockTime())
		}
	}
}
