// Command yamori guards a home network: it watches the traffic of a gateway or
// reads captures, and says in plain words what it sees.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // routers have no table of time zones
)

// Exit codes of every command.
const (
	exitOK    = 0
	exitError = 1
	exitUsage = 2
	exitFound = 3 // --fail-on met
)

// exitCode is an error that carries the code to leave with.
type exitCode struct {
	code int
	err  error // nil: nothing more to say
}

func (e *exitCode) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func usage(err error) error { return &exitCode{exitUsage, err} }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is main without the process around it.
func run(ctx context.Context, args []string, stdout, stderr *os.File) int {
	root := newRoot(stdout, stderr)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	var ec *exitCode
	if !errors.As(err, &ec) {
		ec = &exitCode{exitError, err}
	}
	if msg := ec.Error(); msg != "" {
		fmt.Fprintln(stderr, "yamori: "+msg)
	}
	return ec.code
}
