package quic

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
)

// keys protect the Initial packets of one direction, RFC 9001 section 5.
type keys struct {
	aead cipher.AEAD
	hp   cipher.Block
	iv   [12]byte
	// largest is the highest packet number seen, to complete truncated ones.
	largest int64

	// Handed to the ciphers through interfaces: here, and not on the stack,
	// so that a packet costs no allocation.
	mask  [16]byte
	nonce [12]byte
}

// secrets are the two traffic secrets that follow from a connection id,
// RFC 9001 section 5.2.
func secrets(s *suite, dcid []byte) (client, server [32]byte) {
	initial := hmac256(s.salt[:], dcid)
	return expand(&initial, "client in", 32), expand(&initial, "server in", 32)
}

// newKeys derives packet protection keys from a traffic secret. This is where
// a connection costs memory: twice, once for each direction.
func newKeys(s *suite, secret *[32]byte) *keys {
	k := &keys{largest: -1}
	key := expand(secret, s.prefix+"key", 16)
	hp := expand(secret, s.prefix+"hp", 16)
	iv := expand(secret, s.prefix+"iv", 12)
	copy(k.iv[:], iv[:12])
	// 16 bytes are always a valid AES key, and an AES block fits GCM.
	block, _ := aes.NewCipher(key[:16])
	k.aead, _ = cipher.NewGCM(block)
	k.hp, _ = aes.NewCipher(hp[:16])
	return k
}

// hmac256 is HMAC-SHA256 (RFC 2104) for keys up to 64 and messages up to 64
// bytes, all on the stack: crypto/hkdf would allocate a dozen times per
// connection.
func hmac256(key, msg []byte) [32]byte {
	var inner [128]byte
	var outer [96]byte
	for i := range 64 {
		inner[i], outer[i] = 0x36, 0x5c
	}
	for i, c := range key[:min(len(key), 64)] {
		inner[i] ^= c
		outer[i] ^= c
	}
	n := copy(inner[64:], msg)
	sum := sha256.Sum256(inner[:64+n])
	copy(outer[64:], sum[:])
	return sha256.Sum256(outer[:])
}

// expand is HKDF-Expand-Label of TLS 1.3 (RFC 8446 section 7.1) with an empty
// context, for at most 32 bytes: then one round of HKDF-Expand (RFC 5869) is
// all of it.
func expand(secret *[32]byte, label string, n int) [32]byte {
	var info [64]byte
	b := append(info[:0], 0, byte(n), byte(6+len(label)))
	b = append(b, "tls13 "...)
	b = append(b, label...)
	b = append(b, 0, 1)
	return hmac256(secret[:], b)
}

// open removes the protection of the packet b, whose packet number starts at
// offset pn. It works on a copy in *scratch and returns the frames, valid until
// the next call, or false when the keys do not fit.
func (k *keys) open(scratch *[]byte, b []byte, pn int) ([]byte, bool) {
	if len(b) < pn+4+16 {
		return nil, false
	}
	p := append((*scratch)[:0], b...)
	*scratch = p
	mask := k.mask[:]
	k.hp.Encrypt(mask, p[pn+4:pn+20]) // RFC 9001 section 5.4.3
	if p[0]&0x80 != 0 {
		p[0] ^= mask[0] & 0x0f
	} else {
		p[0] ^= mask[0] & 0x1f
	}
	n := int(p[0]&3) + 1
	var num int64
	for i := range n {
		p[pn+i] ^= mask[1+i]
		num = num<<8 | int64(p[pn+i])
	}
	num = completeNumber(k.largest, num, n)
	k.nonce = k.iv
	for i := range 8 {
		k.nonce[4+i] ^= byte(num >> (56 - 8*i))
	}
	body := p[pn+n:]
	out, err := k.aead.Open(body[:0], k.nonce[:], body, p[:pn+n])
	if err != nil {
		return nil, false
	}
	k.largest = max(k.largest, num)
	return out, true
}

// completeNumber restores a packet number of which n bytes were sent, RFC 9000
// appendix A.3.
func completeNumber(largest, truncated int64, n int) int64 {
	win := int64(1) << (8 * n)
	want := largest + 1
	num := want&^(win-1) | truncated
	switch {
	case num <= want-win/2 && num < 1<<62-win:
		return num + win
	case num > want+win/2 && num >= win:
		return num - win
	}
	return num
}
