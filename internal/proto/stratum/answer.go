package stratum

import "github.com/yamori-net/yamori/internal/packet"

// response judges an answer, or a job that is pushed in the form of one.
func (s *Session) response(d packet.Dir, m *Message) {
	q := s.answered(d, m)
	result := m.Top.Get(KeyResult)
	ok := result.Kind != Absent && result.Kind != Null && result.Kind != False
	if e := m.Top.Get(KeyError); e.Kind != Absent && e.Kind != Null && e.Kind != False {
		ok = false
	}
	if q == SubmitBlock && result.Kind != Object { // BIP 22: null is accepted, a text the reason why not
		ok = (null(result) || result.Kind == True) && null(m.Top.Get(KeyError))
	}
	switch q {
	case Submit, SubmitPlain, EthSubmitWork, SubmitBlock, Solution:
		if ok {
			s.Accepted++
		} else {
			s.refused()
		}
		return
	case Authorize, EthSubmitLogin, Subscribe, Configure, ExtranonceSubscribe, SuggestDifficulty, SuggestTarget, Hello:
		if ok {
			s.add(MarkAnswer)
		}
	case ClientVersion:
		if result.Kind == String {
			s.agent(m.Text(result))
		}
	case Other:
		return // the answer to something else, whatever it looks like
	}
	if !ok {
		return
	}
	switch result.Kind {
	case Object:
		s.resultObject(d, m, q)
	case Array:
		s.resultList(d, m, q)
	}
}

func (s *Session) resultObject(d packet.Dir, m *Message, q Method) {
	f := &m.Result
	jobs := s.Jobs
	s.job(d, m, &m.Job)
	s.job(d, m, f) // getjob and getjobtemplate answer with the job itself
	if s.Jobs != jobs && (q == Login || q == GetJob || q == GetJobTemplate) {
		s.add(MarkAnswer)
	}
	if st := f.Get(KeyStatus); st.Kind == String && string(m.Text(st)) == "KEEPALIVED" {
		s.add(MarkKeptAlive)
		s.is(DialectCryptoNote)
		s.role(d, false)
	}
	switch {
	case f.Get(KeyTarget).HexLen() == 64 && f.Get(KeyData).HexLen() >= 160: // getwork: header, padded to 128 bytes
		s.Jobs++
		s.add(MarkWorkData)
		s.is(DialectGetwork)
		s.role(d, false)
		s.setLittle(m.Text(f.Get(KeyTarget)))
		if f.has&set(KeyMidstate) != 0 {
			s.add(MarkJobKeys)
		}
		if q == GetWork {
			s.add(MarkAnswer)
		}
	case f.Has(set(KeyPrevHash, KeyTransactions, KeyBits)) && f.has&set(KeyCoinbaseTxn, KeyLongPollID, KeyNonceRange) != 0,
		f.Get(KeyTemplateBlob).HexLen() >= 80 && f.Has(set(KeyDifficulty)),
		f.Has(set(KeyWorkID, KeyBits)) && f.Get(KeyPrevHash).HexLen() == 64,                               // CKB's node
		q == GetBlockTemplate && f.Has(set(KeyBits, KeyCoinbaseTxn)) && f.Get(KeyPrevHash).HexLen() == 64, // BSV's candidate
		q == AuxPow && f.Has(set(KeyBits)) && f.Get(KeyPrevHash).HexLen() == 64:                           // merge mining
		s.Jobs++
		s.add(MarkTemplate)
		s.is(DialectTemplate)
		s.role(d, false)
		if d := f.Get(KeyDifficulty); d.Kind == Number { // Monero's is a number of hashes
			s.setDifficulty(m.Text(d), byHashes)
		} else if t := f.Get(KeyTarget); t.HexLen() == 64 {
			s.setTarget(m.Text(t))
		}
		if q == GetBlockTemplate || q == AuxPow {
			s.add(MarkAnswer)
		}
	case f.Get(KeySeedHash).HexLen() == 64 && f.Get(KeyHeight).Kind == Number && f.Get(KeyDifficulty).Flags&Prefixed != 0 && q == GetMinerData:
		s.Jobs++
		s.add(MarkTemplate)
		s.add(MarkAnswer)
		s.is(DialectTemplate)
		s.role(d, false)
	}
}

func (s *Session) resultList(d packet.Dir, m *Message, q Method) {
	if q == Subscribe || m.Top.Get(KeyResult).Flags&HasNotification != 0 {
		if m.Top.Get(KeyResult).Flags&HasNotification != 0 {
			s.add(MarkSubscribed)
			s.is(DialectStratum)
			s.role(d, false)
		}
		for i := range min(m.NRes, 2) {
			if a := m.Res(i); i > 0 && (a.HexLen() > 0 || a.Kind == String && a.Len() == 0) {
				s.add(MarkExtranonce)
			}
		}
		return
	}
	// EthProxy: header, seed, boundary, and with most pools the block number.
	// Pushes have the id 0 and no method, so this form is all there is to see.
	if (q == NoMethod || q == EthGetWork || q == EthSubmitLogin || q == EthLogin) && m.NRes >= 3 && (m.NRes <= 5 || q == EthGetWork) &&
		m.Res(0).HexLen() == 64 && m.Res(1).HexLen() == 64 && (m.Res(2).HexLen() == 64 || q == EthGetWork && m.Res(2).HexLen() >= 48) { // Aquachain leaves zeros out
		s.work(d, m, q)
	}
}

func (s *Session) work(d packet.Dir, m *Message, q Method) {
	s.Jobs++
	s.add(MarkWork)
	s.is(DialectEthProxy)
	s.role(d, false)
	if q == EthGetWork {
		s.add(MarkAnswer)
	}
	boundary := m.Text(m.Res(2))
	s.setTarget(boundary)
	if m.Res(2).Flags&Prefixed != 0 {
		boundary = boundary[2:]
	}
	if string(boundary[:2]) == "00" {
		s.add(MarkBoundary)
	}
	if h := m.Res(3); h.Kind == Number || h.Flags&Prefixed != 0 && h.HexLen() > 0 && h.HexLen() <= 16 {
		s.add(MarkWorkHeight)
	}
	h := hash(boundary)
	if s.boundary == h {
		s.add(MarkWorkAgain)
	}
	s.boundary = h
}

// coinhive reads the Coinhive family's messages: type and params.
func (s *Session) coinhive(d packet.Dir, m *Message) {
	f := &m.Params
	kind := m.Top.Get(KeyType)
	if kind.Kind != String {
		return
	}
	switch string(m.Text(kind)) {
	case "auth":
		key := f.Get(KeySiteKey)
		if key.Kind != String {
			return
		}
		s.add(MarkSiteKey)
		s.is(DialectCoinhive)
		s.role(d, true)
		s.login(m, key)
		if t := f.Get(KeyType); t.Kind == String {
			switch string(m.Text(t)) {
			case "anonymous", "user", "token":
				s.add(MarkSiteUser)
			}
		}
		if f.Has(set(KeyGoal)) {
			s.add(MarkSiteGoal)
		}
		if u := f.Get(KeyUser); u.Kind == String {
			s.Worker.Set(m.Text(u))
		}
	case "authed":
		if f.Has(set(KeyToken, KeyHashes)) {
			s.add(MarkAuthed)
			s.is(DialectCoinhive)
			s.role(d, false)
		}
	case "job":
		jobs := s.Jobs
		if s.job(d, m, f); s.Jobs != jobs {
			s.is(DialectCoinhive)
		}
	case "submit":
		shares := s.Shares
		if s.share(d, m, f); s.Shares != shares {
			s.is(DialectCoinhive)
		}
	case "hash_accepted":
		if f.Get(KeyHashes).Kind == Number {
			s.Accepted++
			s.add(MarkAccepted)
			s.is(DialectCoinhive)
			s.role(d, false)
		}
	}
}

// webMinerPool reads the messages of webminerpool and its kin: identifier and
// members beside it.
func (s *Session) webMinerPool(d packet.Dir, m *Message) {
	f := &m.Top
	kind := f.Get(KeyIdentifier)
	if kind.Kind != String {
		return
	}
	switch string(m.Text(kind)) {
	case "handshake":
		if p, l := f.Get(KeyPool), f.Get(KeyLogin); p.Kind == String && l.Kind == String {
			s.add(MarkHandshake)
			s.is(DialectWebMinerPool)
			s.role(d, true)
			s.login(m, l)
			s.Pool.Set(m.Text(p))
		}
	case "job", "solved": // bare judges the members
		if f.Has(set(KeyJobID)) {
			s.is(DialectWebMinerPool)
		}
	case "hashsolved":
		s.Accepted++
	}
}

// nimiq reads the messages of Nimiq's pools (Nimiq developer reference, "Mining
// Pool protocol"): message and members beside it.
func (s *Session) nimiq(d packet.Dir, m *Message) {
	f := &m.Top
	kind, addr := f.Get(KeyMessage), f.Get(KeyWalletAddress)
	if kind.Kind != String {
		return
	}
	own := addr.Kind == String && nimiqAddress(m.Text(addr))
	switch string(m.Text(kind)) {
	case "register":
		if !own || !f.Has(set(KeyDeviceID)) {
			return
		}
		s.add(MarkHandshake)
		s.Login.Set(m.Text(addr))
		s.role(d, true)
	case "settings": // the address is the pool's
		if !own || f.has&set(KeyTarget, KeyNonce) == 0 {
			return
		}
		s.Jobs++
		s.add(MarkJobKeys)
		s.role(d, false)
	default:
		return
	}
	s.add(MarkWallet)
	s.is(DialectNimiq)
}

// nimiqAddress reports whether t is an address: NQ, two digits, and eight groups
// of four of its 32 letters and digits, with or without spaces.
func nimiqAddress(t []byte) bool {
	n := 0
	for i, c := range t {
		switch {
		case c == ' ' && i%5 == 4:
			continue
		case (c < '0' || c > '9') && (c < 'A' || c > 'Z'):
			return false
		}
		n++
	}
	return n == 36 && t[0] == 'N' && t[1] == 'Q' && t[2] <= '9' && t[3] <= '9'
}

// bare judges the members of a message that names no method.
func (s *Session) bare(d packet.Dir, m *Message) {
	f := &m.Top
	switch {
	case f.Has(set(KeyMiniblocks)) && f.Get(KeyHashingBlob).HexLen() == 96: // Dero: a job
		s.Jobs++
		s.add(MarkDeroKeys)
		s.add(MarkDeroHex)
		s.is(DialectDero)
		s.role(d, false)
		s.setDifficulty(m.Text(f.Get(KeyDifficulty)), byHashes)
	case f.Has(set(KeyJobID)) && f.Get(KeyMBLBlob).HexLen() == 96: // Dero: a mini block of 48 bytes
		s.handIn()
		s.add(MarkDeroKeys)
		s.add(MarkDeroHex)
		s.is(DialectDero)
		s.role(d, true)
	case m.Job.Get(KeyMinerWork).HexLen() >= 160 && f.Has(set(KeyNewJob)): // XELIS: a job
		s.Jobs++
		s.add(MarkJobKeys)
		s.add(MarkJobHex)
		s.is(DialectXelis)
		s.role(d, false)
		s.setDifficulty(m.Text(m.Job.Get(KeyDifficulty)), byHashes)
	case f.Get(KeyMinerWork).HexLen() >= 160: // XELIS: a block
		s.handIn()
		s.add(MarkShareKeys)
		s.add(MarkShareHex)
		s.is(DialectXelis)
		s.role(d, true)
	default:
		s.job(d, m, f)
		if m.Top.Get(KeyResult).Kind != Object { // else response has judged it
			s.job(d, m, &m.Job)
		}
		s.share(d, m, f)
	}
}
