//go:build race

package store

// raced: the race detector makes the database some twenty times slower.
const raced = true
