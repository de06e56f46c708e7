package auth

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
)

// Params is the cost of one argon2id hash.
type Params struct {
	Memory  uint32 // KiB
	Time    uint32
	Threads uint8
}

// DefaultParams follow OWASP's Password Storage Cheat Sheet: 19 MiB, two
// passes, one thread.
var DefaultParams = Params{Memory: 19 << 10, Time: 2, Threads: 1}

const (
	saltLen = 16
	keyLen  = 32

	// freeFrom is the memory of a hash, in KiB, that is worth a collection.
	freeFrom = 4 << 10

	// MinPassword and MaxPassword bound the length, in characters (NIST SP
	// 800-63B: at least eight where a limiter stands before it, at least 64
	// allowed, no rules of composition).
	MinPassword = 10
	MaxPassword = 256
)

// encode gives the PHC string format.
func (p Params) encode(salt, key []byte) string {
	e := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.Memory, p.Time, p.Threads, e(salt), e(key))
}

// decode reads the PHC string format; costs beyond 64 MiB or 16 passes are
// refused, since they would come from a restored file.
func decode(s string) (p Params, salt, key []byte, err error) {
	f := strings.Split(s, "$")
	bad := func() (Params, []byte, []byte, error) {
		return Params{}, nil, nil, fmt.Errorf("auth: not a password hash of this program")
	}
	if len(f) != 6 || f[0] != "" || f[1] != "argon2id" || f[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return bad()
	}
	if _, err := fmt.Sscanf(f[3], "m=%d,t=%d,p=%d", &p.Memory, &p.Time, &p.Threads); err != nil {
		return bad()
	}
	if p.Memory < 8 || p.Memory > 64<<10 || p.Time < 1 || p.Time > 16 || p.Threads < 1 || p.Threads > 4 {
		return bad()
	}
	d := base64.RawStdEncoding.DecodeString
	if salt, err = d(f[4]); err != nil || len(salt) < 8 || len(salt) > 64 {
		return bad()
	}
	if key, err = d(f[5]); err != nil || len(key) != keyLen {
		return bad()
	}
	return p, salt, key, nil
}

// hasher lets a few passwords be hashed at once and a few more wait, so that
// logins cannot take the gateway's memory.
type hasher struct {
	slots chan struct{}
	queue chan struct{}
	spent atomic.Uint64 // memory times passes of all hashes
}

func newHasher(slots, queue int) *hasher {
	if slots <= 0 {
		slots = 1
	}
	if queue <= 0 {
		queue = 16
	}
	return &hasher{slots: make(chan struct{}, slots), queue: make(chan struct{}, slots+queue)}
}

func (h *hasher) key(ctx context.Context, p Params, password string, salt []byte) ([]byte, error) {
	select {
	case h.queue <- struct{}{}:
		defer func() { <-h.queue }()
	default:
		return nil, ErrBusy
	}
	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-h.slots }()
	h.spent.Add(uint64(p.Memory) * uint64(p.Time))
	key := argon2.IDKey([]byte(password), salt, p.Time, p.Memory, p.Threads, keyLen)
	// The library allocates its memory anew for each hash. Give it back before
	// the next one: on a small gateway it is a fifth of the budget.
	if p.Memory >= freeFrom {
		debug.FreeOSMemory()
	}
	return key, nil
}

func (h *hasher) hash(ctx context.Context, p Params, password string) (string, error) {
	salt := make([]byte, saltLen)
	_, _ = rand.Read(salt)
	key, err := h.key(ctx, p, password, salt)
	if err != nil {
		return "", err
	}
	return p.encode(salt, key), nil
}

func (h *hasher) verify(ctx context.Context, encoded, password string) (bool, error) {
	p, salt, want, err := decode(encoded)
	if err != nil {
		return false, err
	}
	got, err := h.key(ctx, p, password, salt)
	if err != nil {
		return false, err
	}
	return equal(string(got), string(want)), nil
}

// checkPassword refuses what an attacker would try first.
func checkPassword(name, password string) error {
	n := utf8.RuneCountInString(password)
	if n < MinPassword || n > MaxPassword || !utf8.ValidString(password) {
		return ErrPassword
	}
	low := strings.ToLower(password)
	if name != "" && strings.Trim(low, "0123456789!.-_ ") == strings.ToLower(name) {
		return ErrPassword
	}
	distinct := map[rune]bool{}
	for _, r := range low {
		distinct[r] = true
	}
	if len(distinct) < 4 {
		return ErrPassword
	}
	for _, w := range wellKnown {
		if low == w {
			return ErrPassword
		}
	}
	return nil
}

// wellKnown are passwords of ten characters or more that head every list of
// guesses; shorter ones are refused by length.
var wellKnown = [...]string{"1234567890", "0123456789", "9876543210", "0987654321", "12345678910", "qwertyuiop", "password123", "password1234",
	"1q2w3e4r5t", "1qaz2wsx3edc", "iloveyou123", "administrator", "adminadmin", "passwordpassword", "qwerty12345", "abcdefghij", "changeme123", "letmein1234", "yamoriyamori"}
