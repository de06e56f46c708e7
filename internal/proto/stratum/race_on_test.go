//go:build race

package stratum

// raceOn: the race detector makes sync.Pool drop things at random, so
// allocations cannot be counted.
const raceOn = true
