package policy

import "github.com/yamori-net/yamori/internal/event"

// never is the level that no finding reaches.
const never event.Level = 0

// thing reports kinds of devices whose programs nobody chooses: what they do
// is what their maker made them for, so a finding has few benign reasons.
func thing(kind string) bool {
	switch kind {
	case "router", "camera", "recorder", "tv", "console", "printer", "speaker", "hub", "plug", "light", "appliance", "wearable", "voip":
		return true
	}
	return false
}

// DefaultAt returns the level from which on a built-in detector's finding of
// category c on a device of this kind blocks in mode protect; 0: it never does.
// docs/policy.md shows the same table.
func DefaultAt(c event.Category, kind string) event.Level {
	t := thing(kind)
	switch c {
	case event.Botnet, event.Exploit, event.Malware, event.Ransomware, event.WebThreat:
		return event.Likely
	case event.Mining, event.Flood:
		if t {
			return event.Likely
		}
		return event.Confirmed
	case event.DNS, event.Bruteforce:
		return event.Confirmed
	case event.Scan, event.Tunneled:
		if t {
			return event.Confirmed
		}
		return never // port scanners and VPNs are tools of owners
	}
	return never // policy, anomaly
}
