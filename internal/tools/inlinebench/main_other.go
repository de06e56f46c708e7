//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "inlinebench: this needs Linux")
	os.Exit(1)
}
