package tls

// Prints computes fingerprints when they are first asked for and keeps them
// until Reset. The slices it returns are valid until then.
type Prints struct {
	ja3, ja3s []byte // texts
	hashes    [2][32]byte
	ja4       [ja4Length]byte
	have      uint8
	scratch   ja4Scratch
}

const (
	haveJA3 = 1 << iota
	haveJA3S
	haveJA4
	haveJA3Hash
	haveJA3SHash
)

// maxKeptText bounds the memory that Reset keeps: a ClientHello with 100
// ciphers has a JA3 text of about 700 bytes.
const maxKeptText = 2 << 10

// Reset forgets all fingerprints.
func (p *Prints) Reset() {
	p.have = 0
	if cap(p.ja3) > maxKeptText {
		p.ja3 = nil
	}
	if cap(p.ja3s) > maxKeptText {
		p.ja3s = nil
	}
	if cap(p.scratch.text) > maxKeptText {
		p.scratch = ja4Scratch{}
	}
}

// JA3 returns the JA3 text of ch.
func (p *Prints) JA3(ch *ClientHello) []byte {
	if p.have&haveJA3 == 0 {
		p.ja3 = AppendJA3(p.ja3[:0], ch)
		p.have |= haveJA3
	}
	return p.ja3
}

// JA3Hash returns the MD5 of the JA3 text of ch, 32 digits.
func (p *Prints) JA3Hash(ch *ClientHello) []byte {
	if p.have&haveJA3Hash == 0 {
		appendMD5(p.hashes[0][:0], p.JA3(ch))
		p.have |= haveJA3Hash
	}
	return p.hashes[0][:]
}

// JA3S returns the JA3S text of sh.
func (p *Prints) JA3S(sh *ServerHello) []byte {
	if p.have&haveJA3S == 0 {
		p.ja3s = AppendJA3S(p.ja3s[:0], sh)
		p.have |= haveJA3S
	}
	return p.ja3s
}

// JA3SHash returns the MD5 of the JA3S text of sh, 32 digits.
func (p *Prints) JA3SHash(sh *ServerHello) []byte {
	if p.have&haveJA3SHash == 0 {
		appendMD5(p.hashes[1][:0], p.JA3S(sh))
		p.have |= haveJA3SHash
	}
	return p.hashes[1][:]
}

// JA4 returns the JA4 of ch over the given transport, 36 characters.
func (p *Prints) JA4(ch *ClientHello, transport byte) []byte {
	if p.have&haveJA4 == 0 {
		p.scratch.appendJA4(p.ja4[:0], ch, transport)
		p.have |= haveJA4
	}
	return p.ja4[:]
}

// ForgetServer drops what was computed of a ServerHello, because another one
// takes its place (after a HelloRetryRequest).
func (p *Prints) ForgetServer() { p.have &^= haveJA3S | haveJA3SHash }
