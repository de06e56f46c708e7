package stratum

import (
	"math"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/textline"
)

// Observe takes one message of direction d into account. What counts is what
// a message means: a method that mining alone has, members that a job or a
// share has and nothing else, an answer of the form that the question before
// it asks for. Words inside strings mean nothing.
func (s *Session) Observe(d packet.Dir, m *Message) {
	s.Messages[d]++
	// What a message is must not depend on one member that anybody may add: a
	// call with a result beside its params is read as both.
	if m.Method == Other && ownLogin(m) {
		m.Method = EthSubmitLogin
	}
	answer := m.Top.has&set(KeyResult, KeyError) != 0
	if m.Method != NoMethod && (!answer || m.Top.Has(set(KeyParams)) || null(m.Top.Get(KeyResult)) && null(m.Top.Get(KeyError))) {
		s.Methods |= 1 << m.Method
		s.ask(d, m)
		s.request(d, m)
	}
	if answer {
		s.response(d, m)
	}
	if m.Method == NoMethod {
		s.coinhive(d, m)
		s.webMinerPool(d, m)
		s.nimiq(d, m)
		s.qubic(d, m)
		s.bare(d, m)
	}
}

func null(v Value) bool { return v.Kind == Absent || v.Kind == Null }

func (s *Session) request(d packet.Dir, m *Message) {
	switch m.Method {
	case Subscribe, Authorize, Submit, Configure, SuggestDifficulty, SuggestTarget, ExtranonceSubscribe, Hello, Hashrate, GetTransactions:
		s.add(MarkMethod)
		s.is(DialectStratum)
		s.role(d, true)
	case Other:
		s.beamAnswer(d, m)
	case EthSubscribe, EthSubscription:
		s.ethSubscription(d, m)
	case GetMinerData, AuxPow:
		s.add(MarkCall)
		s.is(DialectTemplate)
		s.role(d, true)
	case Notify, SetDifficulty, SetTarget, SetExtranonce, SetVersionMask, Set:
		s.add(MarkMethod)
		s.is(DialectStratum)
		s.role(d, false)
	case MiningOther:
		s.add(MarkCall)
		s.is(DialectStratum)
	case EthSubmitLogin:
		s.add(MarkMethod)
		s.eth(d, m)
	case EthSubmitWork, EthSubmitRate, EthGetWork, EthLogin:
		s.add(MarkCall)
		s.eth(d, m)
	case GetWork, GetBlockTemplate, SubmitBlock:
		s.add(MarkCall)
		s.role(d, true)
	}
	if w := m.Top.Get(KeyWorker); w.Kind == String && (s.Marks.Has(MarkMethod) || s.Marks.Has(MarkCall)) {
		s.add(MarkWorker)
		s.Worker.Set(m.Text(w))
	}
	switch m.Method {
	case Subscribe, Hello:
		told := s.Pool
		if m.Method == Subscribe {
			s.subscribe(m)
		} else {
			s.hello(m)
		}
		if d == packet.ToClient {
			s.Pool = told // a server must not say by whose name it was found
		}
	case Authorize:
		if m.Arg(0).Kind == String && (m.NArgs == 1 || m.Arg(1).Kind == String) && m.NArgs <= 3 {
			s.add(MarkAuthorize)
		}
		s.login(m, m.Arg(0))
		if s.Dialect == DialectXelis && m.NArgs == 3 && m.Arg(1).Kind == String {
			s.Worker.Set(m.Text(m.Arg(1)))
		}
	case EthLogin: // people sign in to applications by a call of that name, also with an address
		if a := m.Arg(0); a.Kind == String {
			s.Login.Set(m.Text(a))
		}
	case EthSubmitLogin:
		s.login(m, m.Arg(0))
		if f := &m.Params; f.has != 0 { // CKB: an object in the place of the list
			s.login(m, f.Get(KeyLogin))
			if a := f.Get(KeyAgent); a.Kind == String {
				s.agent(m.Text(a))
			}
			if w := f.Get(KeyWorker); w.Kind == String {
				s.Worker.Set(m.Text(w))
			}
		}
	case Submit:
		s.submit(m)
		s.handIn()
	case EthSubmitWork: // nonce, header, mix
		s.handIn()
		if m.Arg(0).HexLen() >= 8 && m.Arg(1).HexLen() == 64 && m.Arg(2).HexLen() == 64 {
			s.add(MarkEthShare)
		}
	case EthSubmitRate: // rate, identity of the client
		if m.Arg(0).HexLen() > 0 && m.Arg(1).HexLen() == 64 {
			s.add(MarkEthRate)
			s.report(m.Text(m.Arg(0)))
		}
	case Hashrate: // EIP-1571: rate, worker
		if m.Arg(0).HexLen() > 0 {
			s.report(m.Text(m.Arg(0)))
		}
	case Notify:
		s.Jobs++
		s.notify(m)
	case SuggestDifficulty:
		if m.Arg(0).Kind == Number {
			s.add(MarkSetting)
		}
	case SuggestTarget:
		if m.Arg(0).HexLen() == 64 {
			s.add(MarkSetting)
		}
	case SetDifficulty:
		if m.Arg(0).Kind == Number {
			s.add(MarkSetting)
			s.setDifficulty(m.Text(m.Arg(0)), byDifficulty)
		}
	case SetTarget:
		t := m.Arg(0)
		if t.Kind == Absent {
			t = m.Params.Get(KeyTarget)
		}
		if t.HexLen() == 64 {
			s.add(MarkSetting)
			s.setTarget(m.Text(t))
		}
	case ClientVersion:
		s.add(MarkCall)
		s.is(DialectStratum)
		s.role(d, false)
	case SetExtranonce, SetVersionMask:
		if m.Arg(0).HexLen() > 0 {
			s.add(MarkSetting)
		}
	case Set:
		if m.Params.has&set(KeyTarget, KeyEpoch, KeyExtranonce, KeyAlgo) != 0 {
			s.add(MarkSetting)
			s.is(DialectEthereum2)
			s.setTarget(m.Text(m.Params.Get(KeyTarget)))
		}
	case Keepalived:
		if m.Params.Get(KeyID).Kind == String {
			s.add(MarkKeepalived)
			s.is(DialectCryptoNote)
			s.role(d, true)
		}
	case GetJobTemplate:
		s.add(MarkMethod)
		s.is(DialectGrin)
		s.role(d, true)
	case Login:
		s.loginObject(d, m)
	case SubmitPlain:
		s.share(d, m, &m.Params)
	case Job:
		s.job(d, m, &m.Params)
		s.job(d, m, &m.Job)
		s.job(d, m, &m.Top)
	case Solution: // Beam: members stand beside the method
		if m.Top.Get(KeyNonce).HexLen() == 16 && m.Top.Get(KeyOutput).HexLen() >= 200 {
			s.add(MarkShareKeys)
			s.add(MarkBeam)
			s.is(DialectBeam)
			s.role(d, true)
			s.handIn()
		}
	case GetWork:
		s.is(DialectGetwork)
		if m.Arg(0).HexLen() >= 256 {
			s.handIn()
			s.add(MarkWorkData)
		}
	case GetBlockTemplate:
		s.is(DialectTemplate)
		s.askTemplate(m)
	case SubmitBlock:
		s.is(DialectTemplate)
		switch {
		case m.Arg(0).HexLen() >= 160, // a header alone has 80 bytes
			m.Arg(0).HexLen() == 64 && m.Arg(1).HexLen() == 64, // KawPow: header, mix, nonce
			m.NArgs == 2 && m.Arg(1).Kind == Object,            // CKB: work, block
			m.NArgs == 1 && m.Arg(0).Kind == Object && m.Params.Has(set(KeyNonce)),
			m.Params.Get(KeyMinerWork).HexLen() >= 160: // XELIS
			s.handIn()
			s.add(MarkBlock)
		}
	}
}

// grinShare takes the scale of a share's difficulty from the size of its
// graph: a solution of C31 and larger ones counts 2^(edge_bits-24) × 2 ×
// edge_bits (Grin's consensus graph_weight). What C29 counts changes with time.
func (s *Session) grinShare(edgeBits float64) {
	s.Effort.PerShare = 0
	if edgeBits >= 31 && edgeBits <= 40 {
		s.Effort.PerShare = max(1, s.diff/(math.Ldexp(edgeBits, int(edgeBits)-23)))
	}
}

// ethSubscription reads work by subscription over WebSocket: a subscription
// "newWork" with the account, and jobs of a name, header, seed and boundary.
func (s *Session) ethSubscription(d packet.Dir, m *Message) {
	switch m.Method {
	case EthSubscribe:
		if a := m.Arg(0); a.Kind != String || string(m.Text(a)) != "newWork" || m.NArgs < 2 {
			return // what nodes offer is newHeads, logs and pending transactions
		}
		s.login(m, m.Arg(1))
		if w := m.Arg(2); w.Kind == String {
			s.Worker.Set(m.Text(w))
		}
		s.role(d, true)
	case EthSubscription:
		if m.Res(1).HexLen() != 64 || m.Res(2).HexLen() != 64 || m.Res(3).HexLen() != 64 {
			return
		}
		s.Jobs++
		s.add(MarkWork)
		if t := unprefixed(m.Text(m.Res(3))); string(t[:2]) == "00" {
			s.add(MarkBoundary)
		}
		s.setTarget(m.Text(m.Res(3)))
		s.role(d, false)
	}
	s.add(MarkCall)
	s.is(DialectEthSubscribe)
}

// eth notes what the *_getWork family has in common.
func (s *Session) eth(d packet.Dir, m *Message) {
	s.role(d, true)
	s.is(DialectEthProxy)
	if n := m.MethodName(); len(n) > 4 && string(n[:4]) == "ckb_" {
		s.is(DialectCKB)
	}
}

// subscribe reads the parameters of mining.subscribe: the software, then a
// session or the protocol, then (ZIP 301) the pool as the miner knows it.
func (s *Session) subscribe(m *Message) {
	if a := m.Arg(0); a.Kind == String {
		s.agent(m.Text(a))
	}
	if k := m.Params.Get(KeyPublicAddress); k.HexLen() == 64 { // Iron Fish
		s.add(MarkAuthorize)
		s.is(DialectIronFish)
		s.Login.Set(m.Text(k))
		if a := m.Params.Get(KeyAgent); a.Kind == String {
			s.agent(m.Text(a))
		}
	}
	for i := range min(m.NArgs, 3) {
		if a := m.Arg(i); a.Kind == String {
			s.proto(m.Text(a))
		}
	}
	if m.NArgs == 4 && m.Arg(2).Kind == String && (m.Arg(3).Kind == Number || m.Arg(3).Kind == String) {
		s.is(DialectEquihash)
		s.pool(m, m.Arg(2), m.Arg(3))
	}
}

// hello reads EIP-1571's mining.hello.
func (s *Session) hello(m *Message) {
	if a := m.Params.Get(KeyAgent); a.Kind == String {
		s.agent(m.Text(a))
	}
	if p := m.Params.Get(KeyProto); p.Kind == String {
		s.proto(m.Text(p))
	}
	if h := m.Params.Get(KeyHost); h.Kind == String {
		s.pool(m, h, m.Params.Get(KeyPort))
	}
}

func (s *Session) agent(t []byte) {
	s.Agent.Set(t)
	if IsMiner(t) {
		s.add(MarkAgent)
	}
}

func (s *Session) proto(t []byte) {
	const p = "EthereumStratum/"
	if len(t) <= len(p) || string(t[:len(p)]) != p {
		return
	}
	s.add(MarkProto)
	s.is(DialectEthereum1)
	if t[len(p)] == '2' {
		s.is(DialectEthereum2)
	}
}

// pool keeps "host:port".
func (s *Session) pool(m *Message, host, port Value) {
	s.Pool.Set(m.Text(host))
	if p := m.Text(port); len(p) > 0 && len(p) <= 5 && int(s.Pool.n)+1+len(p) <= maxShort {
		n := int(s.Pool.n)
		s.Pool.b[n] = ':'
		s.Pool.n = uint8(n + 1 + copy(s.Pool.b[n+1:], p))
	}
}

// login keeps an account and judges whether it is a payout address.
func (s *Session) login(m *Message, v Value) {
	if v.Kind != String {
		return
	}
	t := m.Text(v)
	s.Login.Set(t)
	if a := FindAddress(t); a.Sure {
		s.add(MarkWallet)
		switch a.Coin {
		case "kaspa":
			s.is(DialectKaspa)
		case "xelis":
			s.is(DialectXelis)
		}
	}
}

// loginObject reads CryptoNote's login (and Grin's, which has the same form).
func (s *Session) loginObject(d packet.Dir, m *Message) {
	f := &m.Params
	if a := m.Arg(0); a.Kind == String && m.Arg(1).Kind == String && a.Flags&Prefixed == 0 { // Bytom's older pools
		s.add(MarkLogin)
		s.role(d, true)
		s.Login.Set(m.Text(a)) // people sign in by list as well, also with an address
	}
	if k := m.Top.Get(KeyLogin); k.Kind == String && f.has == 0 { // Beam: a key beside the method, of which pools make the account
		s.add(MarkLogin)
		s.role(d, true)
		s.Login.Set(m.Text(k))
		return
	}
	if f.Get(KeyLogin).Kind != String {
		return
	}
	if f.Get(KeyPass).Kind == String {
		s.add(MarkLogin)
	}
	s.is(DialectCryptoNote)
	s.role(d, true)
	// On Ethereum and its kin people sign in to applications with an address of
	// that form; as a login it says nothing by itself.
	if l := f.Get(KeyLogin); l.Flags&Prefixed != 0 {
		s.Login.Set(m.Text(l))
	} else {
		s.login(m, l)
	}
	if a := f.Get(KeyAgent); a.Kind == String {
		t := m.Text(a)
		if ordinary(t) {
			s.Agent.Set(t)
		} else {
			s.agent(t)
		}
		if textline.HasPrefix(t, "grin") {
			s.is(DialectGrin)
		}
	}
	s.algo(m, f.Get(KeyAlgo))
	if r := f.Get(KeyRigID); r.Kind == String {
		s.Worker.Set(m.Text(r))
	}
}

// algo takes an algorithm's name, or a list of them.
func (s *Session) algo(m *Message, v Value) {
	switch {
	case v.Kind == String && isAlgorithm(m.Text(v)):
		s.add(MarkAlgo)
		s.Algorithm.Set(m.Text(v))
	case v.Kind == Array && v.Flags&HasAlgorithm != 0:
		s.add(MarkAlgo)
	}
}

// submit tells the forms of mining.submit apart.
func (s *Session) submit(m *Message) {
	short := m.NArgs == 4 && m.Arg(2).HexLen() == 8 && m.Arg(3).HexLen() == 8 // Warthog: job, extranonce2, time, nonce
	if s.Login.n == 0 && s.Dialect != DialectEthereum2 && !short {            // which name the job first
		s.login(m, m.Arg(0))
	}
	switch {
	case m.NArgs >= 5 && m.Arg(3).HexLen() == 64 && m.Arg(4).HexLen() == 64 && m.Arg(2).Flags&Prefixed != 0: // worker, job, nonce, header, mix
		s.add(MarkSubmit)
		if !s.ethash { // whose older pools take the same
			s.shaped(DialectKawPow)
		}
	case m.NArgs == 5 && m.Arg(2).HexLen() == 8 && m.Arg(4).HexLen() >= 100: // worker, job, time, nonce2, solution
		s.add(MarkSubmit)
		s.shaped(DialectEquihash)
		s.graph = uint16(min(m.Arg(4).HexLen(), 1<<16-1))
	case m.NArgs >= 5 && m.Arg(3).HexLen() == 8 && m.Arg(4).HexLen() == 8: // worker, job, extranonce2, ntime, nonce
		s.add(MarkSubmit)
	case m.Params.Has(set(KeyJobID)) && m.Params.Get(KeyNonce).HexLen() >= 8: // Alephium, Iron Fish
		s.add(MarkSubmit)
	case m.NArgs == 1 && m.Arg(0).Kind == Object && m.Params.Has(set(KeyNonce)): // PascalCoin
		s.add(MarkSubmit)
	case m.NArgs >= 3 && (m.Arg(2).HexLen() >= 8 || m.Arg(1).HexLen() >= 8): // user, job, nonce; job, nonce, worker
		s.add(MarkSubmit)
	}
}

// notify tells the forms of mining.notify apart; the job's name stands first.
func (s *Session) notify(m *Message) {
	a := &m.Args
	h := func(i int) int { return m.Arg(i).HexLen() }
	switch {
	case m.NArgs >= 9 && h(1) == 64 && h(2) > 0 && h(3) > 0 && a[4].Kind == Array && h(5) == 8 && h(6) == 8 && h(7) == 8:
		s.add(MarkNotify)
	case m.NArgs >= 8 && h(1) == 8 && h(2) == 64 && h(3) == 64 && h(4) == 64 && h(5) == 8 && h(6) == 8: // ZIP 301
		s.add(MarkNotify)
		s.shaped(DialectEquihash)
		if m.NArgs >= 9 && h(8) >= 64 { // the beginning of the solution: Verus
			s.Algorithm.Set([]byte("verushash"))
		}
	case m.NArgs == 7 && h(1) == 64 && (h(2) == 64 || h(2) == 128) && (h(3) == 8 || a[3].Kind == Number) && h(4) == 8 && h(5) == 8: // hash, Merkle prefix, version, bits, time, clean
		s.add(MarkNotify)
		s.shaped(DialectWarthog)
		s.refine()
	case m.NArgs == 5 && h(1) == 64 && h(2) == 64 && h(3) == 64 && (a[4].Kind == True || a[4].Kind == False): // header, seed, target, clean: Ethash by pools of the first kind
		s.add(MarkNotify)
		s.ethash = true
		s.setTarget(m.Text(a[3]))
	case m.NArgs >= 7 && h(1) == 64 && h(2) == 64 && h(3) == 64 && a[5].Kind == Number: // header, seed, target, clean, height, bits
		s.add(MarkNotify)
		s.shaped(DialectKawPow)
		s.setTarget(m.Text(a[3]))
	case m.NArgs >= 9 && a[1].Kind == Number && h(2) == 64 && a[6].Kind == String && number64(m.Text(a[6])) > 0: // height, message, "", "", version, target
		s.add(MarkNotify)
		s.is(DialectErgo)
		s.perShare(number64(m.Text(a[6])), 256)
	case m.NArgs >= 12 && h(1) == 64 && a[4].Kind == Array && h(5) == 64 && h(6) == 64 && h(7) == 64: // roots of names, filters and reserve
		s.add(MarkNotify)
		s.is(DialectHandshake)
	case m.NArgs == 4 && a[1].Kind == Number && h(2) == 64 && (a[3].Kind == True || a[3].Kind == False): // version, header, empty queue
		s.add(MarkNotify)
		s.is(DialectAeternity)
	case s.Dialect == DialectXelis && m.NArgs == 4 && h(2) == 64: // time, header work, miner's key, clean
		s.add(MarkNotify)
	case m.NArgs == 4 && h(1) == 64 && h(2) == 64 && (a[3].Kind == True || a[3].Kind == False): // seed, header, clean
		s.add(MarkNotify)
		s.shaped(DialectEthereum1)
	case m.NArgs >= 2 && a[1].Kind == Array && a[1].Count == 4 && a[1].Flags&AllNumbers != 0, // header as four 64-bit words, timestamp
		m.NArgs == 3 && h(1) >= 64 && a[2].Kind == Number:
		s.add(MarkNotify)
		s.is(DialectKaspa)
	case m.Params.Get(KeyHeader).HexLen() >= 128: // Iron Fish
		s.add(MarkNotify)
		s.is(DialectIronFish)
	case a[0].Kind == Object && m.NArgs > 0 && m.Params.Get(KeyHeaderBlob).HexLen() >= 160: // Alephium: jobs of its chains, with their headers
		s.add(MarkNotify)
		s.is(DialectAlephium)
		s.setTarget(m.Text(m.Params.Get(KeyTargetBlob)))
	case a[0].Kind == Object && m.NArgs > 0 && m.Params.Get(KeyTarget).HexLen() == 64: // PascalCoin: parts of a header
		s.add(MarkNotify)
		s.setTarget(m.Text(m.Params.Get(KeyTarget)))
	default:
		for i := 1; i < min(m.NArgs, MaxArgs); i++ {
			if h(i) >= 64 {
				s.add(MarkNotify)
				break
			}
		}
	}
}

// askTemplate reads the parameters of getblocktemplate: of Bitcoin (BIP 22
// capabilities and mode, BIP 9 rules) or of a Monero daemon.
func (s *Session) askTemplate(m *Message) {
	f := &m.Params
	if f.has&set(KeyCapabilities) != 0 {
		s.add(MarkTemplateAsk)
	}
	if l := f.Get(KeyLongPollID); l.Kind == String && l.Len() > 0 { // BIP 22
		s.add(MarkLongPoll)
	}
	if w := f.Get(KeyWalletAddress); w.Kind == String {
		s.login(m, w)
		if f.has&set(KeyReserveSize) != 0 {
			s.add(MarkTemplateAsk)
		}
	}
}

// job judges an object that may be a job. Names and forms of the members are
// two marks, but the names count for nothing where the forms are wrong: print
// farms and build servers have jobs, blobs and targets as well.
func (s *Session) job(d packet.Dir, m *Message, f *fields) {
	blob, target := f.Get(KeyBlob), f.Get(KeyTarget)
	t := target.HexLen()
	switch {
	// CryptoNote: the header has 76 bytes or so, a target is the upper 32 or
	// 64 bits of one, with some pools all 256.
	// Tari's SHA-3 work is the hash of the header.
	// Arweave's is a hash and a byte.
	case f.Has(set(KeyJobID)) && (blob.HexLen() >= 80 && t >= 6 && t <= 64 || (blob.HexLen() == 64 || blob.HexLen() == 66) && (t == 8 || t == 16 || t == 64)):
		s.add(MarkJobKeys)
		s.add(MarkJobHex)
		s.is(DialectCryptoNote)
		s.setLittle(m.Text(target))
		s.algo(m, f.Get(KeyAlgo))
	case f.Get(KeyPrePow).HexLen() >= 128 && f.Get(KeyHeight).Kind == Number && (f.Get(KeyDifficulty).Kind == Number || f.Get(KeyDifficulty).Kind == Array): // Epic lists one for each algorithm
		s.add(MarkGrinKeys)
		s.add(MarkGrinHex)
		s.is(DialectGrin)
		s.setDifficulty(m.Text(f.Get(KeyDifficulty)), unknownMeasure)
	case f.Get(KeyInput).HexLen() == 64 && f.Get(KeyDifficulty).Kind == Number && f.Get(KeyHeight).Kind == Number:
		s.add(MarkJobKeys)
		s.add(MarkBeam)
		s.is(DialectBeam)
		s.setDifficulty(m.Text(f.Get(KeyDifficulty)), unknownMeasure)
	case f.Has(set(KeyJobID, KeyNonceSize)) && f.Get(KeyData).HexLen() >= 80 && f.Get(KeyDifficulty).Kind == Number: // Hathor
		s.add(MarkJobKeys)
		s.add(MarkJobHex)
		s.is(DialectStratum)
	case f.Has(set(KeyJobID)) && f.Get(KeyPrevHash).HexLen() == 64 && (t == 64 || t == 16 || t == 8): // Bytom: the header by its members
		s.add(MarkJobKeys)
		s.add(MarkJobHex)
		s.is(DialectCryptoNote)
		s.setLittle(m.Text(target))
	default:
		return
	}
	s.Jobs++
	s.role(d, false)
}

// share judges an object that may be a share, under the same rule.
func (s *Session) share(d packet.Dir, m *Message, f *fields) {
	nonce := f.Get(KeyNonce).HexLen()
	pow := f.Get(KeyPow)
	switch {
	case f.Has(set(KeyJobID)) && nonce >= 8 && nonce <= 16 && f.Get(KeyResult).HexLen() == 64: // CryptoNote
		s.add(MarkShareKeys)
		s.add(MarkShareHex)
		s.is(DialectCryptoNote)
		s.algo(m, f.Get(KeyAlgo))
	case f.Has(set(KeyJobID)) && nonce >= 8 && nonce <= 16 && f.Get(KeyOutput).HexLen() == 64 && m.Method == SubmitPlain: // Arweave
		s.add(MarkShareKeys)
		s.add(MarkShareHex)
		s.is(DialectCryptoNote)
	case f.Get(KeyEdgeBits).Kind == Number && pow.Flags&AllNumbers != 0 && pow.Count >= 32: // Grin: a cycle of 42 edges
		s.add(MarkGrinKeys)
		s.add(MarkGrinHex)
		s.is(DialectGrin)
		s.grinShare(number64(m.Text(f.Get(KeyEdgeBits))))
	case pow.Kind == Object && f.Has(set(KeyJobID, KeyHeight, KeyNonce)): // Epic: a proof for each algorithm
		s.add(MarkGrinKeys)
		s.add(MarkGrinHex)
		s.is(DialectGrin)
	case s.Jobs > 0 && m.Method == SubmitPlain && f.Has(set(KeyJobID)) && nonce >= 8: // Hathor, Bytom
		s.add(MarkShareKeys)
	default:
		return
	}
	s.handIn()
	s.role(d, true)
}
