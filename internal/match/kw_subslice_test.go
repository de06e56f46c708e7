package match

import "testing"

func TestSubslice(t *testing.T) {
	const in = "curl/7.64.1"
	for _, tt := range []struct{ arg, want string }{
		{"2", "rl/7.64.1"}, {"-6", "7.64.1"}, {"-10,3", "url"}, {"1,-3", "url/7.6"}, {"0,11", in}, {"11", ""}, {"99", ""},
		{"0,12", ""}, {"0, 13, truncate", in}, {"1,30,truncate", "url/7.64.1"}, {"-6,30,truncate", "7.64.1"},
		{"-20", ""}, {"-20,3", ""}, {"-20,-30,truncate", ""}, {"0,-30", ""}, {"0,-8,truncate", "cur"}, {"-11,-6,truncate", "curl/"},
	} {
		tr, err := subslice(tt.arg)
		if err != nil {
			t.Errorf("%s: %v", tt.arg, err)
			continue
		}
		if got := string(tr(nil, []byte(in), nil)); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.arg, got, tt.want)
		}
		tr(nil, nil, nil) // of an empty buffer
	}
	for _, bad := range []string{"", "x", "1,x", "1,2,3", "70000", "1,2,truncate,4"} {
		if _, err := subslice(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
