package auth

import (
	"context"
	"errors"
	"slices"
	"sort"
	"strings"
	"time"
	"unicode/utf8"
)

// session is what is kept of a login; its key in the store is the hash of the
// cookie.
type session struct {
	ID      string    `json:"id"`
	User    string    `json:"user"`
	Created time.Time `json:"created"`
	Seen    time.Time `json:"seen"`
	Addr    string    `json:"addr"`
	Agent   string    `json:"agent"`

	saved time.Time // when Seen was last written
}

// seenEvery is how often the time of last use is written: each request would
// wear flash out.
const seenEvery = time.Hour

// Session is a login as others see it.
type Session struct {
	ID, UserID    string
	Created, Seen time.Time
	Expires       time.Time
	Addr, Agent   string
}

// Login is an attempt to log in.
type Login struct {
	Name, Password, Code string
	Addr, Agent          string
}

// Login returns the secret of a new session for the cookie. Errors:
// ErrCredentials, ErrCode, ErrBusy, *SlowDown, or the store's.
func (s *Service) Login(ctx context.Context, l Login) (string, Principal, error) {
	secret, p, err := s.login(ctx, l)
	e := Entry{Actor: p.Name, Via: ViaSession, Addr: l.Addr, Action: "login", Target: cut(l.Name, 32)}
	var slow *SlowDown
	switch {
	case errors.As(err, &slow):
		e.Outcome = "too many attempts"
	case errors.Is(err, ErrCode):
		e.Outcome = "asked for the code"
	case err != nil:
		e.Outcome = "refused"
	}
	s.audit(e)
	return secret, p, err
}

func (s *Service) login(ctx context.Context, l Login) (string, Principal, error) {
	now, account := s.cfg.Now(), strings.ToLower(cut(l.Name, 32))
	s.mu.Lock()
	hash, id, known := s.dummy, "", false
	if u := s.find(l.Name); u != nil {
		hash, id, known = u.Hash, u.ID, slices.Contains(u.Known, addrKey(l.Addr))
		account = strings.ToLower(u.Name) // find knows more ways to write it (ſ for s)
	}
	s.mu.Unlock()
	if w := s.limit.take(l.Addr, account, known, now); w > 0 {
		return "", Principal{}, &SlowDown{w}
	}
	// A name that does not exist costs the same hash.
	ok, err := s.hasher.verify(ctx, hash, cut(l.Password, 4*MaxPassword))
	if err != nil {
		s.limit.good(l.Addr, account, known, now) // nothing was learnt
		return "", Principal{}, err
	}
	if !ok || id == "" {
		return "", Principal{}, ErrCredentials
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.users[id]; u == nil || u.Hash != hash {
		return "", Principal{}, ErrCredentials // changed while it was checked
	}
	if err := s.second(id, l.Code); err != nil {
		if errors.Is(err, ErrCode) {
			s.limit.good(l.Addr, account, known, now)
		}
		return "", Principal{}, err
	}
	s.limit.good(l.Addr, account, known, now)
	return s.open(id, l.Addr, l.Agent)
}

// open starts a session. Call with mu held.
func (s *Service) open(id, addr, agent string) (string, Principal, error) {
	now := s.cfg.Now().UTC()
	old := s.users[id]
	if old == nil {
		return "", Principal{}, ErrCredentials
	}
	if k := addrKey(addr); len(old.Known) == 0 || old.Known[len(old.Known)-1] != k {
		u := *old
		u.Known = slices.DeleteFunc(slices.Clone(u.Known), func(x string) bool { return x == k })
		if len(u.Known) >= maxKnown {
			u.Known = u.Known[1:]
		}
		u.Known = append(u.Known, k)
		if err := s.put(bucketUsers, id, &u); err != nil {
			return "", Principal{}, err
		}
		s.users[id] = &u
	}
	s.makeRoom(id)
	secret := newSecret()
	n := &session{ID: newID(), User: id, Created: now, Seen: now, Addr: addr, Agent: cut(agent, 200), saved: now}
	key := hashSecret(secret)
	if err := s.put(bucketSessions, key, n); err != nil {
		return "", Principal{}, err
	}
	s.sessions[key] = n
	return secret, s.principal(n), nil
}

// makeRoom ends what is over, and the session unused for longest where the
// user has the most that are let be.
func (s *Service) makeRoom(id string) {
	var oldest string
	n := 0
	for k, v := range s.sessions {
		if s.over(v) {
			s.end(k)
			continue
		}
		if v.User != id {
			continue
		}
		n++
		if oldest == "" || v.Seen.Before(s.sessions[oldest].Seen) {
			oldest = k
		}
	}
	if n >= MaxSessions {
		s.end(oldest)
	}
}

func (s *Service) over(v *session) bool {
	now := s.cfg.Now()
	return now.Sub(v.Seen) > s.cfg.Idle || now.Sub(v.Created) > s.cfg.Absolute
}

func (s *Service) end(key string) {
	_ = s.cfg.Store.Delete(bucketSessions, key) // memory decides; a leftover is over by time
	delete(s.sessions, key)
}

// endSessions ends those of a user except the one with id keep.
func (s *Service) endSessions(user, keep string) {
	for k, v := range s.sessions {
		if v.User == user && (keep == "" || v.ID != keep) {
			s.end(k)
		}
	}
}

func (s *Service) principal(v *session) Principal {
	u := s.users[v.User]
	return Principal{UserID: u.ID, Name: u.Name, Role: u.role(), Via: ViaSession, ID: v.ID, NeedTwo: u.TOTP != ""}
}

// Session finds whose cookie this is, and notes that it was used.
func (s *Service) Session(secret string) (Principal, bool) {
	key := hashSecret(cut(secret, 64))
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.sessions[key]
	if v == nil {
		return Principal{}, false
	}
	if s.over(v) || s.users[v.User] == nil {
		s.end(key)
		return Principal{}, false
	}
	now := s.cfg.Now().UTC()
	if now.After(v.Seen) {
		v.Seen = now
	}
	if now.Sub(v.saved) >= seenEvery {
		v.saved = now
		_ = s.put(bucketSessions, key, v) // only the time of use; the next one tries again
	}
	return s.principal(v), true
}

// Sessions lists a user's; of all users when user is empty.
func (s *Service) Sessions(user string) []Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []Session{}
	for _, v := range s.sessions {
		if (user == "" || v.User == user) && !s.over(v) {
			exp := v.Seen.Add(s.cfg.Idle)
			if a := v.Created.Add(s.cfg.Absolute); a.Before(exp) {
				exp = a
			}
			out = append(out, Session{v.ID, v.User, v.Created, v.Seen, exp, v.Addr, v.Agent})
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Seen.After(out[j].Seen) })
	return out
}

// EndSession ends one by its id; user, unless empty, must be whose it is.
func (s *Service) EndSession(user, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, v := range s.sessions {
		if v.ID == id && (user == "" || v.User == user) {
			s.end(k)
			return nil
		}
	}
	return ErrNotFound
}

// cut shortens to at most n bytes of whole characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
