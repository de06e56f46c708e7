// Command cost runs a command several times and prints the CPU time and the
// peak of anonymous memory of the cheapest run:
//
//	go run ./internal/tools/cost [-n 3] [-packets N] COMMAND ARG…
//
// With -packets it also prints packets per CPU-second. The output of the
// command is thrown away.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// pollEvery is how often memory is looked at; a peak shorter than that is
// missed.
const pollEvery = 2 * time.Millisecond

type cost struct {
	cpu, wall time.Duration
	anon      int // kB
}

func main() {
	n := flag.Int("n", 3, "runs")
	packets := flag.Int("packets", 0, "packets in the input")
	flag.Parse()
	if flag.NArg() == 0 || *n < 1 {
		fmt.Fprintln(os.Stderr, "usage: cost [-n 3] [-packets N] COMMAND ARG…")
		os.Exit(2)
	}
	var best cost
	for i := range *n {
		c, err := once(flag.Args())
		if err != nil {
			fmt.Fprintln(os.Stderr, "cost:", err)
			os.Exit(1)
		}
		anon := max(best.anon, c.anon)
		if i == 0 || c.cpu < best.cpu {
			best = c
		}
		best.anon = anon // of memory the highest counts
	}
	fmt.Printf("%.2f CPU-s, %.2f s, %.1f MB anonymous", best.cpu.Seconds(), best.wall.Seconds(), float64(best.anon)/1000)
	if *packets > 0 {
		fmt.Printf(", %.0f kpackets per CPU-s", float64(*packets)/best.cpu.Seconds()/1000)
	}
	fmt.Println()
}

func once(args []string) (cost, error) {
	cmd := exec.Command(args[0], args[1:]...)
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return cost{}, err
	}
	var c cost
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	t := time.NewTicker(pollEvery)
	defer t.Stop()
	for {
		select {
		case err := <-done:
			if err != nil {
				return c, fmt.Errorf("%s: %w", args[0], err)
			}
			c.wall = time.Since(start)
			c.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
			return c, nil
		case <-t.C:
			c.anon = max(c.anon, anonymous(cmd.Process.Pid))
		}
	}
}

// anonymous reads RssAnon of a process, in kB; 0 when it is gone.
func anonymous(pid int) int {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(b), "RssAnon:")
	f := strings.Fields(rest)
	if len(f) == 0 {
		return 0
	}
	n, _ := strconv.Atoi(f[0])
	return n
}
