package stratum

import (
	"bytes"
	"crypto/sha256"

	"github.com/yamori-net/yamori/internal/textline"
)

// Address is what is known about a payout address.
type Address struct {
	Coin string // "" when several coins use the form
	Len  int    // bytes of the text that are the address; 0: no address
	// Version is that of a Base58Check address of one byte, else 0.
	Version byte
	// Sure means that the text can hardly be anything else: its checksum is
	// right, or its form is long and peculiar.
	Sure bool
}

// FindAddress judges the beginning of a login: pools take the address alone or
// followed by a separator and the name of the worker, a fixed difficulty or a
// payment id ("ADDRESS.rig1", "ADDRESS+5000", "0x…/rig/mail").
func FindAddress(t []byte) Address {
	n := 0
	for n < len(t) && n < 128 && alnum(t[n]) {
		n++
	}
	if n < len(t) && t[n] == ':' {
		return prefixed(t, n)
	}
	if n < len(t) && alnum(t[n]) {
		return Address{}
	}
	a := t[:n]
	switch {
	case n == 42 && a[0] == '0' && a[1] == 'x' && allHex(a[2:]):
		return Address{Len: n, Sure: true} // Ethereum and everything that took its form over
	case n >= 39 && n <= 62 && textline.HasPrefix(a, "bc1") && bech32(a[3:]):
		return Address{Coin: "bitcoin", Len: n, Sure: true} // BIP 173, BIP 350
	case n >= 40 && n <= 63 && textline.HasPrefix(a, "ltc1") && bech32(a[4:]):
		return Address{Coin: "litecoin", Len: n, Sure: true}
	case n == 78 && textline.HasPrefix(a, "zs1") && bech32(a[3:]):
		return Address{Coin: "zcash", Len: n, Sure: true} // Sapling, ZIP 173
	case n >= 43 && n <= 66 && textline.HasPrefix(a, "prl1") && bech32(a[4:]):
		return Address{Coin: "pearl", Len: n, Sure: true} // taproot alone
	case n == 63 && textline.HasPrefix(a, "aleo1") && bech32(a[5:]):
		return Address{Coin: "aleo", Len: n, Sure: true}
	case n >= 61 && n <= 65 && textline.HasPrefix(a, "grin1") && bech32(a[5:]):
		return Address{Coin: "grin", Len: n, Sure: true} // Slatepack
	case n == 42 && textline.HasPrefix(a, "hs1q") && bech32(a[4:]):
		return Address{Coin: "handshake", Len: n, Sure: true}
	case n > 40 && n <= 110 && textline.HasPrefix(a, "ckb1") && bech32(a[4:]):
		return Address{Coin: "nervos", Len: n, Sure: true}
	case n >= 60 && n <= 66 && textline.HasPrefix(a, "dero1") && bech32(a[5:]):
		return Address{Coin: "dero", Len: n, Sure: true}
	case n < 25 || !base58(a):
		return Address{}
	case n == 51 && a[0] == '9':
		if ergo(a) {
			return Address{Coin: "ergo", Len: n, Sure: true}
		}
	case n == 95 && (a[0] == '4' || a[0] == '8'), n == 106 && a[0] == '4':
		return Address{Coin: "monero", Len: n, Sure: true} // standard and subaddress; with payment id
	case n >= 95 && n <= 110:
		return Address{Coin: cryptoNoteCoin(a), Len: n, Sure: true}
	case n <= 36:
		return checked(a)
	}
	return Address{}
}

// cryptoNoteCoin names another CryptoNote coin by how its addresses begin, which
// is how the coins chose the numbers before them (cryptonote_config.h).
func cryptoNoteCoin(a []byte) string {
	switch {
	case textline.HasPrefix(a, "zeph"):
		return "zephyr"
	case textline.HasPrefix(a, "ccx7"):
		return "conceal"
	case textline.HasPrefix(a, "salv"), textline.HasPrefix(a, "sc1"):
		return "salvium"
	case textline.HasPrefix(a, "trtl"):
		return "turtlecoin"
	case textline.HasPrefix(a, "hvx"), textline.HasPrefix(a, "hvi"):
		return "haven"
	case a[0] == 'Z' && a[1] == 'x':
		return "zano"
	case len(a) == 97 && a[0] == 'W' && (a[1] == 'o' || a[1] == 'W'):
		return "wownero"
	}
	return ""
}

// ergo reports whether a is the address of a public key on Ergo's main net: the
// byte 1, a compressed key (2 or 3 and 32 bytes) and a checksum, which is not
// verified. Bitcoin's private keys for testing have the same length and digit.
func ergo(a []byte) bool {
	var raw [38]byte
	for _, c := range a {
		carry := uint32(base58Digit(c))
		for i := len(raw) - 1; i >= 0; i-- {
			carry += uint32(raw[i]) * 58
			raw[i] = byte(carry)
			carry >>= 8
		}
		if carry != 0 {
			return false
		}
	}
	return raw[0] == 1 && (raw[1] == 2 || raw[1] == 3)
}

// prefixed judges "kaspa:…" and its kin, whose colon is at n.
func prefixed(t []byte, n int) Address {
	coin := ""
	switch string(t[:n]) {
	case "kaspa":
		coin = "kaspa"
	case "nexa":
		coin = "nexa"
	case "bitcoincash":
		coin = "bitcoin-cash"
	case "spectre":
		coin = "spectre"
	case "karlsen":
		coin = "karlsen"
	case "pyrin", "bugna", "hoosat", "nautilus":
		coin = string(t[:n])
	case "xel":
		coin = "xelis"
	default:
		return foreign(t, n)
	}
	e := n + 1
	for e < len(t) && alnum(t[e]) {
		e++
	}
	if e-n < 40 || e-n > 110 || !bech32(t[n+1:e]) {
		return Address{}
	}
	return Address{Coin: coin, Len: e, Sure: true}
}

// foreign judges "DOGE:D…", as pools take it that pay in another coin than the
// one mined: which coin that is, it does not tell.
func foreign(t []byte, n int) Address {
	if n < 2 || n > 8 {
		return Address{}
	}
	for _, c := range t[:n] {
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return Address{}
		}
	}
	if t = t[n+1:]; bytes.IndexByte(t[:min(len(t), 12)], ':') >= 0 {
		return Address{}
	}
	a := FindAddress(t)
	if a.Len == 0 {
		return a
	}
	return Address{Len: n + 1 + a.Len, Sure: a.Sure}
}

// checked verifies a Base58Check address (version, 20 bytes, the first four
// bytes of a double SHA-256) and names the coin of its version.
func checked(a []byte) Address {
	var raw [26]byte // two-byte versions (Zcash) are the longest
	for _, c := range a {
		carry := uint32(base58Digit(c))
		for i := len(raw) - 1; i >= 0; i-- {
			carry += uint32(raw[i]) * 58
			raw[i] = byte(carry)
			carry >>= 8
		}
		if carry != 0 {
			return Address{}
		}
	}
	for skip := range 2 {
		body, sum := raw[skip:22], raw[22:]
		h := sha256.Sum256(body)
		h = sha256.Sum256(h[:])
		if string(h[:4]) != string(sum) {
			continue
		}
		a := Address{Coin: versionCoin(raw[0], raw[1]), Len: len(a), Sure: true}
		if raw[0] == 0 {
			a.Version = raw[1]
		}
		return a
	}
	return Address{}
}

// versionCoin maps the version of a Base58Check address; the numbers are those
// of each coin's chainparams.cpp (base58Prefixes).
func versionCoin(hi, lo byte) string {
	if hi == 0x1c && (lo == 0xb8 || lo == 0xbd) {
		return "zcash"
	}
	if hi != 0 {
		return ""
	}
	switch lo {
	case 0, 5:
		return "bitcoin"
	case 48, 50:
		return "litecoin"
	case 30, 22:
		return "dogecoin"
	case 60:
		return "ravencoin"
	case 76, 16:
		return "dash"
	case 71:
		return "vertcoin"
	}
	return ""
}

func alnum(c byte) bool { return c >= '0' && c <= '9' || letter(c) }

func allHex(t []byte) bool {
	for _, c := range t {
		if unhex(c) < 0 {
			return false
		}
	}
	return len(t) > 0
}

// base58Digit returns the value of a digit of Bitcoin's base 58, or -1.
func base58Digit(c byte) int {
	switch {
	case c >= '1' && c <= '9':
		return int(c - '1')
	case c >= 'A' && c <= 'H':
		return int(c-'A') + 9
	case c >= 'J' && c <= 'N':
		return int(c-'J') + 17
	case c >= 'P' && c <= 'Z':
		return int(c-'P') + 22
	case c >= 'a' && c <= 'k':
		return int(c-'a') + 33
	case c >= 'm' && c <= 'z':
		return int(c-'m') + 44
	}
	return -1
}

func base58(t []byte) bool {
	for _, c := range t {
		if base58Digit(c) < 0 {
			return false
		}
	}
	return true
}

// bech32 reports whether t is made of the 32 characters of BIP 173.
func bech32(t []byte) bool {
	for _, c := range t {
		switch c | 0x20 {
		case 'b', 'i', 'o':
			return false
		}
		if c == '1' || !alnum(c) {
			return false
		}
	}
	return len(t) > 0
}
