package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// talk draws the row's talk; both ends draw the same.
func (rw *row) talk() *talk {
	lists := [][]spec{services, pollServices, moreServices, fartherServices, homeServices}
	if rw.mining {
		lists = [][]spec{miners, pollMiners, moreMiners}
	}
	for _, list := range lists {
		for _, s := range list {
			if s.name == rw.name {
				return s.make(rand.New(rand.NewPCG(rw.seed, 1)))
			}
		}
	}
	panic("no talk named " + rw.name)
}

// writePlan prints a plan: two rows of services for one of miners, every kind
// in turn, each row with parameters, a TLS version and a stack of its own. set
// is the kinds it draws from: all, those who ask by a clock (polls), further ones
// (more, farther, home), or all of them in QUIC or SSH instead of TLS (carried; ssh, quic: in that
// alone). only leaves out the rows of the others, and changes nothing about those of
// miners or of services.
func writePlan(n int, seed uint64, set, only string) error {
	if only != "" && only != "miners" && only != "services" {
		return fmt.Errorf("only miners or services, not %q", only)
	}
	benign, mining := services, miners
	switch set {
	case "all":
	case "polls":
		benign, mining = pollServices, pollMiners
	case "more":
		benign, mining = moreServices, slices.Concat(moreMiners, moreMiners, miners)
	case "farther":
		benign, mining = fartherServices, slices.Concat(miners, moreMiners)
	case "home":
		benign, mining = homeServices, slices.Concat(miners, moreMiners)
	case "carried", "ssh", "quic":
		benign, mining = slices.Concat(services, moreServices), slices.Concat(miners, moreMiners)
	default:
		return fmt.Errorf("no set %q", set)
	}
	r := rand.New(rand.NewPCG(seed, 9))
	fmt.Println(header)
	for i := range n {
		list, k := benign, i-i/3
		if i%3 == 2 {
			list, k = mining, i/3
		}
		s := list[k%len(list)]
		rw := row{id: i, mining: i%3 == 2, group: s.group, name: s.name, seed: r.Uint64() >> 1, tls12: one(r, .2), stack: "go",
			client: fmt.Sprintf("192.168.%d.%d", 64+i/200, 2+i%200)}
		rw.server = fmt.Sprintf("198.18.%d.%d:%d", i/200, 2+i%200, []int{443, 443, 8443, 5555, 9000, 3333, 8883}[r.IntN(7)])
		if one(r, .6) {
			rw.sni = fmt.Sprintf("s%d.lab.example", i)
		}
		if one(r, .35) {
			rw.stack = "openssl"
		}
		rw.rtt = sec(logUni(r, .004, .2))
		if set == "carried" || slices.Contains(carriers[:], set) {
			rw.stack = set
			if set == "carried" {
				rw.stack = carriers[r.IntN(len(carriers))]
			}
			if rw.stack == "ssh" { // one daemon takes them all
				rw.server = fmt.Sprintf("198.18.%d.%d:22", i/200, 2+i%200)
			}
		}
		if only == "" || rw.mining == (only == "miners") {
			fmt.Println(strings.Join(rw.strings(), "\t"))
		}
	}
	return nil
}

// local is where the row's stunnel takes its client.
func (rw *row) local() string { return fmt.Sprintf("127.0.0.1:%d", 20000+rw.id) }

// stunnel prints a configuration with one service for each row of that stack.
func stunnel(rows []row) {
	fmt.Println("foreground = yes\ndebug = 3\npid =\nsyslog = no")
	for _, rw := range rows {
		if rw.stack != "openssl" {
			continue
		}
		fmt.Printf("[r%d]\nclient = yes\naccept = %s\nconnect = %s\nlocal = %s\nTIMEOUTclose = 0\n", rw.id, rw.local(), rw.server, rw.client)
		if rw.sni != "" {
			fmt.Printf("sni = %s\n", rw.sni)
		}
	}
}

// carriers are the stacks in which the row's talk goes through a tunnel of
// another program's.
var carriers = [...]string{"ssh", "quic"}

func (rw *row) carried() bool { return slices.Contains(carriers[:], rw.stack) }

// behind is where the tunnel's far end hands the row's talk on.
func (rw *row) behind() string { return fmt.Sprintf("127.0.0.1:%d", 30000+rw.id) }

// tunnels prints one line for each row of a stack: where its talk comes from,
// the client's and the server's address, and where it goes to; and for SSH the
// options that programs differ in.
func tunnels(rows []row, stack string) {
	for _, rw := range rows {
		if rw.stack != stack {
			continue
		}
		r := rand.New(rand.NewPCG(rw.seed, 3))
		alive := pick(0, 0, 15, 30, 60)(r, 0)
		cipher := []string{"chacha20-poly1305@openssh.com", "chacha20-poly1305@openssh.com", "aes128-gcm@openssh.com", "aes256-ctr"}[r.IntN(4)]
		fmt.Println(rw.local(), rw.client, rw.server, rw.behind(), alive, cipher)
	}
}
