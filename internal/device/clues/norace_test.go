//go:build !race

package clues

const raceEnabled = false
