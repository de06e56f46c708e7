package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// One-time passwords by time: RFC 6238 with the values that every
// authenticator app knows (SHA-1, six digits, 30 seconds).
const (
	totpStep   = 30
	totpWindow = 1 // steps of the clock of a phone that are let be wrong

	recoveryCodes = 10
)

// totpCode is HOTP (RFC 4226, section 5.3) at a counter.
func totpCode(key []byte, counter int64) string {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(counter))
	m := hmac.New(sha1.New, key)
	m.Write(b[:])
	h := m.Sum(nil)
	o := h[len(h)-1] & 15
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(h[o:o+4])&0x7fffffff%1_000_000)
}

// totpMatch returns the counter at which code is right, if it is later than
// last: a code works once.
func totpMatch(secret, code string, last int64, now time.Time) (int64, bool) {
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	if err != nil || len(code) != 6 {
		return 0, false
	}
	at, found := int64(0), false
	for d := int64(-totpWindow); d <= totpWindow; d++ {
		c := now.Unix()/totpStep + d
		if equal(totpCode(key, c), code) && c > last && !found {
			at, found = c, true
		}
	}
	return at, found
}

// newTOTP makes a secret of 160 bits (RFC 4226, section 4, R6).
func newTOTP() string {
	var b [20]byte
	_, _ = rand.Read(b[:])
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:])
}

// totpURI is what a QR code carries to an authenticator app.
func totpURI(secret, user string) string {
	return "otpauth://totp/Yamori:" + url.PathEscape(user) + "?secret=" + secret + "&issuer=Yamori&algorithm=SHA1&digits=6&period=30"
}

// newRecovery makes codes that each stand once for the second factor: 80
// random bits, so that a plain hash of them can be kept.
func newRecovery() (codes, hashes []string) {
	for range recoveryCodes {
		id := newID()
		codes = append(codes, id[:4]+"-"+id[4:8]+"-"+id[8:12]+"-"+id[12:])
		hashes = append(hashes, hashSecret(id))
	}
	return codes, hashes
}

// normalCode takes spaces and dashes out of what people type.
func normalCode(s string) string {
	return strings.ToLower(strings.NewReplacer(" ", "", "-", "").Replace(s))
}

// CodeAt is what an authenticator app with this secret shows at a time; empty
// when it is no secret.
func CodeAt(secret string, at time.Time) string {
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	if err != nil {
		return ""
	}
	return totpCode(key, at.Unix()/totpStep)
}
