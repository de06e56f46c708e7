package mining

import (
	"math"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/stratum"
)

// kind is what a dialect makes of a finding. The numbers and codes are part of
// the stable outside: a number once given is never given again.
type kind struct {
	sid    uint32
	family string
	code   string
	title  string
}

var kinds = [...]kind{
	stratum.DialectUnknown:      {1000, "stratum", "mining.stratum", "Stratum"},
	stratum.DialectStratum:      {1001, "stratum", "mining.stratum", "Stratum V1"},
	stratum.DialectCryptoNote:   {1002, "stratum", "mining.stratum", "CryptoNote Stratum"},
	stratum.DialectEthProxy:     {1003, "stratum", "mining.stratum", "EthProxy"},
	stratum.DialectGetwork:      {1004, "getwork", "mining.getwork", "getwork"},
	stratum.DialectTemplate:     {1005, "getblocktemplate", "mining.getblocktemplate", "getblocktemplate"},
	stratum.DialectEthereum1:    {1006, "stratum", "mining.stratum", "EthereumStratum/1.0.0"},
	stratum.DialectEthereum2:    {1007, "stratum", "mining.stratum", "EthereumStratum/2.0.0"},
	stratum.DialectKawPow:       {1008, "stratum", "mining.stratum", "KawPow Stratum"},
	stratum.DialectEquihash:     {1009, "stratum", "mining.stratum", "Equihash Stratum"},
	stratum.DialectKaspa:        {1010, "stratum", "mining.stratum", "Kaspa Stratum"},
	stratum.DialectCKB:          {1011, "stratum", "mining.stratum", "CKB Stratum"},
	stratum.DialectGrin:         {1012, "stratum", "mining.stratum", "Grin Stratum"},
	stratum.DialectBeam:         {1013, "stratum", "mining.stratum", "Beam Stratum"},
	stratum.DialectCoinhive:     {1014, "coinhive", "mining.browser", "browser miner, Coinhive protocol"},
	stratum.DialectWebMinerPool: {1015, "coinhive", "mining.browser", "browser miner, webminerpool protocol"},
	stratum.DialectDero:         {1016, "getwork", "mining.getwork", "Dero getwork"},
	stratum.DialectIronFish:     {1017, "stratum", "mining.stratum", "Iron Fish Stratum"},
	stratum.DialectErgo:         {1018, "stratum", "mining.stratum", "Ergo Stratum"},
	stratum.DialectXelis:        {1019, "stratum", "mining.stratum", "XELIS Stratum"},
	stratum.DialectHandshake:    {1020, "stratum", "mining.stratum", "Handshake Stratum"},
	stratum.DialectAlephium:     {1021, "stratum", "mining.stratum", "Alephium Stratum"},
	stratum.DialectEthSubscribe: {1022, "stratum", "mining.stratum", "Ethereum work by subscription"},
	stratum.DialectAeternity:    {1023, "stratum", "mining.stratum", "Aeternity Stratum"},
	stratum.DialectDuino:        {1024, "duinocoin", "mining.stratum", "Duino-Coin"},
	stratum.DialectV2:           {1025, "stratum", "mining.stratum", "Stratum V2"},
	stratum.DialectP2Pool:       {1026, "p2pool", "mining.stratum", "p2pool's peers"},
	stratum.DialectNimiq:        {1027, "stratum", "mining.stratum", "Nimiq pool"},
	stratum.DialectWarthog:      {1028, "stratum", "mining.stratum", "Warthog Stratum"},
	stratum.DialectQubic:        {1029, "stratum", "mining.stratum", "Qubic pool"},
}

// prior is the logarithm of the odds that a conversation in JSON calls on a
// home network is mining, before anything else is known: one to two.
const prior = -0.7

// maxValue bounds a value shown as evidence, in characters.
const maxValue = 120

// finding makes the finding; see detail for pool.
func finding(s *stratum.Session, c *proto.Conn, level event.Level, pool string) event.Finding {
	k := kinds[s.Dialect]
	weight, _ := s.Marks.Sum()
	conf := 1 / (1 + math.Exp(-(weight + prior)))
	conf = min(conf, 0.9999)
	switch level {
	case event.Suspect:
		conf = min(conf, 0.6)
	case event.Likely:
		conf = min(conf, 0.95)
	}
	d := detail(s, c, pool)
	d.Run = run(s)
	f := event.Finding{
		Category:    event.Mining,
		Family:      k.family,
		Detector:    Detector.Name,
		Level:       level,
		Confidence:  math.Round(conf*1e4) / 1e4,
		SignatureID: k.sid,
		Signature:   "Cryptocurrency mining (" + k.title + ")",
		Severity:    1,
		Code:        k.code,
		Mining:      d,
		FromClient:  s.MinerIsClient(),
	}
	switch level {
	case event.Suspect:
		f.Signature = "Possible cryptocurrency mining (" + k.title + ")"
		f.Severity = 2
	case event.Likely:
		f.Signature = "Likely cryptocurrency mining (" + k.title + ")"
	}
	for _, a := range [...]event.Arg{
		{Name: "dialect", Value: d.Dialect}, {Name: "coin", Value: d.Coin}, {Name: "algorithm", Value: d.Algorithm}, {Name: "agent", Value: d.Agent},
		{Name: "worker", Value: d.Worker}, {Name: "wallet", Value: d.Wallet}, {Name: "pool", Value: d.Pool},
	} {
		if a.Value != "" {
			f.Args = append(f.Args, a)
		}
	}
	for m := range stratum.NumMarks {
		if s.Marks.Has(m) {
			f.Evidence = append(f.Evidence, event.Evidence{Code: m.Code(), Value: value(s, d, m), Weight: m.Weight()})
		}
	}
	return f
}

// detail tells who mines what for whom; pool is the name the flow gives the
// pool, if any.
func detail(s *stratum.Session, c *proto.Conn, pool string) *event.MiningDetail {
	wallet, worker := s.Account()
	d := &event.MiningDetail{
		Dialect:   s.Dialect.String(),
		Coin:      s.Coin(),
		Algorithm: readable(s.Algorithm.Bytes()),
		Agent:     readable(s.Agent.Bytes()),
		Worker:    readable(worker),
		Wallet:    readable(wallet),
		Pool:      pool,
	}
	if t := c.Target(); len(t) > 0 && s.MinerIsClient() {
		d.Pool = readable(t) // where the proxy was asked to connect to, whatever is said inside
	}
	if d.Pool == "" {
		d.Pool = readable(s.Pool.Bytes())
	}
	if d.Pool == "" {
		d.Pool = endpoint(s, c)
	}
	return d
}

// endpoint returns address:port of the side that does not mine.
func endpoint(s *stratum.Session, c *proto.Conn) string {
	a, port := c.Server, c.ServerPort
	if !s.MinerIsClient() {
		a, port = c.Client, c.ClientPort
	}
	return netip.AddrPortFrom(a.Netip(), port).String()
}

// value says in a few words what a mark stands on.
func value(s *stratum.Session, d *event.MiningDetail, m stratum.Mark) string {
	v := m.Doc()
	switch m {
	case stratum.MarkMethod, stratum.MarkCall, stratum.MarkLogin, stratum.MarkKeepalived:
		if names := s.MethodNames(m); names != "" {
			v = "method " + names
		}
	case stratum.MarkAgent:
		v = "agent " + d.Agent
	case stratum.MarkWallet:
		v = "login " + d.Wallet
	case stratum.MarkAlgo:
		if d.Algorithm != "" {
			v = "algorithm " + d.Algorithm
		}
	case stratum.MarkWorker:
		if d.Worker != "" {
			v = "worker " + d.Worker
		}
	}
	return cut(v)
}

// readable makes text from the network fit for people: characters that do not
// print become spaces, bytes that are not UTF-8 a question mark.
func readable(b []byte) string {
	return strings.TrimSpace(cut(strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError:
			return '?'
		case !unicode.IsPrint(r):
			return ' '
		}
		return r
	}, string(b))))
}

// cut shortens s to maxValue characters.
func cut(s string) string {
	n := 0
	for i := range s {
		if n == maxValue-1 && utf8.RuneCountInString(s[i:]) > 1 {
			return s[:i] + "…"
		}
		n++
	}
	return s
}
