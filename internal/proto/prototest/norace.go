//go:build !race

package prototest

// Race says that the race detector is off.
const Race = false
