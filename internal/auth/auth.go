// Package auth knows who may do what: users with roles, sessions, scoped
// tokens, second factors and the one-time link of the first start. It holds
// no sentence for people and knows no HTTP; internal/api puts it on the wire.
package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// Role is what a person may do; the greater includes the lesser.
type Role uint8

// Roles.
const (
	NoRole Role = iota
	Viewer      // sees the state of the house
	Member      // also acts: pauses, names, quarantines, ticks off findings
	Owner       // also sees traffic in detail, and changes how the house is guarded
)

var roleNames = [...]string{"", "viewer", "member", "owner"}

// String returns the role's word.
func (r Role) String() string {
	if int(r) < len(roleNames) {
		return roleNames[r]
	}
	return ""
}

// ParseRole reads a role's word.
func ParseRole(s string) (Role, bool) { return parseWord(s, roleNames[:]) }

// scopeNames are the words of a token's scope; each corresponds to the role
// at the same place.
var scopeNames = [...]string{"", "read", "act", "admin"}

// ScopeName returns the scope that gives a token what role r may do.
func ScopeName(r Role) string {
	if int(r) < len(scopeNames) {
		return scopeNames[r]
	}
	return ""
}

// ParseScope reads a scope: read, act, admin.
func ParseScope(s string) (Role, bool) { return parseWord(s, scopeNames[:]) }

func parseWord(s string, in []string) (Role, bool) {
	for i, n := range in {
		if i > 0 && n == s {
			return Role(i), true
		}
	}
	return NoRole, false
}

// Store keeps what must outlive the program: JSON values by bucket and key.
// Writes are durable when they return.
type Store interface {
	Get(bucket, key string) (value []byte, found bool, err error)
	Put(bucket, key string, value []byte) error
	Delete(bucket, key string) error // of what is not there: no error
	Each(bucket string, f func(key string, value []byte) error) error
}

// Entry is one line of the audit log.
type Entry struct {
	Time    time.Time
	Actor   string // user's name, "token:ymr_…", "uid:0", or empty before login
	Via     Via
	UID     uint32 // of the process behind the Unix socket
	Addr    string // of the client
	Action  string // "login", "devices.patch"…
	Target  string
	Outcome string // "ok", or why not
	Detail  map[string]string
}

// Auditor keeps the audit log.
type Auditor interface{ Audit(Entry) }

// Via says how someone proved who they are.
type Via string

// Ways to prove it.
const (
	ViaSession Via = "session"
	ViaToken   Via = "token"
	ViaSocket  Via = "socket" // rights of the Unix socket's file
)

// Principal is who is asking.
type Principal struct {
	UserID  string // empty: the socket, or a token made over it
	Name    string // as in Entry.Actor
	Role    Role   // of a token: what its scope and its user's role both allow
	Via     Via
	UID     uint32
	ID      string // of the session or token
	NeedTwo bool   // the user has a second factor
}

// Errors. None tells whether a name exists.
var (
	ErrCredentials = errors.New("wrong name, password or code")
	ErrCode        = errors.New("a code of the second factor is needed")
	ErrNotFound    = errors.New("no such thing")
	ErrExists      = errors.New("exists already")
	ErrLastOwner   = errors.New("the last owner stays")
	ErrSetup       = errors.New("the set-up link is not valid")
	ErrBusy        = errors.New("too many passwords are being checked")
	ErrLimit       = errors.New("too many of these")
	ErrPassword    = errors.New("the password is too short, too long or too well known")
	ErrName        = errors.New("the name is empty, too long or has strange characters")
)

// SlowDown is the error of the rate limit: try again after Wait.
type SlowDown struct{ Wait time.Duration }

// Error says how long to wait.
func (e *SlowDown) Error() string { return fmt.Sprintf("too many attempts; try again in %s", e.Wait) }

// Limits.
const (
	MaxUsers    = 32
	MaxSessions = 32 // per user; the one used longest ago ends first
	MaxTokens   = 64 // in all
)

// Config is what a Service needs. Now and Store must be set.
type Config struct {
	Store Store
	Audit Auditor          // nil: none
	Now   func() time.Time // wall clock

	Idle     time.Duration // a session unused for so long ends; 0: 14 days
	Absolute time.Duration // a session ends after this in any case; 0: 90 days

	Hash      Params // cost of passwords; zero: DefaultParams
	HashSlots int    // passwords checked at once; 0: 1
	HashQueue int    // and waiting; 0: 16
}

// Service is safe for use by many goroutines.
type Service struct {
	cfg    Config
	hasher *hasher
	limit  *limiter
	dummy  string // hash that a wrong name is checked against

	refusals Refusals

	mu       sync.Mutex
	users    map[string]*user    // by id
	sessions map[string]*session // by hash of the token
	tokens   map[string]*token   // by id
	setup    *setupLink
}

// Buckets of the store.
const (
	bucketUsers    = "auth.users"
	bucketSessions = "auth.sessions"
	bucketTokens   = "auth.tokens"
)

// New loads what the store holds.
func New(cfg Config) (*Service, error) {
	if cfg.Store == nil || cfg.Now == nil {
		return nil, errors.New("auth: Store and Now must be set")
	}
	if cfg.Idle == 0 {
		cfg.Idle = 14 * 24 * time.Hour
	}
	if cfg.Absolute == 0 {
		cfg.Absolute = 90 * 24 * time.Hour
	}
	if cfg.Hash == (Params{}) {
		cfg.Hash = DefaultParams
	}
	s := &Service{cfg: cfg, hasher: newHasher(cfg.HashSlots, cfg.HashQueue), limit: newLimiter(),
		users: map[string]*user{}, sessions: map[string]*session{}, tokens: map[string]*token{}}
	s.dummy = cfg.Hash.encode(make([]byte, saltLen), make([]byte, keyLen))
	if err := load(cfg.Store, bucketUsers, s.users); err != nil {
		return nil, err
	}
	if err := load(cfg.Store, bucketSessions, s.sessions); err != nil {
		return nil, err
	}
	if err := load(cfg.Store, bucketTokens, s.tokens); err != nil {
		return nil, err
	}
	return s, nil
}

// Reload reads the store again, after a backup was restored. All sessions end:
// those in the backup may have been ended since it was made. A set-up link ends
// when there is a user.
func (s *Service) Reload() error {
	users, sessions, tokens := map[string]*user{}, map[string]*session{}, map[string]*token{}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := load(s.cfg.Store, bucketUsers, users); err != nil {
		return err
	}
	if err := load(s.cfg.Store, bucketSessions, sessions); err != nil {
		return err
	}
	if err := load(s.cfg.Store, bucketTokens, tokens); err != nil {
		return err
	}
	for k := range sessions {
		if err := s.cfg.Store.Delete(bucketSessions, k); err != nil {
			return err
		}
	}
	s.users, s.sessions, s.tokens = users, map[string]*session{}, tokens
	if len(users) > 0 {
		s.setup = nil
	}
	return nil
}

// SecretBuckets names the buckets of the store that hold secrets, for backups.
func SecretBuckets() []string { return []string{bucketUsers, bucketSessions, bucketTokens} }

func load[T any](st Store, bucket string, into map[string]*T) error {
	err := st.Each(bucket, func(key string, value []byte) error {
		v := new(T)
		if err := json.Unmarshal(value, v); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		into[key] = v
		return nil
	})
	if err != nil {
		return fmt.Errorf("auth: reading %s: %w", bucket, err)
	}
	return nil
}

func (s *Service) put(bucket, key string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("auth: %w", err)
	}
	if err := s.cfg.Store.Put(bucket, key, b); err != nil {
		return fmt.Errorf("auth: writing %s: %w", bucket, err)
	}
	return nil
}

func (s *Service) audit(e Entry) {
	if s.cfg.Audit == nil {
		return
	}
	e.Time = s.cfg.Now()
	if e.Outcome == "" {
		e.Outcome = "ok"
	} else if !s.refusals.Note(&e, addrKey(e.Addr), e.Time) {
		return
	}
	s.cfg.Audit.Audit(e)
}

// newSecret returns 256 random bits as text.
func newSecret() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// newID returns 80 random bits as 16 characters of lower case.
func newID() string {
	var b [10]byte
	_, _ = rand.Read(b[:])
	return strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
}

// hashSecret is what is kept of a random secret: it has 256 bits of entropy,
// so one round of SHA-256 is enough.
func hashSecret(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:])
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
