//go:build !race

package lists

const race = false
