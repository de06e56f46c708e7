package auth

import (
	"context"
	"sort"
	"strings"
	"time"
)

// token is what is kept of an API token.
type token struct {
	ID      string    `json:"id"`
	User    string    `json:"user"` // empty: made over the socket
	Name    string    `json:"name"`
	Scope   string    `json:"scope"`
	Hash    string    `json:"hash"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`

	used time.Time // not kept: a write per request would wear flash out
}

// Token is an API token as others see it.
type Token struct {
	ID, UserID, Name, Scope, Prefix string
	Created, Expires, Used          time.Time // Used: zero when not since the start
}

// MaxTokenLife bounds a token's life, so that a forgotten one ends by itself.
const MaxTokenLife = 2 * 366 * 24 * time.Hour

// tokenMark begins every token, so that scanners of leaked secrets know it.
const tokenMark = "ymr_"

func (t *token) public() Token {
	return Token{ID: t.ID, UserID: t.User, Name: t.Name, Scope: t.Scope, Prefix: tokenMark + t.ID, Created: t.Created, Expires: t.Expires, Used: t.used}
}

// AddToken makes a token and returns its secret, which is shown this once. A
// token of a user never allows more than the user; one made over the socket
// (user empty) allows its scope.
func (s *Service) AddToken(user, name string, scope Role, life time.Duration) (string, Token, error) {
	if err := checkName(name); err != nil {
		return "", Token{}, err
	}
	if life <= 0 || life > MaxTokenLife || ScopeName(scope) == "" {
		return "", Token{}, ErrLimit
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if user != "" && s.users[user] == nil {
		return "", Token{}, ErrNotFound
	}
	now := s.cfg.Now().UTC()
	for k, t := range s.tokens {
		if now.After(t.Expires) {
			if err := s.cfg.Store.Delete(bucketTokens, k); err != nil {
				return "", Token{}, err
			}
			delete(s.tokens, k)
		}
	}
	if len(s.tokens) >= MaxTokens {
		return "", Token{}, ErrLimit
	}
	secret := newSecret()
	t := &token{ID: newID()[:10], User: user, Name: name, Scope: ScopeName(scope), Hash: hashSecret(secret), Created: now, Expires: now.Add(life)}
	if err := s.put(bucketTokens, t.ID, t); err != nil {
		return "", Token{}, err
	}
	s.tokens[t.ID] = t
	return tokenMark + t.ID + "_" + secret, t.public(), nil
}

// Token finds whose token this is.
func (s *Service) Token(secret string) (Principal, bool) {
	rest, ok := strings.CutPrefix(cut(secret, 128), tokenMark)
	if !ok {
		return Principal{}, false
	}
	id, key, _ := strings.Cut(rest, "_")
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tokens[id]
	if t == nil || !equal(t.Hash, hashSecret(key)) {
		return Principal{}, false
	}
	now := s.cfg.Now().UTC()
	if now.After(t.Expires) {
		return Principal{}, false
	}
	role, _ := ParseScope(t.Scope)
	if t.User != "" {
		u := s.users[t.User]
		if u == nil {
			return Principal{}, false
		}
		role = min(role, u.role())
	}
	t.used = now
	return Principal{UserID: t.User, Name: "token:" + tokenMark + t.ID, Role: role, Via: ViaToken, ID: t.ID}, true
}

// Tokens lists a user's, or all when user is empty.
func (s *Service) Tokens(user string) []Token {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []Token{}
	for _, t := range s.tokens {
		if user == "" || t.User == user {
			out = append(out, t.public())
		}
	}
	sort.Slice(out, func(i, j int) bool {
		return out[i].Created.Before(out[j].Created) || out[i].Created.Equal(out[j].Created) && out[i].ID < out[j].ID
	})
	return out
}

// DeleteToken ends one; user, unless empty, must be whose it is.
func (s *Service) DeleteToken(user, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tokens[id]
	if t == nil || user != "" && t.User != user {
		return ErrNotFound
	}
	if err := s.cfg.Store.Delete(bucketTokens, id); err != nil {
		return err
	}
	delete(s.tokens, id)
	return nil
}

// setupLink is the one-time secret of the first start. It lives in memory
// only: a new start makes a new one.
type setupLink struct {
	hash    string
	expires time.Time
}

// NeedsSetup reports whether there is no user yet.
func (s *Service) NeedsSetup() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.users) == 0
}

// NewSetup makes the secret of the one-time link and ends the one before. It
// returns ErrExists when there is a user already.
func (s *Service) NewSetup(life time.Duration) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.users) > 0 {
		return "", ErrExists
	}
	secret := newSecret()
	s.setup = &setupLink{hash: hashSecret(secret), expires: s.cfg.Now().Add(life)}
	return secret, nil
}

// Setup makes the first owner and logs them in. The link works once.
func (s *Service) Setup(ctx context.Context, secret, name, password, addr, agent string) (string, Principal, error) {
	cookie, p, err := s.doSetup(ctx, secret, name, password, addr, agent)
	e := Entry{Actor: p.Name, Via: ViaSession, Addr: addr, Action: "setup", Target: cut(name, 32)}
	if err != nil {
		e.Outcome = "refused"
	}
	s.audit(e)
	return cookie, p, err
}

func (s *Service) doSetup(ctx context.Context, secret, name, password, addr, agent string) (string, Principal, error) {
	s.mu.Lock()
	l := s.setup
	now := s.cfg.Now()
	if l == nil || len(s.users) > 0 || now.After(l.expires) {
		s.mu.Unlock()
		return "", Principal{}, ErrSetup
	}
	if !equal(l.hash, hashSecret(cut(secret, 64))) {
		s.mu.Unlock()
		// Nobody guesses 256 bits. Who guesses is slowed, by address: the link
		// itself must stay good, or any device at home could keep the owner out.
		if w := s.limit.take(addr, "", true, now); w > 0 {
			return "", Principal{}, &SlowDown{w}
		}
		return "", Principal{}, ErrSetup
	}
	s.setup = nil // used up before the slow part, so that two cannot use it
	s.mu.Unlock()
	u, err := s.AddUser(ctx, name, password, Owner)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		if len(s.users) == 0 && s.setup == nil {
			s.setup = l // a password refused does not cost the link
		}
		return "", Principal{}, err
	}
	return s.open(u.ID, addr, agent)
}
