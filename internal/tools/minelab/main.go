// Command minelab makes traffic for training and judging the detection of
// mining inside TLS: many clients and servers side by side, each pair with
// parameters of its own, at real speed, with real TLS on real sockets. It
// sends to the addresses of its plan alone, which record.sh puts on a pair of
// network namespaces of its own. See README.md.
//
//	minelab plan -rows 240 -seed 1 > plan.tsv
//	minelab serve -plan plan.tsv -for 30m     in the namespace of the servers
//	minelab dial  -plan plan.tsv -for 30m     in the namespace of the home
//	minelab stunnel -plan plan.tsv            prints stunnel's configuration
//	minelab tunnels -plan plan.tsv -stack ssh prints what goes through another program's tunnels
package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: minelab plan|serve|dial|stunnel …")
		os.Exit(2)
	}
	fs := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	n := fs.Int("rows", 240, "pairs of client and server")
	seed := fs.Uint64("seed", 1, "of everything that varies")
	set := fs.String("set", "all", "kinds of a plan: all, polls, more, farther, home, carried, ssh, quic")
	only := fs.String("only", "", "rows of a plan that are wanted: miners, services; empty: all")
	plan := fs.String("plan", "plan.tsv", "file of the plan")
	stack := fs.String("stack", "ssh", "with tunnels: of which rows: ssh, quic")
	dur := fs.Duration("for", 20*time.Minute, "how long to talk")
	_ = fs.Parse(os.Args[2:])
	var err error
	switch os.Args[1] {
	case "plan":
		err = writePlan(*n, *seed, *set, *only)
	case "serve", "dial", "stunnel", "tunnels":
		var rows []row
		if rows, err = readPlan(*plan); err == nil {
			switch os.Args[1] {
			case "serve":
				err = serve(rows, *dur+10*time.Minute) // record.sh ends it, after the clients
			case "dial":
				err = dial(rows, *dur)
			case "tunnels":
				tunnels(rows, *stack)
			default:
				stunnel(rows)
			}
		}
	default:
		err = fmt.Errorf("unknown command %q", os.Args[1])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "minelab:", err)
		os.Exit(1)
	}
}

// row is one pair of client and server.
type row struct {
	id     int
	mining bool
	group  string // coin, or kind of service
	name   string // of the talk
	seed   uint64
	client string // address
	server string // address:port
	tls12  bool
	sni    string // empty: none
	stack  string // of the client: go, openssl (by stunnel), or a tunnel: ssh, quic
	rtt    time.Duration
}

func (r *row) strings() []string {
	label := "benign"
	if r.mining {
		label = "mining"
	}
	version := "1.3"
	if r.tls12 {
		version = "1.2"
	}
	return []string{strconv.Itoa(r.id), label, r.group, r.name, strconv.FormatUint(r.seed, 10), r.client, r.server,
		version, r.sni, r.stack, r.rtt.String()}
}

const header = "id\tlabel\tgroup\tname\tseed\tclient\tserver\ttls\tsni\tstack\trtt"

func readPlan(name string) ([]row, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var rows []row
	s := bufio.NewScanner(f)
	for s.Scan() {
		w := strings.Split(s.Text(), "\t")
		if len(w) != 11 || w[0] == "id" {
			continue
		}
		id, err1 := strconv.Atoi(w[0])
		seed, err2 := strconv.ParseUint(w[4], 10, 64)
		rtt, err3 := time.ParseDuration(w[10])
		if err1 != nil || err2 != nil || err3 != nil {
			return nil, fmt.Errorf("%s: bad row %q", name, s.Text())
		}
		rows = append(rows, row{id: id, mining: w[1] == "mining", group: w[2], name: w[3], seed: seed, client: w[5], server: w[6],
			tls12: w[7] == "1.2", sni: w[8], stack: w[9], rtt: rtt})
	}
	return rows, s.Err()
}
