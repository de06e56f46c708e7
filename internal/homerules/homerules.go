// Package homerules is the project's own rules for the home: attacks on and by
// the devices of a home that one packet, stream or transaction shows, written
// in Suricata's language. What needs more is a detector.
package homerules

import _ "embed"

// Name stands for the rules where alerts and problems name a file.
const Name = "builtin:home.rules"

// FirstSID and LastSID bound the sids of the rules, inside of the range that is
// everybody's own (1000000 to 1999999).
const (
	FirstSID = 1741000
	LastSID  = 1741999
)

// Text is the rules.
//
//go:embed home.rules
var Text string
