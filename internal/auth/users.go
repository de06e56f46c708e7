package auth

import (
	"context"
	"sort"
	"strings"
	"time"
	"unicode"
)

// user is what is kept of one person.
type user struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Role     string    `json:"role"`
	Hash     string    `json:"hash"`
	Created  time.Time `json:"created"`
	TOTP     string    `json:"totp,omitempty"`     // in use
	Pending  string    `json:"pending,omitempty"`  // enrolled, not yet confirmed
	LastCode int64     `json:"last_code"`          // counter of the last code used
	Recovery []string  `json:"recovery,omitempty"` // hashes of codes not yet used
	Known    []string  `json:"known,omitempty"`    // addresses that logged in before, the latest last
}

// maxKnown bounds user.Known.
const maxKnown = 8

// User is a person as others see them.
type User struct {
	ID      string
	Name    string
	Role    Role
	Created time.Time
	TOTP    bool // has a second factor
	Codes   int  // recovery codes left
}

func (u *user) role() Role { r, _ := ParseRole(u.Role); return r }

func (u *user) public() User {
	return User{ID: u.ID, Name: u.Name, Role: u.role(), Created: u.Created, TOTP: u.TOTP != "", Codes: len(u.Recovery)}
}

// checkName wants 1 to 32 letters, digits, dots, dashes, underscores or single
// spaces inside.
func checkName(name string) error {
	n := 0
	for _, r := range name {
		n++
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) && !strings.ContainsRune("._- ", r) {
			return ErrName
		}
	}
	if n == 0 || n > 32 || strings.TrimSpace(name) != name || strings.Contains(name, "  ") {
		return ErrName
	}
	return nil
}

// find looks a user up by name, without regard to case. Call with mu held.
func (s *Service) find(name string) *user {
	for _, u := range s.users {
		if strings.EqualFold(u.Name, name) {
			return u
		}
	}
	return nil
}

// Users lists everybody by name.
func (s *Service) Users() []User {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]User, 0, len(s.users))
	for _, u := range s.users {
		out = append(out, u.public())
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}

// User finds one by id.
func (s *Service) User(id string) (User, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.users[id]
	if u == nil {
		return User{}, ErrNotFound
	}
	return u.public(), nil
}

// AddUser makes a user. ErrExists, ErrLimit, ErrName and ErrPassword are the
// caller's fault.
func (s *Service) AddUser(ctx context.Context, name, password string, role Role) (User, error) {
	if err := checkName(name); err != nil {
		return User{}, err
	}
	if err := checkPassword(name, password); err != nil {
		return User{}, err
	}
	hash, err := s.hasher.hash(ctx, s.cfg.Hash, password)
	if err != nil {
		return User{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.find(name) != nil {
		return User{}, ErrExists
	}
	if len(s.users) >= MaxUsers {
		return User{}, ErrLimit
	}
	u := &user{ID: newID(), Name: name, Role: role.String(), Hash: hash, Created: s.cfg.Now().UTC()}
	if err := s.put(bucketUsers, u.ID, u); err != nil {
		return User{}, err
	}
	s.users[u.ID] = u
	return u.public(), nil
}

// Change is what may be changed of a user; nil stays as it is.
type Change struct {
	Name     *string
	Password *string
	Role     *Role
	NoTOTP   bool // remove the second factor (lost phone)
}

// ChangeUser applies c. A new password, role or the loss of the second factor
// ends the user's sessions, except keep (the one that asks; may be empty).
func (s *Service) ChangeUser(ctx context.Context, id string, c Change, keep string) (User, error) {
	var hash string
	if c.Name != nil {
		if err := checkName(*c.Name); err != nil {
			return User{}, err
		}
	}
	if c.Password != nil {
		was, err := s.User(id)
		if err != nil {
			return User{}, err
		}
		if err := checkPassword(was.Name, *c.Password); err != nil {
			return User{}, err
		}
		if hash, err = s.hasher.hash(ctx, s.cfg.Hash, *c.Password); err != nil {
			return User{}, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.users[id]
	if old == nil {
		return User{}, ErrNotFound
	}
	u := *old
	if c.Name != nil {
		if o := s.find(*c.Name); o != nil && o.ID != id {
			return User{}, ErrExists
		}
		u.Name = *c.Name
	}
	if c.Role != nil {
		if old.role() == Owner && *c.Role != Owner && s.owners() == 1 {
			return User{}, ErrLastOwner
		}
		u.Role = c.Role.String()
	}
	if hash != "" {
		u.Hash, u.Known = hash, nil
	}
	if c.NoTOTP {
		u.TOTP, u.Pending, u.Recovery = "", "", nil
	}
	if err := s.put(bucketUsers, id, &u); err != nil {
		return User{}, err
	}
	s.users[id] = &u
	if hash != "" || c.Role != nil || c.NoTOTP {
		s.endSessions(id, keep)
	}
	return u.public(), nil
}

func (s *Service) owners() int {
	n := 0
	for _, u := range s.users {
		if u.role() == Owner {
			n++
		}
	}
	return n
}

// DeleteUser removes a user with their sessions and tokens.
func (s *Service) DeleteUser(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.users[id]
	if u == nil {
		return ErrNotFound
	}
	if u.role() == Owner && s.owners() == 1 {
		return ErrLastOwner
	}
	if err := s.cfg.Store.Delete(bucketUsers, id); err != nil {
		return err
	}
	delete(s.users, id)
	s.endSessions(id, "")
	for k, t := range s.tokens {
		if t.User == id {
			if err := s.cfg.Store.Delete(bucketTokens, k); err != nil {
				return err
			}
			delete(s.tokens, k)
		}
	}
	return nil
}

// CheckPassword asks the user for the password again before something grave.
// It is held to the rate limit like a login.
func (s *Service) CheckPassword(ctx context.Context, id, password, addr string) error {
	s.mu.Lock()
	u := s.users[id]
	if u == nil {
		s.mu.Unlock()
		return ErrNotFound
	}
	hash, name := u.Hash, strings.ToLower(u.Name)
	s.mu.Unlock()
	now := s.cfg.Now()
	if w := s.limit.take(addr, name, true, now); w > 0 {
		return &SlowDown{w}
	}
	ok, err := s.hasher.verify(ctx, hash, password)
	if err == nil && !ok {
		return ErrCredentials
	}
	s.limit.good(addr, name, true, now) // right, or nothing was learnt
	return err
}

// EnrolTOTP makes a secret for the user's authenticator app. It counts only
// after ConfirmTOTP.
func (s *Service) EnrolTOTP(id string) (secret, uri string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.users[id]
	if old == nil {
		return "", "", ErrNotFound
	}
	if old.TOTP != "" {
		return "", "", ErrExists
	}
	u := *old
	u.Pending = newTOTP()
	if err := s.put(bucketUsers, id, &u); err != nil {
		return "", "", err
	}
	s.users[id] = &u
	return u.Pending, totpURI(u.Pending, u.Name), nil
}

// ConfirmTOTP puts the second factor in force once the app shows a right code,
// and returns recovery codes, which are shown this once. Other sessions end.
func (s *Service) ConfirmTOTP(id, code, keep, addr string) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.users[id]
	if old == nil || old.Pending == "" {
		return nil, ErrNotFound
	}
	now, name := s.cfg.Now(), strings.ToLower(old.Name)
	if w := s.limit.take(addr, name, true, now); w > 0 {
		return nil, &SlowDown{w}
	}
	at, ok := totpMatch(old.Pending, normalCode(code), 0, now)
	if !ok {
		return nil, ErrCredentials
	}
	s.limit.good(addr, name, true, now)
	u := *old
	codes, hashes := newRecovery()
	u.TOTP, u.Pending, u.LastCode, u.Recovery = u.Pending, "", at, hashes
	if err := s.put(bucketUsers, id, &u); err != nil {
		return nil, err
	}
	s.users[id] = &u
	s.endSessions(id, keep)
	return codes, nil
}

// second checks a code of the app or a recovery code and uses it up. Call with
// mu held.
func (s *Service) second(id, code string) error {
	old := s.users[id]
	if old == nil {
		return ErrCredentials
	}
	if old.TOTP == "" {
		return nil
	}
	code = normalCode(code)
	if code == "" {
		return ErrCode
	}
	u := *old
	if at, ok := totpMatch(u.TOTP, code, u.LastCode, s.cfg.Now()); ok {
		u.LastCode = at
	} else {
		h, found := hashSecret(code), -1
		for i, r := range u.Recovery {
			if equal(r, h) {
				found = i
			}
		}
		if found < 0 {
			return ErrCredentials
		}
		u.Recovery = append(append([]string{}, u.Recovery[:found]...), u.Recovery[found+1:]...)
	}
	if err := s.put(bucketUsers, id, &u); err != nil {
		return err
	}
	s.users[id] = &u
	return nil
}
