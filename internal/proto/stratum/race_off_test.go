//go:build !race

package stratum

const raceOn = false
