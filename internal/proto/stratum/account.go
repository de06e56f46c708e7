package stratum

import (
	"bytes"
	"strings"

	"github.com/yamori-net/yamori/internal/textline"
)

// Coin names the coin that is mined where the traffic tells it: by an
// algorithm that belongs to one coin, or by a payout address whose form does.
// Pools pay out in another coin than the one mined only on CryptoNote and
// Ethereum dialects, where an address of Bitcoin's form therefore says
// nothing. Empty otherwise.
func (s *Session) Coin() string {
	a := FindAddress(s.Login.Bytes())
	c := a.Coin
	if s.Dialect == DialectCryptoNote && c != "monero" && a.Len >= 95 && a.Len <= 110 {
		return c // one of Monero's kin, which may share its algorithm
	}
	if c := coinOfAlgorithm(s.Algorithm.Bytes()); c != "" {
		return c
	}
	switch s.Dialect {
	case DialectCryptoNote, DialectCoinhive, DialectWebMinerPool:
		return only(c, "monero")
	case DialectEthProxy, DialectEthereum1, DialectEthereum2, DialectEthSubscribe:
		return only(c, "quai")
	case DialectKawPow:
		return kawpowCoin(a.Version)
	case DialectEquihash:
		return s.equihashCoin(a)
	case DialectKaspa: // and what took its protocol over
		switch c {
		case "karlsen", "pyrin", "spectre", "bugna", "hoosat", "nautilus":
			return c
		}
		return "kaspa"
	case DialectCKB:
		return "nervos"
	case DialectIronFish:
		return "iron-fish"
	case DialectBeam:
		return "beam"
	case DialectDero:
		return "dero"
	case DialectGrin:
		return only(c, "grin")
	case DialectDuino:
		return "duino-coin"
	case DialectNimiq:
		return "nimiq"
	case DialectErgo:
		return "ergo"
	case DialectXelis:
		return "xelis"
	case DialectHandshake:
		return "handshake"
	case DialectAeternity:
		return "aeternity"
	case DialectAlephium:
		return "alephium"
	case DialectWarthog:
		return "warthog"
	case DialectQubic:
		return "qubic"
	case DialectStratum:
		if a.Version == 60 { // Ravencoin's form, which Raptoreum and Verus share
			return s.raptoreum()
		}
	}
	return c
}

// only returns c if it is want.
func only(c, want string) string {
	if c == want {
		return c
	}
	return ""
}

// kawpowCoin names the coin by the version of an address on a KawPow pool: the
// coins' chainparams.cpp. Other addresses are of markets that pay in Bitcoin.
func kawpowCoin(version byte) string {
	switch version {
	case 60:
		return "ravencoin"
	case 50:
		return "meowcoin"
	case 33:
		return "evrmore"
	case 38:
		return "neoxa"
	case 82:
		return "firo"
	}
	return ""
}

// equihashCoin tells Zcash from others that took its form of addresses over, by
// the size of solutions: 1344 bytes for Equihash 200,9, 100 for 144,5, 52 for 125,4
// and 400 for 192,7, each with its length before it (ZIP 301).
func (s *Session) equihashCoin(a Address) string {
	if a.Coin != "zcash" {
		return ""
	}
	switch s.graph {
	case 0, 2694:
		return "zcash"
	case 106:
		return "flux"
	}
	return ""
}

// raptoreum returns "raptoreum" for software that speaks Stratum V1 for
// GhostRider.
func (s *Session) raptoreum() string {
	t := s.Agent.Bytes()
	if textline.HasPrefix(t, "xmrig") || textline.HasPrefix(t, "cpuminer-gr") || textline.HasPrefix(s.Algorithm.Bytes(), "ghostrider") {
		return "raptoreum"
	}
	return ""
}

// Account splits what was logged in with into the payout address and the name
// of the worker; a login that is no address is an account, which for a reader
// stands in the place of the worker. Valid as long as s.
func (s *Session) Account() (wallet, worker []byte) {
	worker = s.Worker.Bytes()
	l := s.Login.Bytes()
	a := FindAddress(l)
	if a.Len == 0 {
		a.Len = s.wallet(l)
	}
	if s.Dialect == DialectDuino || s.Dialect == DialectNimiq || s.Dialect == DialectQubic {
		return l, worker // coins are paid to accounts, and to addresses with spaces
	}
	if a.Len == 0 {
		if len(worker) == 0 {
			worker = l
		}
		return nil, worker
	}
	if rest := l[a.Len:]; len(worker) == 0 && len(rest) > 1 {
		worker = rest[1:]
	}
	return l[:a.Len], worker
}

// wallet returns how many bytes of the login of a miner are a payout address of
// a form that is not known: something long that nobody chose for a name.
func (s *Session) wallet(l []byte) int {
	if s.Dialect == DialectCoinhive || !s.sure {
		return 0 // keys of web sites are long as well
	}
	n, digits := 0, 0
	if i := bytes.IndexByte(l, ':'); i > 0 && i <= 12 && len(l) > i+1 && alnum(l[i+1]) {
		n = i + 1 // "cfx:…", "k:…"
	}
	head := n
	for n < len(l) && alnum(l[n]) {
		if l[n] <= '9' {
			digits++
		}
		n++
	}
	if n-head < 30 || digits < 2 || n < len(l) && l[n] == '@' {
		return 0
	}
	return n
}

// MethodNames lists the methods seen that stand behind a mark, in the order of
// the table: "mining.subscribe, mining.authorize".
func (s *Session) MethodNames(m Mark) string {
	out := ""
	for x := Subscribe; x <= ClientVersion; x++ {
		if s.Methods&(1<<x) == 0 || x.mark() != m {
			continue
		}
		if out != "" {
			out += ", "
		}
		name := x.String()
		if s.Dialect == DialectCKB {
			name = strings.Replace(name, "eth_", "ckb_", 1)
		}
		out += name
	}
	return out
}

// mark returns the mark that a method is by its name.
func (m Method) mark() Mark {
	switch m {
	case EthSubmitWork, EthSubmitRate, EthGetWork, EthLogin, GetWork, GetBlockTemplate, SubmitBlock, GetMinerData, AuxPow, EthSubscribe, EthSubscription, ClientVersion:
		return MarkCall
	case Login:
		return MarkLogin
	case Keepalived:
		return MarkKeepalived
	case SubmitPlain, GetJob, Job, Solution:
		return NumMarks
	}
	return MarkMethod
}
