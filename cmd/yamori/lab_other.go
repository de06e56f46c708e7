//go:build !linux

package main

import (
	"errors"
	"os"

	"github.com/spf13/cobra"
)

func newLab(*os.File, *os.File) *cobra.Command {
	return &cobra.Command{Use: "lab", Short: "Play a day in a home made of network namespaces (Linux)", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return errors.New("the lab needs Linux") }}
}
