package stratum

import (
	"crypto/sha256"
	"math/big"
	"strings"
	"testing"
	"unsafe"
)

// encode makes the Base58Check address of a version and a hash of zeros and
// ones, by arithmetic of another kind than the code's.
func encode(version ...byte) string {
	raw := append(version, []byte(strings.Repeat("\x01\x00", 10))...)
	h := sha256.Sum256(raw)
	h = sha256.Sum256(h[:])
	n := new(big.Int).SetBytes(append(raw, h[:4]...))
	const digits = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	out := ""
	for m := new(big.Int); n.Sign() > 0; {
		n.DivMod(n, big.NewInt(58), m)
		out = string(digits[m.Int64()]) + out
	}
	if version[0] == 0 {
		out = "1" + out
	}
	return out
}

func TestFindAddress(t *testing.T) {
	bech := strings.Repeat("q9p8z7", 20)
	off := func(s string) string { return s[:len(s)-1] + string('A'+(s[len(s)-1]-'A'+1)%5) }
	for _, tt := range []struct {
		in, coin string
		n        int // length of the address; 0: none
	}{
		{"1BoatSLRHtKNngkdXEeobR76b53LETtpyT", "bitcoin", 34},
		{"1BoatSLRHtKNngkdXEeobR76b53LETtpyT.rig1", "bitcoin", 34},
		{"1BoatSLRHtKNngkdXEeobR76b53LETtpyU", "", 0},
		{encode(0), "bitcoin", len(encode(0))}, {encode(5), "bitcoin", len(encode(5))}, {encode(48), "litecoin", len(encode(48))},
		{encode(30), "dogecoin", len(encode(30))}, {encode(60), "ravencoin", len(encode(60))}, {encode(76), "dash", len(encode(76))},
		{encode(71) + "/w", "vertcoin", len(encode(71))}, {encode(0x1c, 0xb8), "zcash", len(encode(0x1c, 0xb8))}, {encode(0x1c, 0xbd), "zcash", len(encode(0x1c, 0xbd))},
		{encode(99), "", len(encode(99))}, {off(encode(0x1c, 0xb8)), "", 0},
		{wallet, "monero", 95}, {"8" + wallet[1:] + "+5000", "monero", 95}, {wallet + "12345678912", "monero", 106}, {wallet[:94], "", 0},
		{"S" + wallet[1:] + "Q9", "", 97}, {"0" + wallet[1:], "", 0},
		{"0x52bc44d5378309EE2abF1539BF71dE1b7d7bE3b5/rig/me@mail.example", "", 42}, {"0x52bc44d5378309EE2abF1539BF71dE1b7d7bE3b", "", 0},
		{"bc1" + bech[:39], "bitcoin", 42}, {"bc1" + bech[:38] + "b", "", 0}, {"ltc1" + bech[:39] + ".x", "litecoin", 43}, {"zs1" + bech[:75], "zcash", 78},
		{"ckb1" + bech[:42], "nervos", 46}, {"dero1" + bech[:57], "dero", 62},
		{"kaspa:" + bech[:61] + ".w", "kaspa", 67}, {"kaspa:" + bech[:20], "", 0}, {"nexa:" + bech[:48], "nexa", 53}, {"mailto:" + bech[:61], "", 0},
		{"pyrin:" + bech[:61], "pyrin", 67}, {"prl1" + bech[:42] + ".r", "pearl", 46}, {"aleo1" + bech[:58], "aleo", 63}, {"grin1" + bech[:57] + "/r", "grin", 62}, {"hs1q" + bech[:38], "handshake", 42},
		{"DOGE:" + encode(30) + ".w#c", "", 5 + len(encode(30))}, {"DOGE:somebody", "", 0}, {"A:B:" + encode(30), "", 0}, {"doge:" + encode(30), "", 0},
		{"ZEPHs" + wallet[1:95], "zephyr", 99}, {"ccx7" + wallet[1:95], "conceal", 98}, {"ZxA" + wallet[1:95], "zano", 97}, {"Wo3" + wallet[1:95], "wownero", 97},
		{"", "", 0}, {"x", "", 0}, {"me@mail.example", "", 0}, {strings.Repeat("1", 26), "", 0}, {strings.Repeat("z", 36), "", 0}, {strings.Repeat("a", 500), "", 0},
	} {
		a := FindAddress([]byte(tt.in))
		if a.Coin != tt.coin || a.Len != tt.n || a.Sure != (tt.n > 0) {
			t.Errorf("%s: %+v, want %s, %d", tt.in, a, tt.coin, tt.n)
		}
	}
}

func TestNames(t *testing.T) {
	for _, s := range []string{"XMRig/6.26.0 (Linux)", "xmrig", "ethminer-0.19.0", "cpuminer-multi/1.3", "NiceHash/1.0.0", "SRBMiner-MULTI/2", "T-Rex/0.26", "bmminer/2", "xmr-stak-cpu/1.3", "EWBF 0.3.4b", "GMiner/3.4"} {
		if !IsMiner([]byte(s)) {
			t.Errorf("%s is no miner", s)
		}
	}
	for _, s := range []string{"", "Mozilla/5.0", "curl/7.88", "FarmClient/2.1", "mining", "xmrigger/1", "Minerva/2", "zmq/4", "antminers", "my xmrig"} {
		if IsMiner([]byte(s)) {
			t.Errorf("%s is a miner", s)
		}
	}
	for _, s := range []string{"rx/0", "cn/r", "cn-heavy/xhv", "argon2/chukwa", "ghostrider", "kawpow", "ethash", "RandomX"} {
		if !isAlgorithm([]byte(s)) {
			t.Errorf("%s is no algorithm", s)
		}
	}
	for _, s := range []string{"", "rx", "sha256", "aes-256-gcm", "linux/amd64", "cn", "rsa", "rx/" + strings.Repeat("x", 30)} {
		if isAlgorithm([]byte(s)) {
			t.Errorf("%s is an algorithm", s)
		}
	}
	for a, c := range map[string]string{"rx/0": "monero", "rx/wow": "wownero", "kawpow": "", "ethash": "", "": ""} {
		if got := coinOfAlgorithm([]byte(a)); got != c {
			t.Errorf("%s: %s, want %s", a, got, c)
		}
	}
}

// TestCoin: a payout address names the coin that is mined only in dialects
// where pools pay out what was mined.
func TestCoin(t *testing.T) {
	for _, tt := range []struct {
		d           Dialect
		login, algo string
		want        string
	}{
		{DialectStratum, "1BoatSLRHtKNngkdXEeobR76b53LETtpyT.w", "", "bitcoin"},
		{DialectCryptoNote, "1BoatSLRHtKNngkdXEeobR76b53LETtpyT.w", "", ""},
		{DialectCryptoNote, "1BoatSLRHtKNngkdXEeobR76b53LETtpyT.w", "rx/wow", "wownero"},
		{DialectCryptoNote, wallet, "", "monero"},
		{DialectEthProxy, "1BoatSLRHtKNngkdXEeobR76b53LETtpyT", "", ""},
		{DialectEquihash, encode(0x1c, 0xb8), "", "zcash"},
		{DialectEquihash, "1BoatSLRHtKNngkdXEeobR76b53LETtpyT", "", ""},
		{DialectStratum, "account", "", ""},
		{DialectStratum, encode(60), "", ""}, // Ravencoin, Raptoreum, Verus and others
		{DialectStratum, encode(60), "ghostrider", "raptoreum"},
		{DialectKawPow, encode(60), "", "ravencoin"},
		{DialectKawPow, encode(33), "", "evrmore"},
		{DialectKawPow, encode(0), "", ""},
		{DialectEquihash, encode(60), "verushash", "verus"},
		{DialectEquihash, encode(60), "", ""},
		{DialectCryptoNote, "ZEPHs" + wallet[1:95], "rx/0", "zephyr"},
		{DialectCryptoNote, "S" + wallet[1:] + "Q9", "rx/0", ""},
		{DialectCryptoNote, "account", "rx/0", "monero"},
		{DialectKaspa, "account", "", "kaspa"},
	} {
		s := Session{Dialect: tt.d}
		s.Login.Set([]byte(tt.login))
		s.Algorithm.Set([]byte(tt.algo))
		if got := s.Coin(); got != tt.want {
			t.Errorf("%s %s %s: %q, want %q", tt.d, tt.login, tt.algo, got, tt.want)
		}
	}
}

// TestUnknownWallet: a login that goes on for long is a payout address, of
// whatever coin, where the flow mines; a name is not.
func TestUnknownWallet(t *testing.T) {
	long := strings.Repeat("3661579d61ab", 4)
	for _, tt := range []struct{ login, wallet, worker string }{
		{long + ".rig", long, "rig"}, {long, long, ""}, {"k:" + long + long[:16], "k:" + long + long[:16], ""},
		{long + "@mail.example", "", long + "@mail.example"}, {"account.rig", "", "account.rig"},
		{strings.Repeat("averylongname", 3), "", strings.Repeat("averylongname", 3)},
	} {
		s := Session{Dialect: DialectStratum, sure: true}
		s.Login.Set([]byte(tt.login))
		if w, k := s.Account(); string(w) != tt.wallet || string(k) != tt.worker {
			t.Errorf("%s: wallet %q, worker %q", tt.login, w, k)
		}
		s.sure = false
		if w, _ := s.Account(); len(w) > 0 {
			t.Errorf("%s: wallet %q of a flow that does not mine", tt.login, w)
		}
	}
}

// TestSize: a flow costs little, however many there are.
func TestSize(t *testing.T) {
	if n := unsafe.Sizeof(parser{}); n > 1300 {
		t.Errorf("a parser has %d bytes", n)
	}
}

// TestBounds reaches the limits of a session.
func TestBounds(t *testing.T) {
	var s Session
	var m Message
	for i := range 3 * maxPending {
		ParseMessage([]byte(`{"id":"`+strings.Repeat("i", i+1)+`","method":"login","params":{"login":"`+strings.Repeat("x", 3*maxField)+`"}}`), &m)
		s.Observe(0, &m)
	}
	if len(s.Login.Bytes()) != maxField {
		t.Errorf("a login of %d bytes", len(s.Login.Bytes()))
	}
	answer := func(n int) Method {
		ParseMessage([]byte(`{"id":"`+strings.Repeat("i", n)+`","result":1}`), &m)
		return s.answered(1, &m)
	}
	if answer(2*maxPending) != NoMethod || answer(2*maxPending+1) != Login || answer(2*maxPending+1) != NoMethod || answer(3*maxPending) != Login {
		t.Error("calls are forgotten or kept wrongly")
	}
	s.Pool.Set([]byte("a"))
	ParseMessage([]byte(`{"id":1,"method":"mining.subscribe","params":["x",null,"`+strings.Repeat("h", 3*maxField)+`",3333]}`), &m)
	s.Observe(0, &m)
	if p := s.Pool.Bytes(); len(p) != maxShort {
		t.Errorf("a pool of %d bytes", len(p))
	}
}

func TestErgoAddress(t *testing.T) {
	for in, want := range map[string]string{
		"9fRAWhdxEsTcdb8PhGNrZfwqa65zfkuYHAMmkQLcic1gdLSV5vA.rig": "ergo",
		"91avARGdfge8E4tZfYLoxeJ5sGBdNJQH4kvjJoQFacbgwmaKkrx":     "", // a private key of Bitcoin's test net
		"9" + strings.Repeat("z", 50):                             "",
	} {
		if a := FindAddress([]byte(in)); a.Coin != want || a.Sure != (want != "") {
			t.Errorf("%s: %+v", in, a)
		}
	}
}
