package duinocoin

import (
	"bytes"
	"strconv"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// kind is what a line is.
type kind uint8

const (
	noLine   kind = iota
	greeting      // "4.3": the server's version
	ask           // "JOB,user,tier,key"
	job           // sum of the last block, sum to find, difficulty
	share         // number, hash rate, software, rig, …
	verdict       // "GOOD", "BAD,reason", "BLOCK"
)

// tiers are what a job can be asked for: names of difficulties and of kinds of
// boards (the server's kolka module and the official miners).
var tiers = [...]string{"LOW", "MEDIUM", "NET", "HIGH", "EXTREME", "AVR", "MEGA", "UNO", "ESP8266", "ESP8266H", "ESP32", "ESP32S", "DUE", "ARM", "PICO", "RPI", "WEB", "LOWEST", "I2C"}

// classify tells what a line is that was sent in direction d.
func classify(d packet.Dir, l []byte) kind {
	first, rest, more := bytes.Cut(l, comma)
	if d == packet.ToClient {
		switch {
		case len(first) == 40 && hex(first):
			sum, rest, ok := bytes.Cut(rest, comma)
			diff, _, _ := bytes.Cut(rest, comma)
			if ok && len(sum) == 40 && hex(sum) && number(diff) > 0 {
				return job
			}
		case !more && version(first):
			return greeting
		case string(first) == "GOOD" || string(first) == "BAD" || string(first) == "BLOCK":
			return verdict
		}
		return noLine
	}
	switch {
	case string(first) == "JOB" || string(first) == "JOBXX":
		user, _, _ := bytes.Cut(rest, comma)
		if more && name(user) {
			return ask
		}
	case string(first) == "FROM": // of old clients: ET Open's rule on "FROM,PC Miner,"
		if soft, _, _ := bytes.Cut(rest, comma); bytes.HasSuffix(soft, []byte(" Miner")) {
			return ask
		}
	case more && digits(first):
		rate, rest, _ := bytes.Cut(rest, comma)
		soft, _, _ := bytes.Cut(rest, comma)
		if (len(rate) == 0 || number(rate) > 0) && len(soft) > 4 && !digits(soft) {
			return share
		}
	}
	return noLine
}

var comma = []byte{','}

// tier returns the third field of a line that asks for a job, and whether it is
// one that servers know.
func tier(l []byte) (t []byte, known bool) {
	_, rest, _ := bytes.Cut(l, comma)
	_, rest, _ = bytes.Cut(rest, comma)
	t, _, _ = bytes.Cut(rest, comma)
	for _, x := range tiers {
		if string(t) == x {
			return t, true
		}
	}
	return t, false
}

// probe recognises a job; a question for one of a tier that servers know. A
// version number and other lines are plausible only.
//
// Of a flow picked up midstream the direction may be the other one.
func probe(d packet.Dir, b []byte) proto.Match {
	m := probeLine(d, b)
	if m == proto.Yes || m == proto.Weak {
		return m
	}
	if o := probeLine(d.Reverse(), b); o != proto.No {
		return o
	}
	return m
}

func probeLine(d packet.Dir, b []byte) proto.Match {
	l := b
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		l = b[:i]
	}
	whole := len(l) < len(b)
	if len(l) > maxLine {
		return proto.No
	}
	l = bytes.TrimRight(l, "\r")
	for _, c := range l {
		if c < 0x20 || c > 0x7e {
			return proto.No
		}
	}
	switch classify(d, l) {
	case job:
		return proto.Yes
	case ask:
		if _, known := tier(l); known {
			return proto.Yes
		}
		return proto.Weak
	case greeting, share, verdict:
		return proto.Weak
	}
	if whole || !begins(d, l) {
		return proto.No
	}
	return proto.More
}

// begins reports whether l can be the beginning of one of the lines.
func begins(d packet.Dir, l []byte) bool {
	if d == packet.ToServer {
		for _, w := range [...]string{"JOB,", "JOBXX,", "FROM,"} {
			if n := min(len(w), len(l)); string(l[:n]) == w[:n] {
				return true
			}
		}
		first, _, more := bytes.Cut(l, comma)
		return digits(first) && (more || len(first) < 20)
	}
	first, _, more := bytes.Cut(l, comma)
	if !more && len(l) < 6 && (len(l) == 0 || version(append(append(make([]byte, 0, 8), l...), '0'))) || version(l) {
		return true
	}
	return hex(first) && (more && len(first) == 40 || !more && len(first) <= 40)
}

// version reports whether t is a number like 4.3.
func version(t []byte) bool {
	dot := bytes.IndexByte(t, '.')
	return dot > 0 && dot <= 2 && len(t) <= dot+3 && digits(t[:dot]) && len(t) > dot+1 && digits(t[dot+1:])
}

func hex(t []byte) bool {
	for _, c := range t {
		if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'f') {
			return false
		}
	}
	return len(t) > 0
}

func digits(t []byte) bool {
	for _, c := range t {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(t) > 0
}

// name reports whether t can be an account's name.
func name(t []byte) bool {
	for _, c := range t {
		if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') && c != '_' && c != '-' && c != '.' {
			return false
		}
	}
	return len(t) > 0 && len(t) <= 64
}

// number reads a decimal number; 0 when it is none.
func number(t []byte) float64 {
	if len(t) == 0 || len(t) > 24 {
		return 0
	}
	v, err := strconv.ParseFloat(string(t), 64)
	if err != nil || v < 0 || v > 1e18 {
		return 0
	}
	return v
}
