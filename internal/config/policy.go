package config

import "time"

// Bounds of how long a finding blocks the other end.
const (
	DefaultBlockFor = time.Hour
	leastBlockFor   = time.Minute
	mostBlockFor    = 7 * 24 * time.Hour
)

// BlockTime is how long a finding blocks the other end of its connection for
// the device; 0: it does not.
func (p *Policy) BlockTime() time.Duration {
	switch p.BlockFor {
	case "":
		return DefaultBlockFor
	case "off":
		return 0
	}
	d, _ := time.ParseDuration(p.BlockFor) // checked by check
	return d
}

func (p *Policy) check(fail func(path, format string, args ...any) error) error {
	if p.Answer != "" && p.Answer != "reset" && p.Answer != "drop" {
		return fail("$.policy.answer", "answer %q: use reset or drop", p.Answer)
	}
	if p.BlockFor == "" || p.BlockFor == "off" {
		return nil
	}
	if d, err := time.ParseDuration(p.BlockFor); err != nil || d < leastBlockFor || d > mostBlockFor {
		return fail("$.policy.block_for", "block_for %q: use a time between 1m and 168h, or off", p.BlockFor)
	}
	return nil
}
