package stratum

import (
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
)

// say lets a session hear messages: > from the miner, < from the pool.
func say(t *testing.T, lines ...string) *Session {
	t.Helper()
	s, m := new(Session), new(Message)
	for _, l := range lines {
		d := packet.ToServer
		if l[0] == '<' {
			d = packet.ToClient
		}
		if _, st := ParseMessage([]byte(l[2:]), m); st != Complete {
			t.Fatalf("%s: %d", l, st)
		}
		s.Observe(d, m)
	}
	return s
}

// tries is 2^bits by the target, worked out with whole numbers.
func tries(target string, bits uint) float64 {
	n, ok := new(big.Int).SetString(target, 16)
	if !ok {
		return -1
	}
	q, _ := new(big.Rat).SetFrac(new(big.Int).Lsh(big.NewInt(1), bits), n).Float64()
	return q
}

// TestEffort: what a share stands for, by each dialect's own definition.
func TestEffort(t *testing.T) {
	const (
		bound = "00000000ffff0000000000000000000000000000000000000000000000000000" // of difficulty 1
		btc   = "1BoatSLRHtKNngkdXEeobR76b53LETtpyT"
		ltc   = "LM2WMpR1Rp6j3Sa59cMXMs1SPzj9eXpGc1"
	)
	submit := `> {"id":4,"method":"mining.submit","params":["w","j","00000000","6b03891d","bcee0300"]}`
	auth := func(a string) string { return `> {"id":2,"method":"mining.authorize","params":["` + a + `.r","x"]}` }
	diff := func(d string) string { return `< {"id":null,"method":"mining.set_difficulty","params":[` + d + `]}` }
	job := func(target string) string {
		return `< {"jsonrpc":"2.0","method":"job","params":{"blob":"` + blob + `","job_id":"1","target":"` + target + `"}}`
	}
	share := `> {"id":2,"method":"submit","params":{"id":"a","job_id":"1","nonce":"00000000","result":"` + h64 + `"}}`
	for _, tt := range []struct {
		name      string
		lines     []string
		per       float64
		solutions bool
		assumed   bool
	}{
		{"Bitcoin", []string{auth(btc), diff("2048"), submit}, 2048 * 4294967296, false, false},
		{"Litecoin", []string{auth(ltc), diff("512"), submit}, 512 * 65536, false, false},
		{"the account comes after the difficulty", []string{diff("512"), auth(ltc), submit}, 512 * 65536, false, false},
		{"an unknown coin", []string{auth("me"), diff("0.5"), submit}, 0.5 * 4294967296, false, true},
		{"GhostRider", []string{`> {"id":1,"method":"mining.subscribe","params":["XMRig/6.26.0"]}`, diff("0.25"), submit}, 0.25 * 65536, false, false},
		{"XELIS", []string{auth("xel:" + strings.Repeat("qcd39a5u8c", 6)), diff("150000"), submit}, 150000, false, false},
		{"EthereumStratum/1.0.0", []string{`> {"id":1,"method":"mining.subscribe","params":["m","EthereumStratum/1.0.0"]}`, diff("0.125"), submit}, 0.125 * 4294967296, false, false},
		{"Equihash", []string{`> {"id":1,"method":"mining.subscribe","params":["m",null,"h","1"]}`,
			`< {"id":null,"method":"mining.set_target","params":["` + bound + `"]}`, submit}, tries(bound, 256), true, false},
		{"EthProxy", []string{`< {"id":0,"result":["0x` + h64 + `","0x` + h64 + `","0x` + bound + `"]}`,
			`> {"id":40,"method":"eth_submitWork","params":["0x0ecf7aa9a67d2cd0","0x` + h64 + `","0x` + h64 + `"]}`}, tries(bound, 256), false, false},
		{"EIP-1571", []string{`< {"method":"mining.set","params":{"target":"0112e0be826d694b2e62d01511f12a6061fbaec8bc02357593e70e52ba"}}`, submit},
			tries("0112e0be826d694b2e62d01511f12a6061fbaec8bc02357593e70e52ba", 256), false, false},
		{"KawPow", []string{`< {"method":"mining.notify","params":["1","` + h64 + `","` + h64 + `","` + bound + `",true,7,"1b00d1e2"]}`, submit}, tries(bound, 256), false, false},
		{"Ergo", []string{`< {"method":"mining.notify","params":["1",7,"` + h64 + `","","","2","28948022309329048855892746252171976963209391069768726095651290785379","",true]}`, submit},
			math.Ldexp(1, 256) / 28948022309329048855892746252171976963209391069768726095651290785379.0, false, false},
		{"CryptoNote, 4 bytes", []string{job("b88d0600"), share}, tries("00068db8", 32), false, false},
		{"CryptoNote, 8 bytes", []string{job("5a9a0f00a2b40100"), share}, tries("0001b4a2000f9a5a", 64), false, false},
		{"Coinhive", []string{`< {"type":"job","params":{"job_id":"1","blob":"` + blob + `","target":"ffffff00"}}`,
			`> {"type":"submit","params":{"job_id":"1","nonce":"00000000","result":"` + h64 + `"}}`}, tries("00ffffff", 32), false, false},
		{"Dero", []string{`< {"jobid":"1","blockhashing_blob":"` + strings.Repeat("41000000", 12) + `","difficulty":"4321","miniblocks":1}`,
			`> {"jobid":"1","mbl_blob":"` + strings.Repeat("41000000", 12) + `"}`}, 4321, false, false},
		{"Monero daemon", []string{`< {"id":0,"result":{"blocktemplate_blob":"` + blob + `","difficulty":380000000000}}`,
			`> {"id":1,"method":"submit_block","params":["` + blob + blob + `"]}`}, 380000000000, false, false},
		{"getwork", []string{`< {"id":1,"result":{"data":"` + strings.Repeat("00000001", 32) + `","target":"` + strings.Repeat("00", 26) + `ffff00000000"}}`,
			`> {"method":"getwork","params":["` + strings.Repeat("00000001", 32) + `"],"id":2}`}, tries("00000000ffff"+strings.Repeat("00", 26), 256), false, false},
		{"Grin, C32", []string{`< {"method":"job","params":{"difficulty":32768,"height":1,"job_id":5,"pre_pow":"` + strings.Repeat("00010000", 40) + `"}}`,
			`> {"id":"0","method":"submit","params":{"edge_bits":32,"nonce":1,"pow":[` + strings.TrimSuffix(strings.Repeat("1,", 42), ",") + `]}}`}, 2, true, false},
		{"Beam: not worked out", []string{`< {"difficulty":98765,"height":100,"id":"7","input":"` + h64 + `","method":"job"}`,
			`> {"method":"solution","id":"7","nonce":"a8c2e1d3b4f50617","output":"` + strings.Repeat("0badcafe", 26) + `"}`}, 0, false, false},
		{"Warthog", []string{diff("100000"), `< {"method":"mining.notify","params":["7","` + h64 + `","` + h64 + `","00000002","1d00ffff","6b03891d",false]}`,
			`> {"id":4,"method":"mining.submit","params":["7","0000","6b03891d","a28a04a2"]}`}, 100000, false, false},
		{"Ethash in Stratum V1", []string{`< {"method":"mining.notify","params":["e005","0x` + h64 + `","0x` + h64 + `","0x` + bound + `",true]}`,
			`> {"id":4,"method":"mining.submit","params":["w","e005","0x0ecf7aa9a67d2cd0","0x` + h64 + `","0x` + h64 + `"]}`}, tries(bound, 256), false, false},
		{"nonsense", []string{diff("1e400"), diff("-5"), diff("0"), submit}, 0, false, false},
		{"a target of zero", []string{`< {"method":"mining.set_target","params":["` + strings.Repeat("0", 64) + `"]}`, submit}, 0, false, false},
	} {
		s := say(t, tt.lines...)
		e := s.Effort
		if math.Abs(e.PerShare-tt.per) > tt.per*1e-9 || e.Work != e.PerShare || e.Solutions != tt.solutions || e.Assumed != tt.assumed || s.Shares != 1 {
			t.Errorf("%s: %+v of %d shares, want %v", tt.name, e, s.Shares, tt.per)
		}
	}
}

// TestEffortSum: every share counts at the difficulty of its time, refused
// ones do not count, and a rate that the miner tells is kept.
func TestEffortSum(t *testing.T) {
	submit := `> {"id":4,"method":"mining.submit","params":["w","j","00000000","6b03891d","bcee0300"]}`
	s := say(t, `< {"method":"mining.set_difficulty","params":[1]}`, submit, `< {"id":4,"result":true,"error":null}`,
		`< {"method":"mining.set_difficulty","params":[2]}`, submit, `< {"id":4,"result":true,"error":null}`,
		submit, `< {"id":4,"result":null,"error":[23,"low difficulty share",null]}`)
	if s.Effort.Work != 3*4294967296 || s.Shares != 3 || s.Accepted != 2 || s.Rejected != 1 {
		t.Errorf("%+v, %d %d %d", s.Effort, s.Shares, s.Accepted, s.Rejected)
	}
	s = say(t, `> {"id":9,"method":"eth_submitHashrate","params":["0x0000000000000000000000000000000000000000000000000000000005f5e100","0x`+h64+`"]}`)
	if s.Effort.Reported != 1e8 {
		t.Errorf("reported %v", s.Effort.Reported)
	}
	s = say(t, `> {"id":9,"method":"mining.hashrate","params":["500000","w-123"]}`)
	if s.Effort.Reported != 0x500000 {
		t.Errorf("reported %v", s.Effort.Reported)
	}
}

func TestSeen(t *testing.T) {
	var s Session
	s.Seen(5)
	s.Seen(9)
	s.Seen(3)
	if s.First != 3 || s.Last != 9 {
		t.Errorf("%d to %d", s.First, s.Last)
	}
}
