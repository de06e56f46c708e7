package stratum

import (
	"math"
	"strconv"

	"github.com/yamori-net/yamori/internal/textline"
)

// Effort is what a session's shares stand for. Work is in hashes, or in
// solutions where the algorithm finds those (Solutions); it is an expectation:
// how many a miner has to try on average for the shares it handed in.
type Effort struct {
	PerShare  float64 // of one share at the present difficulty; 0: not known
	Work      float64 // of all shares handed in that were not refused
	Scale     float64 // work of difficulty one, where the dialect has such a thing
	Reported  float64 // per second, as the miner itself reports; 0: it does not
	Solutions bool
	Assumed   bool // the algorithm is not said: SHA-256d was assumed
}

// measure says how a dialect writes how hard a share is.
type measure uint8

const (
	unknownMeasure measure = iota
	byDifficulty           // a number times the algorithm's scale, see scale
	byHashes               // a number of hashes
	byTarget               // PerShare was worked out from a target
)

// Work of difficulty one, in hashes.
const (
	// A Bitcoin difficulty of one is the target 0xffff × 2^208: 2^32 hashes
	// (Bitcoin wiki, "Difficulty"). EthereumStratum/1.0.0 and the Kaspa bridge
	// take it over.
	bitcoinScale = 1 << 32
	// Pools for scrypt and what came after it count 65,536 times as finely:
	// cpuminer divides by 65536 before it makes a target of the difficulty, and
	// xmrig multiplies with it for GhostRider (EthStratumClient).
	scryptScale = 1 << 16
	// Verthash, Groestl and others: cpuminer and VerthashMiner divide by 256.
	groestlScale = 1 << 24
)

// scale returns the work of difficulty one, 0 where it is not known.
func (s *Session) scale() (work float64, assumed bool) {
	switch s.Dialect {
	case DialectEthereum1, DialectKaspa, DialectKawPow, DialectHandshake:
		return bitcoinScale, false
	case DialectXelis, DialectWarthog:
		return 1, false // a difficulty is a number of hashes
	case DialectStratum:
	default:
		return 0, false
	}
	if textline.HasPrefix(s.Agent.Bytes(), "xmrig") || textline.HasPrefix(s.Algorithm.Bytes(), "ghostrider") {
		return scryptScale, false // what xmrig speaks Stratum V1 for, besides KawPow
	}
	switch FindAddress(s.Login.Bytes()).Coin {
	case "bitcoin", "bitcoin-cash", "dash":
		return bitcoinScale, false
	case "litecoin", "dogecoin":
		return scryptScale, false
	case "vertcoin":
		return groestlScale, false
	}
	return bitcoinScale, true
}

// setDifficulty notes a difficulty that is a number.
func (s *Session) setDifficulty(t []byte, m measure) {
	s.Diff.Set(t)
	if d := number64(t); d > 0 {
		s.diff, s.measure = d, m
		s.refine()
	}
}

// refine works PerShare out anew from the difficulty and what is known by now.
func (s *Session) refine() {
	switch s.measure {
	case byDifficulty:
		work, assumed := s.scale()
		s.Effort.PerShare, s.Effort.Assumed, s.Effort.Scale = s.diff*work, assumed && work > 0, work
	case byHashes:
		s.Effort.PerShare = s.diff
	}
}

// setTarget notes a target or boundary in hexadecimal digits, the most
// significant one first: a share is a number not above it.
func (s *Session) setTarget(t []byte) {
	s.Diff.Set(t)
	s.perShare(hexValue(t, false), 256)
}

// setLittle notes a target whose first byte is the least significant. Of 4 or 8
// bytes it is the upper end of a whole one (CryptoNote: difficulty is 2^32 or
// 2^64 by target; xmrig, Job::setTarget).
func (s *Session) setLittle(t []byte) {
	s.Diff.Set(t)
	s.perShare(hexValue(t, true), 4*len(unprefixed(t)))
}

func (s *Session) perShare(target float64, bits int) {
	if target > 0 {
		s.Effort.PerShare = max(1, math.Ldexp(1/target, bits))
		s.Effort.Assumed = false
		s.measure = byTarget
	}
}

// Hand counts n shares, of which refused were refused, for parsers of protocols
// that are not JSON.
func (s *Session) Hand(n, refused uint32) {
	s.Shares += n
	s.Rejected += refused
	s.Effort.Work = max(0, s.Effort.Work+(float64(n)-float64(refused))*s.Effort.PerShare)
}

// Target notes a target of 32 bytes, the least significant first.
func (s *Session) Target(t []byte) {
	v := 0.0
	for i := len(t) - 1; i >= 0; i-- {
		v = v*256 + float64(t[i])
	}
	s.perShare(v, 8*len(t))
}

// handIn counts a share.
func (s *Session) handIn() {
	s.Shares++
	s.refine()
	s.Effort.Solutions = s.Dialect == DialectEquihash || s.Dialect == DialectGrin
	s.Effort.Work += s.Effort.PerShare
}

// refused takes back what the latest refused share was counted as.
func (s *Session) refused() {
	s.Rejected++
	s.Effort.Work = max(0, s.Effort.Work-s.Effort.PerShare)
}

// report notes a hash rate that the miner tells, in hexadecimal digits.
func (s *Session) report(t []byte) {
	if r := hexValue(t, false); r > 0 && r < 1e21 {
		s.Effort.Reported = r
	}
}

// Seen notes when a message passed, ns since the Unix epoch.
func (s *Session) Seen(now int64) {
	if s.First == 0 || now < s.First {
		s.First = now
	}
	s.Last = max(s.Last, now)
}

// number64 reads a decimal number; 0 when it is none, or is out of range.
func number64(t []byte) float64 {
	if len(t) == 0 || len(t) > 80 {
		return 0
	}
	if len(t) <= 32 {
		if v, err := strconv.ParseFloat(string(t), 64); err == nil && v < math.MaxFloat64 {
			return v
		}
		return 0
	}
	v := 0.0 // Ergo's targets have 70 digits and more
	for _, c := range t {
		if c < '0' || c > '9' {
			return 0
		}
		v = v*10 + float64(c-'0')
	}
	return v
}

// hexValue reads hexadecimal digits as one number, by bytes from the least
// significant one on if little; 0 when they are none.
func hexValue(t []byte, little bool) (v float64) {
	t = unprefixed(t)
	if len(t) == 0 || len(t) > 64 || little && len(t)%2 != 0 {
		return 0
	}
	for i := range t {
		c := t[i]
		if little {
			c = t[len(t)-2-i/2*2+i%2]
		}
		d := unhex(c)
		if d < 0 {
			return 0
		}
		v = v*16 + float64(d)
	}
	return v
}

func unprefixed(t []byte) []byte {
	if len(t) > 2 && t[0] == '0' && t[1]|0x20 == 'x' {
		return t[2:]
	}
	return t
}
