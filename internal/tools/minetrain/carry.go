package main

import (
	"fmt"
	"math/rand/v2"

	"github.com/yamori-net/yamori/internal/detect/mining"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/seq"
	"github.com/yamori-net/yamori/internal/seq/seqlog"
)

// carriers are what the recorded talks could be carried by instead of TLS.
var carriers = []evasion{
	{"TLS, as recorded", func(_ *rand.Rand, in []seqlog.Msg) []seqlog.Msg { return in }, 0},
	{"QUIC: datagrams", datagrams, seq.QUIC},
	{"SSH: packets", tunnelled, seq.SSH},
}

// datagrams makes of a talk what QUIC would send after the handshake, whose
// packets have long headers and do not count: a ticket, packets that find out
// how long a packet may be, and then each message with the header of a STREAM
// frame (RFC 9000 section 19.8) and, in two of three, an ACK frame before it, cut
// where a datagram is full. Pure acknowledgements are too short to be counted.
func datagrams(r *rand.Rand, in []seqlog.Msg) (out []seqlog.Msg) {
	const full = 1224 // of content in a datagram of 1,252 bytes
	out = append(out, seqlog.Msg{Dir: server, Len: 250})
	at := 30 * ms
	for _, m := range in {
		for left := m.Len; left > 0; {
			head := 3 + r.IntN(3)
			if r.IntN(3) > 0 {
				head += 5 + r.IntN(3)
			}
			n := min(left, full-head)
			out = append(out, seqlog.Msg{At: m.At + at, Dir: m.Dir, Len: n + head})
			left -= n
		}
	}
	for i, n := range []int{1338, 1381, 1402, 1413} {
		for d := range 2 {
			out = append(out, seqlog.Msg{At: at + int64(i)*100*ms + int64(d)*ms, Dir: [2]packet.Dir{client, server}[d], Len: n})
		}
	}
	return sorted(out)
}

// carry prints what models that know neither the coin nor the kind of service,
// and no carrier but TLS, make of the same talks in other carriers.
func carry(d []*item, whole *mining.Model) {
	fmt.Print("\nOther carriers, leaving out each coin and kind of service\n\n| carried by | miners |")
	for _, l := range levels {
		fmt.Printf(" ≥ %.2f |", l)
	}
	fmt.Print(" services |")
	for _, l := range levels {
		fmt.Printf(" ≥ %.2f |", l)
	}
	fmt.Print("\n|---|---|---|---|---|---|---|---|---|\n")
	parts := split(d, group)
	models := make([]*mining.Model, len(parts))
	for i, p := range parts {
		m := fit(p.train)
		m.Slope, m.PollSlope, m.Cap = whole.Slope, whole.PollSlope, whole.Cap
		models[i] = m
	}
	for _, c := range carriers {
		r := rand.New(rand.NewPCG(13, 14))
		var n [2]int
		called := map[string]int{}
		found := [2][]int{make([]int, len(levels)), make([]int, len(levels))}
		for i, p := range parts {
			for _, it := range p.test {
				if it.source == pollSource {
					continue
				}
				var changed []sample
				for _, f := range it.flows {
					changed = append(changed, looks(c.apply(r, f))...)
				}
				k := class(it)
				n[k]++
				for j, l := range levels {
					if _, at, _ := best(models[i], changed, l); at >= 0 {
						found[k][j]++
						if j == 1 && k == 0 {
							called[named(it)]++
						}
					}
				}
			}
		}
		fmt.Printf("| %s |", c.name)
		for _, k := range []int{1, 0} {
			fmt.Printf(" %d |", n[k])
			for _, x := range found[k] {
				fmt.Printf(" %d |", x)
			}
		}
		fmt.Println()
		if len(called) > 0 {
			fmt.Println("services called:", called) // maps are printed in order
		}
	}
}
