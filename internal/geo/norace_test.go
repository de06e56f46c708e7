//go:build !race

package geo_test

const race = false
