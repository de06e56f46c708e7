package stratum

import "strings"

// Coin names the coin that is mined where the traffic tells it: by an
// algorithm that belongs to one coin, or by a payout address whose form does.
// Pools pay out in another coin than the one mined only on CryptoNote and
// Ethereum dialects, where an address of Bitcoin's form therefore says
// nothing. Empty otherwise.
func (s *Session) Coin() string {
	if c := coinOfAlgorithm(s.Algorithm.Bytes()); c != "" {
		return c
	}
	c := FindAddress(s.Login.Bytes()).Coin
	switch s.Dialect {
	case DialectCryptoNote, DialectCoinhive, DialectWebMinerPool:
		if c != "monero" {
			return ""
		}
	case DialectEthProxy, DialectEthereum1, DialectEthereum2, DialectEthSubscribe:
		return ""
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
	case DialectEquihash:
		if c != "zcash" {
			return ""
		}
	}
	return c
}

// Account splits what was logged in with into the payout address and the name
// of the worker; a login that is no address is an account, which for a reader
// stands in the place of the worker. Valid as long as s.
func (s *Session) Account() (wallet, worker []byte) {
	worker = s.Worker.Bytes()
	l := s.Login.Bytes()
	a := FindAddress(l)
	if s.Dialect == DialectDuino || s.Dialect == DialectNimiq {
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
	case EthSubmitWork, EthSubmitRate, EthGetWork, GetWork, GetBlockTemplate, SubmitBlock, GetMinerData, AuxPow, EthSubscribe, EthSubscription, ClientVersion:
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
