//go:build race

package prototest

// Race says that the race detector is on. It makes sync.Pool lose memory at
// random, so that allocations cannot be counted.
const Race = true
