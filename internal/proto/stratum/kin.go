package stratum

import "github.com/yamori-net/yamori/internal/packet"

// ownLogin reports whether a call whose name is in no table is the login of a
// coin that took Ethereum's work protocol over and gave it a prefix of its own
// (TrueChain's etrue_submitLogin). The name alone says too little, people sign in
// to other things as well: the login has to be a payout address.
func ownLogin(m *Message) bool {
	const end = "_submitLogin"
	t := m.MethodName()
	if len(t) <= len(end) || string(t[len(t)-len(end):]) != end {
		return false
	}
	a := m.Arg(0)
	return a.Kind == String && FindAddress(m.Text(a)).Sure
}

// beamAnswer: Beam answers a login in the form of a call, with the beginning of
// the nonces to try.
func (s *Session) beamAnswer(d packet.Dir, m *Message) {
	if s.Methods&(1<<Login) == 0 || m.Top.Get(KeyExtranonce).HexLen() == 0 || m.Top.Has(set(KeyParams)) {
		return
	}
	s.add(MarkExtranonce)
	s.add(MarkAnswer)
	s.is(DialectBeam)
	s.role(d, false)
}

// qubic reads Qatum, the pool protocol of Qubic (qatum-protocol's docs): packets
// numbered by their kind, of which these carry enough to know them by.
func (s *Session) qubic(d packet.Dir, m *Message) {
	f := &m.Top
	id := f.Get(KeyID)
	if id.Kind != Number || id.Len() != 1 {
		return
	}
	computor := f.Get(KeyDeviceID)
	own := computor.Kind == String && qubicID(m.Text(computor))
	switch m.Text(id)[0] {
	case '1': // the miner's login
		w := f.Get(KeyWalletAddress)
		if w.Kind != String || f.Get(KeyWorker).Kind != String || !qubicID(m.Text(w)) {
			return
		}
		s.add(MarkHandshake)
		s.add(MarkWallet)
		s.Login.Set(m.Text(w))
		s.Worker.Set(m.Text(f.Get(KeyWorker)))
		s.role(d, true)
	case '2': // whom to work for
		if !own {
			return
		}
		s.add(MarkJobHex)
		s.role(d, false)
	case '3': // what to work on
		if f.Get(KeySeedHash).HexLen() != 64 || s.Dialect != DialectQubic {
			return
		}
		s.Jobs++
		s.add(MarkJobKeys)
		s.role(d, false)
	case '4': // a solution
		if !own || f.Get(KeyNonce).HexLen() != 64 || f.Get(KeySeedHash).HexLen() != 64 {
			return
		}
		s.add(MarkShareKeys)
		s.add(MarkShareHex)
		s.handIn()
		s.role(d, true)
	case '5':
		if !own || f.Get(KeyHashes).Kind != Number {
			return
		}
		s.add(MarkJobHex)
		s.add(MarkShareKeys)
		s.Effort.Reported = number64(m.Text(f.Get(KeyHashes)))
		s.role(d, true)
	default:
		return
	}
	s.is(DialectQubic)
}

// qubicID reports whether t is an identity of Qubic: 60 capital letters.
func qubicID(t []byte) bool {
	if len(t) != 60 {
		return false
	}
	for _, c := range t {
		if c < 'A' || c > 'Z' {
			return false
		}
	}
	return true
}
