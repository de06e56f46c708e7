package main

import (
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"github.com/yamori-net/yamori/internal/export/evefile"
	"github.com/yamori-net/yamori/internal/priv"
)

// newPrivileged is the hidden command that run starts first: the process that
// keeps the privileges (see package priv).
func newPrivileged(stderr *os.File) *cobra.Command {
	return &cobra.Command{
		Use:    "privileged",
		Short:  "The part of run that keeps the privileges; run starts it",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return priv.Serve(slog.New(slog.NewTextHandler(stderr, nil)), evefile.Append)
		},
	}
}
